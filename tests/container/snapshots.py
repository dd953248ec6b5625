"""Counters of a program that still runs, read from its memory in a container."""

import os
import signal

from engine import expect, podman, until
from limits import RESTRICTED, TMPFS
from processes import READY, children_of
from servers import covdata

EVERY_200_MS = {"INTEGCOV_STORAGE": "file:///s", "INTEGCOV_FLUSH_INTERVAL": "200ms"}


def has_counters(storage):
    return any(path.name.startswith("covcounters.") for path in storage.iterdir())


def survives_a_kill(setting, *options):
    """The app is killed once a snapshot is there; what covdata says of the storage."""
    storage = setting.folder()
    running = setting.container("app", app="sleeper", mounts={"/s": storage}, env=EVERY_200_MS,
                                options=options)
    running.start().await_line(READY)
    until(lambda: has_counters(storage), "a snapshot")
    app, = children_of(running.pid())
    os.kill(app, signal.SIGKILL)
    ended = running.ended()
    expect(ended.code == 137 and "left no counters" not in ended.err, ended)
    return covdata("percent", storage).split("coverage: ")[1].split()[0]


def snapshots(setting):
    """A program that kill -9 ended leaves its last snapshot, under podman's own seccomp filter."""
    return survives_a_kill(setting)


def snapshots_without_rights(setting):
    """The same without any capability or new privileges, on a read-only root, as any user."""
    return survives_a_kill(setting, *RESTRICTED, *TMPFS, "--user", "12345:0")


def flush_now(setting):
    """podman exec … go-integcov --flush-now works without a shell."""
    storage = setting.folder()
    env = {**EVERY_200_MS, "INTEGCOV_FLUSH_INTERVAL": "0"}
    running = setting.container("app", app="sleeper", mounts={"/s": storage}, env=env)
    running.start().await_line(READY)
    until(lambda: any(p.name.startswith("covmeta.") for p in storage.iterdir()), "a covmeta")
    expect(not has_counters(storage), "counters before they were asked for")
    podman("exec", running.id, "go-integcov", "--flush-now")
    until(lambda: has_counters(storage), "a snapshot")
    running.stop()
    return covdata("percent", storage).split("coverage: ")[1].split()[0]


CASES = (snapshots, snapshots_without_rights, flush_now)
