"""Poor and guarded containers: users, rights, a read-only root, memory, no network."""

from engine import expect
from servers import ScriptedGcs, expect_coverage, expect_nothing_arrived

TMPFS = ("--tmpfs", "/tmp:rw,mode=1777")
RESTRICTED = ("--cap-drop", "all", "--security-opt", "no-new-privileges", "--read-only",
              "--read-only-tmpfs=false")


def uploads(setting, *options, **more):
    """Runs hello with status 3 and the storage gs://bucket/x; all must arrive."""
    store = ScriptedGcs(setting)
    env = {"INTEGCOV_STORAGE": "gs://bucket/x", "STORAGE_EMULATOR_HOST": store.address}
    ended = setting.run("app", "3", app="hello", env=env, options=options, **more)
    expect(ended.code == 3, ended)
    expect(ended.err.count("\n") == 1 and "uploaded 2 files" in ended.err, ended)
    return expect_coverage(store.download("x", setting.folder()), "hello")


def any_user(setting):
    """Any uid, with and without a group of its own, writes /tmp/integcov and uploads."""
    users = ("65532:65532", "12345", "1000810000:0", "0:0")
    for user in users:
        uploads(setting, "--user", user)
    return " ".join(users)


def no_rights(setting):
    """No capability, no new privileges."""
    return uploads(setting, "--cap-drop", "all", "--security-opt", "no-new-privileges")


def read_only_root(setting):
    """A read-only root with a tmpfs, or with an emptyDir, at /tmp, and an arbitrary uid."""
    uploads(setting, *RESTRICTED, *TMPFS, "--user", "12345:0")
    return uploads(setting, *RESTRICTED, "--user", "12345:0",
                   mounts={"/tmp": setting.folder()})


def read_only_without_tmp(setting):
    """Nothing can be written: the app runs, its status is kept, and a warning says why."""
    ended = setting.run("app", "3", app="hello", options=RESTRICTED,
                        env={"INTEGCOV_STORAGE": "file:///s"})
    expect(ended.code == 3 and "all is" not in ended.out and "wrong" in ended.out, ended)
    expect("/tmp/integcov" in ended.err and "Read-only file system" in ended.err, ended)
    return ended.err.split("\n")[0]


def small_memory(setting):
    """16 MB for both."""
    return uploads(setting, "--memory", "16m", "--memory-swap", "16m")


def no_network(setting):
    """Without a network the app's status is kept; one line names the files that stay."""
    cover = setting.folder()
    ended = setting.run("app", "5", app="hello", network="none",
                        mounts={"/tmp/integcov": cover},
                        env={"INTEGCOV_STORAGE": "gs://bucket/x", "INTEGCOV_UPLOAD_TIMEOUT": "1s",
                             "STORAGE_EMULATOR_HOST": "192.0.2.1:80"})
    expect(ended.code == 5, ended)
    expect_nothing_arrived(ended)
    expect_coverage(cover, "hello")
    return ended.err.strip().split("\n")[-1][:120]


CASES = (any_user, no_rights, read_only_root, read_only_without_tmp, small_memory, no_network)
