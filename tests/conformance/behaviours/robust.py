"""Poor surroundings: correct behaviour or one clear line, never a hang."""

import pathlib
import signal

from behaviours.reaping import zombies
from behaviours.signals import BARRIER, not_stopped
from conditions import Failed, until
from harness import behaviour


def works(setting, **kwargs):
    """Signals and the exit status; the lines on stderr."""
    with setting.run("signals", **kwargs) as run:
        run.expect("ready")
        for number in (signal.SIGHUP, signal.SIGTERM, signal.SIGUSR1, 40):
            run.signal(number)
            got = run.signals_until(BARRIER)
            if got != [number]:
                raise Failed(f"got {got} instead of {int(number)}")
        run.type("exit 11\n")
        run.expect_status(11)
        return run.stderr_lines()


def reaps(setting, **kwargs):
    with setting.run("orphans", "50", **kwargs) as run:
        run.expect("orphaned")
        until(lambda: not zombies(run.pid), "zombies stay")
        run.close_stdin()
        run.expect_status(42)


@behaviour("robust.few-fds", "with `ulimit -n 16`")
def few_fds(setting):
    works(setting, stage=["--nofile", 16])
    reaps(setting, stage=["--nofile", 16])


@behaviour("robust.hardly-any-fds", "with `ulimit -n` 5 to 12: still signals and status")
def hardly_any_fds(setting):
    for limit in range(5, 13):
        try:
            works(setting, stage=["--nofile", limit])
        except Failed as failed:
            raise Failed(f"ulimit -n {limit}: {failed}") from None


@behaviour("robust.no-proc", "without /proc")
def no_proc(setting):
    works(setting, stage=["--no-proc"])
    reaps(setting, stage=["--no-proc"])
    if setting.integcov:  # it looks into /proc for that
        not_stopped(setting, stage=["--no-proc"])


@behaviour("robust.stderr-closed", "nobody reads its stderr: a closed pipe")
def stderr_closed(setting):
    works(setting, stderr="closed", env={"INTEGCOV_STORAG": "x"})


@behaviour("robust.stderr-full", "a full pipe as stderr")
def stderr_full(setting):
    works(setting, stderr="full", env={"INTEGCOV_STORAG": "x"})


@behaviour("robust.no-signalfd", "the kernel has no signalfd (old gVisor)")
def no_signalfd(setting):
    works(setting, stage=["--no-signalfd"])
    reaps(setting, stage=["--no-signalfd"])


@behaviour("robust.no-vfork", "a filter of system calls that has fork, but not vfork")
def no_vfork(setting):
    works(setting, stage=["--no-vfork"])
    reaps(setting, stage=["--no-vfork"])


@behaviour("robust.coverdir-read-only", "GOCOVERDIR on a read-only filesystem")
def coverdir_read_only(setting):
    one_line(setting, works(setting, stage=["--read-only", "FOLDER/coverage"],
                            env={"INTEGCOV_STORAGE": "file://FOLDER/storage"}), "writable")


@behaviour("robust.coverdir-full", "GOCOVERDIR on a full filesystem")
def coverdir_full(setting):
    env = {"INTEGCOV_STORAGE": "file://FOLDER/storage"}
    with setting.run("covers", "fill", "3", env=env,
                     stage=["--tmpfs", "FOLDER/coverage", "64k"]) as run:
        run.expect("ready")
        run.expect_status(3)
        if setting.integcov and not list(pathlib.Path(run.folder, "storage").glob("covmeta.*")):
            raise Failed(f"the covmeta isn't in storage: {run.stderr_lines()}")


@behaviour("robust.coverdir-removed", "the program removes GOCOVERDIR")
def coverdir_removed(setting):
    env = {"INTEGCOV_STORAGE": "file://FOLDER/storage"}
    with setting.run("covers", "wait", "remove", "3", env=env) as run:
        run.expect("ready")
        storage = pathlib.Path(run.folder, "storage")
        if setting.integcov:
            until(lambda: list(storage.glob("covmeta.*")), "the covmeta isn't in storage")
        run.close_stdin()
        run.expect("no covcounters")
        run.expect_status(3)
        one_line(setting, run.stderr_lines(), "")


@behaviour("robust.storage-full", "the storage folder is on a full filesystem")
def storage_full(setting):
    setting.only_integcov()
    env = {"INTEGCOV_STORAGE": "file://FOLDER/storage", "INTEGCOV_UPLOAD_TIMEOUT": "1s"}
    with setting.run("covers", "7", env=env,
                     stage=["--tmpfs", "FOLDER/storage", "4k,nr_inodes=1"]) as run:
        run.expect_status(7)
        one_line(setting, run.stderr_lines(), "2 of 2 files were not uploaded")


def one_line(setting, lines, word):
    if not setting.integcov:
        return
    told = [line for line in lines if word in line]
    if not told or len(lines) > 2:
        raise Failed(f"not one clear line: {lines}")
