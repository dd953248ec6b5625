"""Signals reach the program as they were sent, and nothing else does."""

import collections
import os
import signal
import time

from behaviours.exits import FAULTS
from conditions import Failed, NotApplicable, dumb_server, pending, until
from harness import behaviour

STOPS = (signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU)
STANDARD = [n for n in range(1, 32)
            if n not in (signal.SIGKILL, signal.SIGSTOP, signal.SIGCHLD, *FAULTS, *STOPS)]
REAL_TIME = list(range(34, 65))
BARRIER = 64  # the last of all: lower numbers are delivered first


def differences(sent, got):
    """What is missing or too many, as text."""
    sent, got = collections.Counter(map(int, sent)), collections.Counter(got)
    parts = [f"{n}: {got[n]} of {sent[n]}" for n in sorted(sent | got) if sent[n] != got[n]]
    return ", ".join(parts[:8])


def one_by_one(setting, numbers):
    wrong = []
    with setting.run("signals") as run:
        run.expect("ready")
        for number in numbers:
            run.signal(number)
            if number == BARRIER:
                run.expect(f"got {BARRIER}")
                continue
            got = run.signals_until(BARRIER)
            if got != [number]:
                wrong.append(f"{int(number)}: {got}")
        run.type("exit 3\n")
        run.expect_status(3)
    if wrong:
        raise Failed("; ".join(wrong[:5]))


@behaviour("signal.standard", "each standard signal arrives once, as itself (SIGURG too)")
def standard(setting):
    one_by_one(setting, STANDARD)


@behaviour("signal.real-time", "each real-time signal arrives once, as itself")
def real_time(setting):
    one_by_one(setting, REAL_TIME)


@behaviour("signal.chld", "SIGCHLD from outside isn't passed on")
def chld(setting):
    with setting.run("signals") as run:
        run.expect("ready")
        run.signal(signal.SIGCHLD)
        got = run.signals_until(BARRIER)
        if got:
            raise Failed(f"got {got}")


@behaviour("signal.burst", "eight different ones at once: all arrive")
def burst(setting):
    sent = [signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2,
            signal.SIGTERM, signal.SIGWINCH, 40]
    with setting.run("signals") as run:
        run.expect("ready")
        for _ in range(20):
            for number in sent:
                run.signal(number)
            got = run.signals_until(BARRIER)
            if difference := differences(sent, got):
                raise Failed(difference)


@behaviour("signal.storm", "a thousand in a burst: real-time ones keep their count, of the others "
           "none of a kind is lost")
def storm(setting):
    with setting.run("signals") as run:
        run.expect("ready")
        sent = collections.Counter()
        for i in range(1000):
            number = STANDARD[i // 2 % len(STANDARD)] if i % 2 else REAL_TIME[i // 2 % 30]
            run.signal(number)
            sent[int(number)] += 1
        got = collections.Counter(run.signals_until(BARRIER))
        counts = differences([n for n in sent.elements() if n >= 34],
                             [n for n in got.elements() if n >= 34])
        lost = [n for n in sent if not got[n]]
        if counts or lost:
            raise Failed(f"lost kinds {lost}; counts: {counts}")


def probe(run):
    """If the program came to life, ends it by a signal that is delivered after a SIGTERM."""
    if run.out.line() == "ready":
        try:
            run.signal(40)
        except ProcessLookupError:
            pass


@behaviour("signal.before", "a SIGTERM that is pending before the wrapper begins isn't lost")
def before(setting):
    with setting.run("exits", "pause", stage=["--pending", int(signal.SIGTERM)]) as run:
        probe(run)
        run.expect_status(128 + signal.SIGTERM)


@behaviour("signal.while-starting", "nor one that comes while or just after the program is started")
def while_starting(setting):
    rounds = 25
    lost = 0
    for i in range(rounds):
        with setting.run("exits", "pause") as run:
            run.armed()
            end = time.perf_counter() + i * 0.00006  # over the wrapper's fork and exec
            while time.perf_counter() < end:
                pass
            run.signal(signal.SIGTERM)
            probe(run)
            lost += run.status() != 128 + signal.SIGTERM
    if lost:
        raise Failed(f"lost {lost} of {rounds}")


@behaviour("signal.second-term", "further SIGTERMs are passed on too; a slow end is waited for")
def second_term(setting):
    with setting.run("signals") as run:
        run.expect("ready")
        for _ in range(4):
            run.signal(signal.SIGTERM)
            run.expect("got 15")
        run.type("exit 9\n")
        run.expect_status(9)


@behaviour("signal.group", "one to the wrapper's process group reaches the program once")
def group(setting):
    with setting.run("signals") as run:
        run.expect("ready")
        for _ in range(10):
            os.killpg(run.pid, signal.SIGTERM)
            got = run.signals_until(BARRIER)
            if got != [signal.SIGTERM]:
                raise Failed(f"got {got}")


@behaviour("signal.own-sigpipe", "a SIGPIPE of the wrapper's own writes isn't passed on")
def own_sigpipe(setting):
    # A misspelt setting makes go-integcov warn at the start; at the end it says something too.
    with setting.run("signals", stderr="closed", env={"INTEGCOV_STORAG": "x"}) as run:
        run.expect("ready")
        got = run.signals_until(BARRIER)
        if got:
            raise Failed(f"got {got}")
        run.type("exit 0\n")
        run.expect_status(0)


def not_stopped(setting, **kwargs):
    with setting.run("signals", *(str(int(n)) for n in STOPS), **kwargs) as run:
        run.expect("ready")
        child = run.child()
        for number in STOPS:
            run.signal(number)
            for _ in range(2):  # what came with the first may be handled after it
                run.signals_until(BARRIER)
            for pid in (run.pid, child):
                if run.state(pid) in "Tt":
                    raise Failed(f"signal {int(number)} stopped "
                                 + ("the wrapper" if pid == run.pid else "the program"))
        run.type("exit 5\n")
        run.expect_status(5)


@behaviour("signal.tstp-caught", "SIGTSTP and SIGCONT reach a program that catches them")
def tstp_caught(setting):
    with setting.run("signals") as run:
        run.expect("ready")
        for _ in range(3):
            for number in (signal.SIGTSTP, signal.SIGCONT):
                run.signal(number)
                got = run.signals_until(BARRIER)
                if got != [number]:
                    raise Failed(f"got {got} instead of {int(number)}")


@behaviour("signal.ttin-caught", "SIGTTIN and SIGTTOU too")
def ttin_caught(setting):
    one_by_one(setting, (signal.SIGTTIN, signal.SIGTTOU))


@behaviour("signal.tstp-uncaught", "without a terminal SIGTSTP, SIGTTIN and SIGTTOU don't stop a "
           "program that doesn't catch them, nor the wrapper")
def tstp_uncaught(setting):
    not_stopped(setting)


@behaviour("signal.stop-signal", "INTEGCOV_STOP_SIGNAL rewrites SIGTERM")
def stop_signal(setting):
    setting.only_integcov()
    with setting.run("signals", env={"INTEGCOV_STOP_SIGNAL": "SIGINT"}) as run:
        run.expect("ready")
        for number, wanted in ((signal.SIGTERM, 2), (signal.SIGHUP, 1), (signal.SIGINT, 2)):
            run.signal(number)
            got = run.signals_until(BARRIER)
            if got != [wanted]:
                raise Failed(f"{int(number)} came as {got}")


@behaviour("signal.reused-pid", "nothing is sent to a process that took the program's pid anew")
def reused_pid(setting):
    setting.only_integcov()
    if not setting.pid1:
        raise NotApplicable("choosing a pid needs a PID namespace")
    with dumb_server() as server:
        env = {"STORAGE_EMULATOR_HOST": server.address, "INTEGCOV_STORAGE": "gs://bucket",
               "INTEGCOV_UPLOAD_TIMEOUT": "60s"}
        with setting.run("reuses_pid", env=env) as run:
            line = run.say("no pid was reused")
            if line != "reused":
                raise NotApplicable(line or "the daemon ended")
            for number in (signal.SIGHUP, signal.SIGUSR1, signal.SIGTERM, 40):
                run.signal(number)
            until(lambda: not pending(run.pid), "the wrapper doesn't take its signals")
            run.signal(signal.SIGQUIT)
            run.expect_status(6)
            got = run.out.all()
            if got:
                raise Failed(f"another process {got}")
