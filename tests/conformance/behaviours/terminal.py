"""With a controlling terminal a shell's user finds the program itself."""

import os
import pty
import select
import shlex
import shutil
import signal

from behaviours.child import state
from behaviours.signals import BARRIER
from conditions import Failed, NotApplicable, Unable, status_of, until
from harness import behaviour


@behaviour("tty.keeps", "the program has the terminal: foreground, and reads from it")
def keeps(setting):
    with setting.run("state", "FOLDER/state", tty=True) as run:
        terminal = state(run)["terminal"]
        if terminal != ["foreground"]:
            raise Failed(f"the terminal is {terminal[0]}")
    with setting.run("reads", tty=True) as run:
        run.expect("ready")
        run.type("hello\n")
        run.expect("line hello")
        run.expect_status(0)


@behaviour("tty.ctrl-c", "Ctrl-C and Ctrl-\\ reach it once")
def ctrl_c(setting):
    with setting.run("signals", tty=True) as run:
        run.expect("ready")
        for key, number in (("\x03", signal.SIGINT), ("\x1c", signal.SIGQUIT)):
            seen = []
            for _ in range(10):
                run.type(key)
                run.expect(f"got {int(number)}")
                seen += run.signals_until(BARRIER)
            if seen:
                raise Failed(f"{10 + len(seen)} for 10 keys")


def in_a_shell(setting):
    if setting.pid1:
        raise NotApplicable("PID 1 is nobody's job")


@behaviour("tty.ctrl-z", "in a shell Ctrl-Z stops the job and fg resumes it, again and again")
def ctrl_z(setting):
    in_a_shell(setting)
    with setting.run("signals", str(int(signal.SIGTSTP)), shell=True) as run:
        run.expect("ready")
        child = run.child()
        for _ in range(3):
            run.type("\x1a")
            run.stopped()
            until(lambda: run.state(child) == "T", "the shell's job is stopped, but not its program")
            os.write(run.shell, b"f")
            until(lambda: run.state(child) != "T", "fg doesn't resume it")
            got = run.signals_until(BARRIER)
            if got not in ([signal.SIGCONT], []):
                raise Failed(f"got {got} on the way")
            run.type("\x03")  # it has the terminal again
            run.expect("got 2")
        run.type("exit 4\n")
        run.expect_status(4)


@behaviour("tty.ctrl-z-pid1", "as PID 1 Ctrl-Z leaves nothing stopped: nobody could resume it")
def ctrl_z_pid1(setting):
    if not setting.pid1:
        raise NotApplicable("see tty.ctrl-z")
    with setting.run("signals", str(int(signal.SIGTSTP)), tty=True) as run:
        run.expect("ready")
        child = run.child()
        run.type("\x1a\x03")
        try:
            run.expect_any("got 2")
        except Failed:
            raise Failed(f"the program is left in state {run.state(child)}") from None
        run.signals_until(BARRIER)
        run.type("exit 4\n")
        run.expect_status(4)


@behaviour("tty.kill-tstp", "in a shell kill -TSTP stops the job, kill -CONT resumes it")
def kill_tstp(setting):
    in_a_shell(setting)
    with setting.run("signals", str(int(signal.SIGTSTP)), shell=True) as run:
        run.expect("ready")
        child = run.child()
        run.signal(signal.SIGTSTP)
        run.stopped()
        until(lambda: run.state(child) == "T", "the program isn't stopped")
        run.signal(signal.SIGCONT)
        until(lambda: run.state(child) != "T", "the program isn't resumed")
        run.signals_until(BARRIER)


@behaviour("tty.background", "a background job that reads is stopped, and reads after fg")
def background(setting):
    in_a_shell(setting)
    with setting.run("reads", shell=True, stage=["--background"]) as run:
        run.expect("ready")
        run.stopped()
        os.write(run.shell, b"f")
        run.type("later\n")
        run.expect("line later")
        run.expect_status(0)


def shell_script(setting, script, shell="bash"):
    """A real shell on the terminal runs it, and the wrapper in it where WRAPPER stands."""
    in_a_shell(setting)
    if not shutil.which(shell):
        raise Unable(f"no {shell}")
    script = script.replace("WRAPPER", shlex.join(setting.wrapper)).replace(
        "PROGRAMS", shlex.quote(str(setting.programs)))
    bare = type(setting)([], setting.programs)
    # Job control of bash is for the terminal that its stderr is.
    return bare.run_path(shutil.which(shell), "-c", script, shell=True, stderr="tty")


@behaviour("tty.orphaned", "where no shell is left to resume the job, reading the terminal is an error")
def orphaned(setting):
    in_a_shell(setting)
    inner = f"while kill -0 $1 2>/dev/null; do sleep 0.01; done; {shlex.join(setting.wrapper)} cat </dev/tty >/dev/null 2>&1; echo end $?"
    shell, terminal = pty.fork()  # whoever gets the orphans is in another session
    if shell == 0:
        os.execvp("bash", ["bash", "-c", "set -m; "
                            f"( me=$BASHPID; sh -c {shlex.quote(inner)} sh $me & ); sleep 100"])
    said = b""
    try:
        while b"end 1" not in said:
            if not select.select([terminal], [], [], 10)[0]:
                raise Failed(f"the program neither reads nor fails: {said}")
            said += os.read(terminal, 100)
    finally:
        os.close(terminal)  # ends all in the session
        os.waitpid(shell, 0)


@behaviour("tty.gives-back", "after the program's end the terminal is the shell's job's again")
def gives_back(setting):
    with shell_script(setting, "WRAPPER PROGRAMS/exits code 0; read -r line; echo \"line $line\"",
                      "sh") as run:
        run.type("mine\n")
        run.expect("line mine")
        run.expect_status(0)


@behaviour("tty.pager", "a pager behind it in a pipeline reads the terminal, and the program too")
def pager(setting):
    script = ("set -m; WRAPPER PROGRAMS/reads | { read -r line; echo \"$line\"; "
              "read -r line </dev/tty; echo \"pager $line\"; exec cat; }")
    with shell_script(setting, script) as run:
        run.expect("ready")
        run.type("one\ntwo\n")  # whoever of the two reads first
        seen = {run.say("nobody reads"), run.say("only one of them reads")}
        if seen not in ({"pager one", "line two"}, {"pager two", "line one"}):
            raise Failed(f"they read {seen}")


@behaviour("tty.pipeline", "in a pipeline Ctrl-C, and a signal to the job, reach it once")
def pipeline(setting):
    script = "set -m; WRAPPER PROGRAMS/signals keep | (trap '' INT TERM; exec cat)"
    with shell_script(setting, script) as run:
        run.expect("ready")
        run.pid = run.child()  # the job's first process: its group's leader
        for send, number in ((lambda: run.type("\x03"), signal.SIGINT),
                             (lambda: os.killpg(run.pid, signal.SIGTERM), signal.SIGTERM)):
            for _ in range(10):
                send()
                run.expect(f"got {int(number)}")
                if more := run.signals_until(BARRIER):
                    raise Failed(f"then got {more}")


@behaviour("tty.pipeline-ctrl-z", "in a pipeline Ctrl-Z stops the job, fg and bg resume it")
def pipeline_ctrl_z(setting):
    script = ("set -m; WRAPPER PROGRAMS/signals 20 keep | (trap '' TERM; exec cat); echo stopped; "
              "fg >/dev/null; echo stopped; bg >/dev/null; read -r line; echo \"line $line\"; "
              "kill %1; fg >/dev/null")
    with shell_script(setting, script) as run:
        run.expect("ready")
        run.pid = run.child()  # the wrapper's from now on
        for _ in range(2):
            run.type("\x1a")
            run.expect("stopped")
            run.expect("got 18")  # once, also when the next one comes
            if more := run.signals_until(BARRIER):
                raise Failed(f"got {more} beside SIGCONT")
        run.type("mine\n")
        run.expect("line mine")
        run.expect("got 15")
        if more := run.signals_until(BARRIER):
            raise Failed(f"then got {more}")


def ctrl_c_at_a_script(run):
    run.expect("ready")
    until(lambda: int(status_of(run.pid).get("SigCgt", "0"), 16) & 1 << (signal.SIGINT - 1),
          "the shell doesn't wait")
    run.type("\x03")


@behaviour("tty.script", "Ctrl-C that ends the program ends the script that called it")
def script_ends(setting):
    with shell_script(setting, "WRAPPER PROGRAMS/exits pause; echo on") as run:
        ctrl_c_at_a_script(run)
        if (line := run.out.line()) is not None:
            raise Failed(f"the script goes {line}")
        run.expect_status(-signal.SIGINT)


@behaviour("tty.script-goes-on", "a script goes on when the program took Ctrl-C for something else")
def script_goes_on(setting):
    script = "WRAPPER PROGRAMS/signals; echo status $?; WRAPPER PROGRAMS/exits signal 2; echo $?"
    with shell_script(setting, script) as run:
        ctrl_c_at_a_script(run)
        run.expect("got 2")
        run.type("exit 3\n")
        run.expect("status 3")
        run.expect("130")


@behaviour("tty.new-session", "it may leave its process group and session: SIGCONT reaches it")
def new_session(setting):
    with setting.run("regroups", setting.program("signals"), "keep", tty=True) as run:
        run.expect("moved")
        run.expect("ready")
        for number in (signal.SIGCONT, signal.SIGTERM):
            run.signal(number)
            run.expect(f"got {int(number)}")


@behaviour("tty.hangup", "a closed terminal sends it SIGHUP")
def hangup(setting):
    with setting.run("signals", "keep", tty=True) as run:
        run.expect("ready")
        run.close_stdin()
        run.expect_any("got 1")
