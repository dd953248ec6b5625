"""The exit status is the program's."""

import os
import signal
import tempfile

from conditions import Failed
from harness import behaviour

FAULTS = (signal.SIGSEGV, signal.SIGBUS, signal.SIGFPE, signal.SIGILL, signal.SIGTRAP,
          signal.SIGSYS, signal.SIGABRT)
HARMLESS = (signal.SIGCHLD, signal.SIGCONT, signal.SIGURG, signal.SIGWINCH, signal.SIGSTOP,
            signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU)


def wrong_statuses(setting, cases):
    """cases: (arguments of `exits`, wanted status)"""
    wrong = []
    for command, wanted in cases:
        with setting.run(*command) as run:
            got = run.status()
            if got != wanted:
                wrong.append(f"{got} for {wanted}")
    if wrong:
        raise Failed(f"{len(wrong)} of {len(cases)} wrong: {', '.join(wrong[:5])}")


@behaviour("exit.code", "the program's exit status, 0 to 255")
def code(setting):
    wrong_statuses(setting, [(("exits", "code", str(n)), n) for n in range(256)])


@behaviour("exit.signal", "128+N when signal N ended the program, faults and real-time ones too")
def killed(setting):
    numbers = [n for n in range(1, 65) if n not in HARMLESS and n not in (32, 33)]
    wrong_statuses(setting, [(("exits", "signal", str(n)), 128 + n) for n in numbers])


def expect_of_file(setting, file_mode, content, wanted):
    with tempfile.TemporaryDirectory(prefix="conformance-") as folder:
        path = os.path.join(folder, "program")
        if content is None:
            os.mkdir(path)
        else:
            with open(path, "w", encoding="ascii") as file:
                file.write(content)
            os.chmod(path, file_mode)
        with setting.run_path(path) as run:
            run.expect_status(wanted)


@behaviour("exit.missing", "127 when there is no such program")
def missing(setting):
    # Of a folder in PATH that can't be searched exec says "permission denied".
    with setting.run_path("no-such-program-anywhere", env={"PATH": "/usr/bin:/bin"}) as run:
        run.expect_status(127)


@behaviour("exit.not-executable", "126 when it is there, but can't be executed")
def not_executable(setting):
    expect_of_file(setting, 0o644, "#!/bin/sh\n", 126)
    expect_of_file(setting, 0, None, 126)


@behaviour("exit.status-in-a-storm", "signals while the program ends don't change its status")
def storm_at_the_end(setting):
    for code_ in range(20):
        with setting.run("signals") as run:
            run.expect("ready")
            run.type(f"exit {code_}\n")
            try:
                for _ in range(500):
                    for number in (signal.SIGHUP, signal.SIGUSR1, signal.SIGTERM, 40):
                        run.signal(number)
                    if not run.running():
                        break
            except ProcessLookupError:
                pass
            run.expect_status(code_)


@behaviour("exit.own-error", "125 for an error of our own, before the program is started")
def own_error(setting):
    setting.only_integcov()
    with setting.run("exits", "code", "0", env={"INTEGCOV_GRACE": "soon"}) as run:
        run.expect_status(125)
        lines = run.stderr_lines()
        if len(lines) != 1 or "INTEGCOV_GRACE" not in lines[0]:
            raise Failed(f"not one clear line: {lines}")
