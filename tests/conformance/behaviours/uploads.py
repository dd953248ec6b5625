"""Uploads never get in the program's way, and end in time."""

import os
import pathlib
import signal
import time

from conditions import Failed, children_of, dumb_server, pending, until
from harness import behaviour

TO_FOLDER = {"INTEGCOV_STORAGE": "file://FOLDER/storage"}


def stored(run, kind):
    return [path.name for path in pathlib.Path(run.folder, "storage").glob(f"{kind}.*")]


def to_a_dumb_server(address, **more):
    return {"STORAGE_EMULATOR_HOST": address, "INTEGCOV_STORAGE": "gs://bucket", **more}


@behaviour("upload.files", "covmeta while the program runs, covcounters after its end")
def files(setting):
    setting.only_integcov()
    with setting.run("covers", "wait", "13", env=TO_FOLDER) as run:
        run.expect("ready")
        until(lambda: stored(run, "covmeta"), "no covmeta in storage")
        run.close_stdin()
        run.expect_status(13)
        if len(stored(run, "covcounters")) != 1:
            raise Failed("no covcounters in storage")


@behaviour("upload.of-grandchildren", "counters of a grandchild that outlives the program")
def of_grandchildren(setting):
    setting.only_integcov()
    with setting.run("covers", "late", "50", "4", env=TO_FOLDER) as run:
        run.expect("ready")
        run.expect_status(4)
        if len(stored(run, "covcounters")) != 1:
            raise Failed("its covcounters aren't in storage")


@behaviour("upload.with-a-daemon", "a daemon of the program is waited for at most a second")
def with_a_daemon(setting):
    setting.only_integcov()
    with setting.run("covers", "daemon", "4", env=TO_FOLDER) as run:
        run.expect("ready")
        run.expect_status(4)
        if not any("still run" in line for line in run.stderr_lines()):
            raise Failed("no line says that it runs on")


@behaviour("upload.earlier-children", "a child of before our start isn't waited for")
def earlier_children(setting):
    setting.only_integcov()

    def seconds():
        with setting.run("covers", "wait", "4", env=TO_FOLDER, stage=["--stays"]) as run:
            run.expect("ready")
            begin = time.monotonic()
            run.close_stdin()
            run.expect_status(4)
            return time.monotonic() - begin
    # It would always be a second; a busy machine is quick once.
    if min(seconds() for _ in range(5)) >= 1:
        raise Failed("it is waited for")


@behaviour("upload.no-signalfd", "it uploads although the kernel has no signalfd")
def without_signalfd(setting):
    setting.only_integcov()
    with setting.run("covers", "wait", "13", env=TO_FOLDER, stage=["--no-signalfd"]) as run:
        run.expect("ready")
        until(lambda: stored(run, "covmeta"), "no covmeta in storage")
        run.close_stdin()
        run.expect_status(13)
        if len(stored(run, "covcounters")) != 1:
            raise Failed("no covcounters in storage")


def until_draining(run, server):
    """The program has ended, and an upload hangs."""
    until(lambda: server.asked, "no upload is tried")
    until(lambda: not children_of(run.pid), "the program isn't reaped")


@behaviour("upload.status", "the status is the program's when it dies amid an upload that hangs")
def status(setting):
    setting.only_integcov()
    with dumb_server() as server:
        env = to_a_dumb_server(server.address, INTEGCOV_UPLOAD_TIMEOUT="300ms")
        with setting.run("covers", "wait", "0", env=env) as run:
            run.expect("ready")
            child = run.child()
            until(lambda: server.asked, "no upload is tried")
            os.kill(child, signal.SIGKILL)
            run.expect_status(128 + signal.SIGKILL)
            names_what_is_left(run)


@behaviour("upload.first-stop", "after the program's end a first SIGTERM lowers the deadline")
def first_stop(setting):
    setting.only_integcov()
    with dumb_server() as server:
        env = to_a_dumb_server(server.address, INTEGCOV_UPLOAD_TIMEOUT="60s", INTEGCOV_GRACE="800ms")
        with setting.run("covers", "21", env=env) as run:
            until_draining(run, server)
            begin = time.monotonic()
            run.signal(signal.SIGTERM)
            run.expect_status(21)
            took = time.monotonic() - begin
            if not 0.2 < took < 2:
                raise Failed(f"it takes {took:.1f} s")
            names_what_is_left(run)


@behaviour("upload.third-stop", "a third one, or SIGQUIT, ends at once and says what is left")
def third_stop(setting):
    setting.only_integcov()
    for sent in ((signal.SIGTERM, signal.SIGINT, signal.SIGTERM), (signal.SIGQUIT,)):
        with dumb_server() as server:
            env = to_a_dumb_server(server.address, INTEGCOV_GRACE="60s")
            with setting.run("covers", "22", env=env) as run:
                until_draining(run, server)
                for number in sent:
                    if not run.running():
                        raise Failed(f"it ends before signal {int(number)}")
                    run.signal(number)
                    until(lambda run=run: not run.running() or not pending(run.pid),
                          "it doesn't take its signals")
                run.expect_status(22)
                names_what_is_left(run)


@behaviour("upload.other-signals", "other signals in that phase change nothing")
def other_signals(setting):
    setting.only_integcov()
    with dumb_server() as server:
        env = to_a_dumb_server(server.address, INTEGCOV_UPLOAD_TIMEOUT="3s")
        with setting.run("covers", "23", env=env) as run:
            until_draining(run, server)
            for number in (signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2, signal.SIGPIPE,
                           signal.SIGALRM, signal.SIGTSTP, signal.SIGCONT, 40):
                run.signal(number)
            until(lambda: not pending(run.pid), "it doesn't take its signals")
            if not run.running():
                raise Failed("it ends by them")
            run.expect_status(23)


def names_what_is_left(run):
    if not any("not uploaded" in line and "covmeta" in line for line in run.stderr_lines()):
        raise Failed("it doesn't say what is left")
