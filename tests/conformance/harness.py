"""Runs a wrapper around a helper program and talks with it. Every wait is for a condition."""

import os
import pathlib
import pty
import shutil
import signal
import subprocess
import tempfile
import time

from conditions import (PATIENCE, Failed, NotApplicable, Reader, Unable, children_of, status_of,
                        until)


def behaviour(name, meaning, slow=False):
    """Marks a function that takes a Setting. It returns nothing or a remark, or raises."""
    def mark(function):
        function.behaviour = name
        function.meaning = meaning
        function.slow = slow
        return function
    return mark


class Setting:
    """What is tested: the wrapper's command, as which process, with which helper programs."""

    def __init__(self, wrapper, programs, pid1=False, integcov=False, idle=20.0):
        self.wrapper = wrapper
        self.programs = pathlib.Path(programs)
        self.pid1 = pid1
        self.integcov = integcov
        self.idle = idle

    def program(self, name):
        return str(self.programs / name)

    def only_integcov(self):
        if not self.integcov:
            raise NotApplicable("only go-integcov uploads")

    def run(self, *command, **kwargs):
        return Run(self, [self.program(command[0]), *command[1:]], **kwargs)

    def run_path(self, *command, **kwargs):
        """A program that is none of the helpers."""
        return Run(self, list(command), **kwargs)


class Run:
    """One wrapper around one program. Use it in a `with` statement: nothing stays behind."""

    def __init__(self, setting, command, *, stage=(), env=None, stderr="pipe", tty=False,
                 shell=False, pass_fds=(), cwd=None, binary=None):
        self.setting = setting
        self.folder = tempfile.mkdtemp(prefix="conformance-")
        self.coverdir = self.folder + "/coverage"
        for folder in (self.coverdir, self.folder + "/storage"):
            os.mkdir(folder)
        self.env = {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "HOME": self.folder,
                    "GOCOVERDIR": self.coverdir}
        self.env.update({key: value.replace("FOLDER", self.folder)
                         for key, value in (env or {}).items()})
        command = [word.replace("FOLDER", self.folder) if isinstance(word, str) else word
                   for word in command]
        stage = [str(word).replace("FOLDER", self.folder) for word in stage]
        self.open_fds = []
        report, report_in = self._pipe()
        out, out_in = self._pipe()
        self.stdin = self.shell = self.err = None
        theirs = [report_in, out_in]
        options = ["--report", str(report_in), *stage]
        passed = [report_in, *pass_fds]
        if tty or shell:
            self.stdin, stdin = pty.openpty()
            self.open_fds += [self.stdin]
            theirs.append(stdin)
            options.append("--tty")
            if shell:
                shell_in, self.shell = self._pipe()
                options += ["--shell", str(shell_in)]
                passed.append(shell_in)
        else:
            stdin, self.stdin = self._pipe()
            theirs.append(stdin)
        err_fd = self._stderr(stderr, stdin, theirs)
        if setting.pid1:
            options.append("--pid1")
        self.process = subprocess.Popen(
            [setting.program("stage"), *options, "--", *setting.wrapper, *command], stdin=stdin,
            stdout=out_in, stderr=err_fd, env=self.env, cwd=cwd, pass_fds=passed)
        for fd in theirs:
            self._close(fd)
        self.report = Reader(report)
        self.out = Reader(out)
        self.ended = None
        self.stops = []
        first = self.report.line() or "nothing"
        if first.startswith("failed"):
            raise Unable(first)
        self.pid = int(first.split()[1])

    def _pipe(self):
        ends = os.pipe()
        self.open_fds += ends
        return ends

    def _close(self, fd):
        if fd in self.open_fds:
            self.open_fds.remove(fd)
            os.close(fd)

    def _stderr(self, kind, stdin, theirs):
        if kind == "tty":
            return stdin
        err, err_in = self._pipe()
        theirs.append(err_in)
        if kind == "closed":
            self._close(err)
        else:
            self.err = Reader(err)
        if kind == "full":
            os.set_blocking(err_in, False)
            try:
                while True:
                    os.write(err_in, b"x" * 4096)
            except BlockingIOError:
                os.set_blocking(err_in, True)
        return err_in

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            if self.ended is None:
                os.kill(self.pid, signal.SIGKILL)
            self.process.wait(PATIENCE)
        except (ProcessLookupError, subprocess.TimeoutExpired):
            self.process.kill()
            self.process.wait()
        for fd in list(self.open_fds):
            self._close(fd)
        shutil.rmtree(self.folder, ignore_errors=True)

    # --- talking -----------------------------------------------------------------------------

    def signal(self, number):
        os.kill(self.pid, number)

    def type(self, text):
        os.write(self.stdin, text.encode())

    def close_stdin(self):
        self._close(self.stdin)

    def say(self, text):
        try:
            return self.out.line()
        except TimeoutError:
            raise Failed(text) from None

    def expect(self, wanted, patience=PATIENCE):
        """The next line of the program must be this one."""
        try:
            line = self.out.line(patience)
        except TimeoutError:
            raise Failed(f"no \"{wanted}\" from the program") from None
        if line is None:
            raise Failed(f"no \"{wanted}\": the program ended, status {self.status()}")
        if line != wanted:
            raise Failed(f"\"{line}\" instead of \"{wanted}\"")

    def expect_any(self, wanted):
        """This line comes, perhaps after others."""
        while (line := self.say(f"no \"{wanted}\"")) is not None:
            if line == wanted:
                return
        raise Failed(f"no \"{wanted}\": the program ended, status {self.status()}")

    def signals_until(self, barrier):
        """Forwards `barrier` and gives the numbers that the program got before it."""
        self.signal(barrier)
        got = []
        while True:
            try:
                line = self.out.line()
            except TimeoutError:
                raise Failed(f"signal {barrier} was not forwarded; got {got}") from None
            if line is None:
                raise Failed(f"the program ended, status {self.status()}")
            if line == f"got {barrier}":
                return got
            if line.startswith("got "):
                got.append(int(line[4:]))

    def _read_report(self, patience):
        try:
            line = self.report.line(patience)
        except TimeoutError:
            return False
        word, _, number = (line or "").partition(" ")
        if word in ("exited", "killed"):
            self.ended = int(number) if word == "exited" else -int(number)
        elif word == "stopped":
            self.stops.append(int(number))
        elif word == "failed":
            raise Unable(line)
        elif word == "":
            raise Failed("no report on the wrapper")
        return True

    def status(self, patience=PATIENCE):
        """The wrapper's exit status; -N if it was itself killed by signal N."""
        end = time.monotonic() + patience
        while self.ended is None:
            if not self._read_report(max(0.0, end - time.monotonic())):
                raise Failed("the wrapper hangs")
        return self.ended

    def running(self):
        """Whether the wrapper has not ended (what it left to say is read)."""
        while self.ended is None and self._read_report(0.0):
            pass
        return self.ended is None

    def stopped(self):
        """Waits until the shell sees the job stop; the signal."""
        until(lambda: not self.running() or self.stops, "the shell doesn't see the job stop")
        if not self.stops:
            raise Failed(f"the wrapper ended, status {self.ended}")
        return self.stops.pop(0)

    def expect_status(self, wanted, patience=PATIENCE):
        got = self.status(patience)
        if got != wanted:
            raise Failed(f"status {got} instead of {wanted}")

    def child(self):
        """The main child's pid as we see it, once it is there."""
        return until(lambda: children_of(self.pid), "there is no child")[0]

    def state(self, pid=None):
        return status_of(pid or self.pid).get("State", "-")[0]

    def armed(self):
        """Waits until the wrapper blocks or catches SIGTERM, or (in sigwait it does neither) has
        a child."""
        bit = 1 << (signal.SIGTERM - 1)
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            status = status_of(self.pid)
            if not status or (int(status.get("SigBlk", "0"), 16)
                              | int(status.get("SigCgt", "0"), 16)) & bit:
                return
            if children_of(self.pid):
                return
        raise Failed("the wrapper neither blocks nor catches SIGTERM")

    def stderr_lines(self):
        return self.err.all() if self.err else []
