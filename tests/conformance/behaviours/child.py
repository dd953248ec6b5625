"""The program finds what it would have found without the wrapper."""

import collections
import os
import pathlib
import resource
import signal
import subprocess

from conditions import Failed, Reader, Unable, children_of, until
from harness import behaviour


def hexed(text):
    return (text if isinstance(text, bytes) else text.encode()).hex()


def state(run):
    """What `state` wrote: key -> list of values."""
    run.expect_status(0)
    found = collections.defaultdict(list)
    for line in pathlib.Path(run.folder, "state").read_text().splitlines():
        key, _, value = line.partition(" ")
        found[key].append(value)
    return found


def without_wrapper(setting, **kwargs):
    bare = type(setting)([], setting.programs)
    with bare.run("state", "FOLDER/state", **kwargs) as run:
        return state(run)


def same(found, wanted, what):
    if found != wanted:
        raise Failed(f"{what}: {found} instead of {wanted}")


@behaviour("child.signal-mask", "an empty signal mask and no ignored signals")
def mask(setting):
    with setting.run("state", "FOLDER/state") as run:
        found = state(run)
        same(found["blocked"], [], "blocked")
        same(found["ignored"], [], "ignored")
        same(found["death-signal"], ["0"], "death signal")


@behaviour("child.ignored-stays", "what was ignored at the start stays ignored (nohup)")
def ignored(setting):
    numbers = [signal.SIGHUP, signal.SIGINT, signal.SIGPIPE, signal.SIGTTOU, 40]
    stage = [word for n in numbers for word in ("--ignore", int(n))]
    with setting.run("state", "FOLDER/state", stage=stage) as run:
        found = state(run)
        same(found["ignored"], [str(int(n)) for n in sorted(numbers)], "ignored")
        same(found["blocked"], [], "blocked")


@behaviour("child.fds", "fds 0, 1, 2 and those that were passed, no others")
def fds(setting):
    first, second = os.pipe()
    try:
        with setting.run("state", "FOLDER/state", pass_fds=[second]) as run:
            same(state(run)["fd"], [str(n) for n in (0, 1, 2, second)], "fds")
    finally:
        os.close(first)
        os.close(second)


@behaviour("child.passed-fds", "the wrapper lets go of what it passes: a reader sees the end")
def lets_go(setting):
    reader, writer = os.pipe()
    try:
        with setting.run("closes", "FOLDER/go", "4", pass_fds=[writer]) as run:
            run.expect("ready")
            os.close(writer)
            writer = None
            os.set_blocking(reader, False)

            def ended():
                try:
                    return os.read(reader, 1) == b""
                except BlockingIOError:
                    return False
            until(ended, "the wrapper keeps a passed fd open")
    finally:
        os.close(reader)
        if writer is not None:
            os.close(writer)


@behaviour("child.closed-stdio", "a closed stdin, stdout or stderr stays closed, nothing lands there")
def closed(setting):
    for closed_ones in ([0], [1], [2], [0, 1, 2]):
        stage = [word for fd in closed_ones for word in ("--close", fd)]
        with setting.run("state", "FOLDER/state", stage=stage) as run:
            wanted = [str(fd) for fd in (0, 1, 2) if fd not in closed_ones]
            try:
                same(state(run)["fd"], wanted, f"fds with {closed_ones} closed")
            except FileNotFoundError:
                raise Failed(f"the program isn't run with {closed_ones} closed") from None


@behaviour("child.environment", "the same environment")
def environment(setting):
    odd = {"EMPTY": "", "LINES": "a\nb", "odd name": "x=y", "lower": "ü"}
    with setting.run("state", "FOLDER/state", env=odd) as run:
        wanted = sorted(hexed(f"{key}={value}") for key, value in run.env.items())
        same(sorted(state(run)["env"]), wanted, "environment")


@behaviour("child.arguments", "the same arguments: empty, odd, not UTF-8")
def arguments(setting):
    odd = ["", " ", "a b", "new\nline", "--", "-x", "--help", "$HOME", "*", b"\xff\xfe\x80", ""]
    with setting.run("state", "FOLDER/state", *odd) as run:
        same(state(run)["arg"][2:], [hexed(word) for word in odd], "arguments")


@behaviour("child.surroundings", "the same working directory, umask, limits and priority")
def surroundings(setting):
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    kwargs = {"cwd": "/usr", "stage": ["--umask", 0o027, "--nofile", min(limit, 777)]}
    wanted = without_wrapper(setting, **kwargs)
    with setting.run("state", "FOLDER/state", **kwargs) as run:
        found = state(run)
        for key in ("cwd", "umask", "limit", "nice", "dumpable"):
            same(found[key], wanted[key], key)
    same(wanted["cwd"], [hexed("/usr")], "cwd")
    same(wanted["umask"], [str(0o027)], "umask")


@behaviour("child.stdin", "it reads the wrapper's stdin and its end")
def stdin(setting):
    with setting.run("reads") as run:
        run.expect("ready")
        run.type("hello\n")
        run.expect("line hello")
        run.expect_status(0)


@behaviour("child.exec", "it may replace itself: same pid, signals and status")
def replaces_itself(setting):
    with setting.run("execs", "5", setting.program("signals")) as run:
        child = run.child()
        run.expect("ready")
        run.signal(signal.SIGTERM)
        run.expect("got 15")
        same(run.child(), child, "pid")
        run.type("exit 8\n")
        run.expect_status(8)


@behaviour("child.new-session", "it may change its process group and session: signals and status")
def new_session(setting):
    with setting.run("regroups", setting.program("signals")) as run:
        run.expect("moved")
        run.expect("ready")
        for number in (signal.SIGTERM, signal.SIGTSTP, signal.SIGCONT, signal.SIGUSR1):
            run.signal(number)
            run.expect(f"got {int(number)}")
        run.type("exit 8\n")
        run.expect_status(8)


@behaviour("child.stops-itself", "it may stop itself; a SIGCONT to the wrapper resumes it")
def stops_itself(setting):
    for number in (signal.SIGSTOP, signal.SIGTSTP):
        with setting.run("stops", str(int(number)), "5") as run:
            run.expect("ready")
            child = next(iter(children_of(run.pid)), 0)
            # Without a job-controlling parent the kernel may drop a SIGTSTP (orphaned group).
            until(lambda run=run, child=child: run.state(child) in "T-Z"
                  or not run.running(), "it is not stopped")
            if run.running():
                if run.state() == "T":
                    raise Failed("the wrapper stops too, and nobody would continue it")
                try:
                    run.signal(signal.SIGCONT)
                except ProcessLookupError:
                    pass
            run.expect("resumed")
            run.expect_status(5)


@behaviour("child.traced", "a debugger may attach, stop, detach or stay until the end")
def traced(setting):
    for stays in (False, True):
        with setting.run("signals") as run:
            run.expect("ready")
            with subprocess.Popen([setting.program("traces"), str(run.child())],
                                  stdin=subprocess.PIPE, stdout=subprocess.PIPE) as tracer:
                lines = Reader(tracer.stdout.fileno())
                try:
                    if (line := lines.line()) != "attached":
                        raise Unable(line)
                    run.signal(signal.SIGTERM)
                    run.expect("got 15")
                    if not stays:
                        tracer.stdin.close()
                        until(lambda lines=lines: lines.line() == "detached", "no detaching")
                        run.signal(signal.SIGHUP)
                        run.expect("got 1")
                    run.type("exit 9\n")
                    run.expect_status(9)
                finally:
                    tracer.kill()


@behaviour("child.closes-stdout", "it may close its stdout and go on")
def closes_stdout(setting):
    with setting.run("closes", "FOLDER/go", "4") as run:
        run.expect("ready")
        if not run.running():
            raise Failed("the wrapper ended before the program")
        pathlib.Path(run.folder, "go").touch()
        run.expect_status(4)


@behaviour("child.stdio-is-its-own", "when it closes stdin and stdout, the other ends notice it")
def stdio_is_its_own(setting):
    with setting.run("closes", "FOLDER/go", "4") as run:
        run.expect("ready")
        try:
            run.out.line()
        except TimeoutError:
            raise Failed("the wrapper keeps them open") from None
        pathlib.Path(run.folder, "go").touch()
        run.expect_status(4)
