"""Processes that the program leaves, and those that were there before it."""

import signal

from conditions import Failed, NotApplicable, children_of, status_of, until
from harness import behaviour


def zombies(pid):
    return [child for child in children_of(pid) if status_of(child).get("State", "-")[0] == "Z"]


@behaviour("reap.orphans", "300 orphans are reaped, the program's status is its own")
def orphans(setting):
    with setting.run("orphans", "300") as run:
        run.expect("orphaned")
        until(lambda: not zombies(run.pid), f"{len(zombies(run.pid))} zombies stay")
        run.close_stdin()
        run.expect_status(42)


@behaviour("reap.earlier-children", "children forked before the wrapper's exec are reaped too")
def earlier_children(setting):
    with setting.run("signals", stage=["--children", "6"]) as run:
        run.expect("ready")
        until(lambda: len(children_of(run.pid)) == 1,
              f"{len(zombies(run.pid))} zombies stay")
        run.signal(signal.SIGTERM)
        run.expect("got 15")
        run.type("exit 6\n")
        run.expect_status(6)


@behaviour("reap.subreaper", "as a normal process it takes the program's orphans")
def subreaper(setting):
    if setting.pid1:
        raise NotApplicable("PID 1 gets them anyway")
    with setting.run("orphans", "0", "stay") as run:
        line = run.say("no orphan")
        if line != f"parent {run.pid}":
            raise Failed("orphans go to another process")


@behaviour("reap.sigchld-ignored", "SIGCHLD ignored by the parent: the status is right")
def sigchld_ignored(setting):
    plain_life(setting, ["--ignore", int(signal.SIGCHLD)])


@behaviour("reap.sigchld-blocked", "SIGCHLD blocked by the parent")
def sigchld_blocked(setting):
    plain_life(setting, ["--block", int(signal.SIGCHLD)])


@behaviour("reap.usr1-blocked", "SIGUSR1 blocked by the parent: it is passed on all the same")
def usr1_blocked(setting):
    plain_life(setting, ["--block", int(signal.SIGUSR1)])


def plain_life(setting, stage):
    with setting.run("signals", stage=stage) as run:
        run.expect("ready")
        for number in (signal.SIGUSR1, signal.SIGTERM):
            run.signal(number)
            run.expect(f"got {int(number)}")
        run.type("exit 7\n")
        run.expect_status(7)


@behaviour("reap.daemon", "a daemon that keeps stdout open doesn't keep the wrapper")
def daemon(setting):
    with setting.run("daemon", "7") as run:
        run.expect("daemon")
        run.expect_status(7)
