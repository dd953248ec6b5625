#!/usr/bin/env python3
"""What wrappers cost, side by side in one run: `figures.py [OPTIONS] NAME=WRAPPER…`."""

import argparse
import contextlib
import json
import os
import pathlib
import shlex
import shutil
import statistics
import sys
import tempfile
import time

sys.dont_write_bytecode = True  # nothing of ours in the source folder

import conditions
import harness


def start_overheads(settings, rounds):
    """name -> (median microseconds that a wrapper adds to starting and awaiting a program that ends
    at once, the same for the wrapper alone with --version). The wrappers take turns, so that all
    see the same machine."""
    bare = harness.Setting([], settings["none"].programs)
    program = [bare.program("exits"), "code", "0"]
    times = {name: [] for name in settings}
    alone = {name: [] for name in settings}

    def took(command, env, quiet):
        begin = time.perf_counter_ns()
        pid = os.posix_spawn(command[0], command, env, file_actions=quiet)
        os.waitpid(pid, 0)
        return (time.perf_counter_ns() - begin) / 1000

    with tempfile.TemporaryDirectory(prefix="conformance-") as folder:
        env = {"PATH": "/usr/bin:/bin", "GOCOVERDIR": folder}
        null = os.open("/dev/null", os.O_RDWR)
        quiet = [(os.POSIX_SPAWN_DUP2, null, fd) for fd in (0, 1, 2)]
        for i in range(rounds + 10):
            for name, setting in settings.items():
                whole = took([*setting.wrapper, *program], env, quiet)
                own = took([*setting.wrapper[:1], "--version"] if setting.wrapper else program,
                           env, quiet)
                if i >= 10:
                    times[name].append(whole)
                    alone[name].append(own)
        os.close(null)
    without = statistics.median(times["none"])
    return {name: (statistics.median(times[name]) - without, statistics.median(alone[name]))
            for name in settings if name != "none"}


def latencies(settings, count, turns=5):
    """name -> (median, p99) in microseconds from kill(2) to the program's sigwaitinfo(2)."""
    values = {name: [] for name in settings}
    for _ in range(turns):
        for name, setting in settings.items():
            with setting.run("latency", str(count // turns)) as run:
                line = run.out.line(patience=120)
                run.expect_status(0)
            values[name] += [int(word) / 1000 for word in line.split()]
    return {name: (statistics.median(those), sorted(those)[len(those) * 99 // 100])
            for name, those in values.items()}


def memory(run):
    """RSS, RssAnon and PSS in kB; threads."""
    status = conditions.status_of(run.pid)
    rollup = pathlib.Path(f"/proc/{run.pid}/smaps_rollup").read_text()
    pss = next(line.split()[1] for line in rollup.splitlines() if line.startswith("Pss:"))
    return {"rss_kb": int(status["VmRSS"].split()[0]), "anon_kb": int(status["RssAnon"].split()[0]),
            "pss_kb": int(pss), "threads": int(status["Threads"])}


def idle_figures(settings, seconds, samples=9):
    """name -> memory, threads and wake-ups of wrappers that idle at the same time; memory is the
    median of several, for where the kernel puts the stack and the heap is a page more or less."""
    memories = {name: [] for name in settings}
    for _ in range(samples - 1):
        with idling(settings) as runs:
            for name, run in runs.items():
                memories[name].append(memory(run))
    with idling(settings) as runs:
        before = {name: wakeups(run) for name, run in runs.items()}
        for name, run in runs.items():
            memories[name].append(memory(run))
        time.sleep(seconds)  # this is the measure
        return {name: {**medians(memories[name]), "wakeups": wakeups(run) - before[name]}
                for name, run in runs.items()}


@contextlib.contextmanager
def idling(settings):
    """name -> a wrapper that has been running for so long that nothing of its start is left to do."""
    runs = {}
    try:
        for name, setting in settings.items():
            runs[name] = setting.run("signals")
            runs[name].expect("ready")
        time.sleep(2.0)
        yield runs
    finally:
        for run in runs.values():
            run.__exit__()


def medians(dicts):
    return {key: statistics.median(one[key] for one in dicts) for key in dicts[0]}


def wakeups(run):
    return int(conditions.status_of(run.pid)["voluntary_ctxt_switches"])


@contextlib.contextmanager
def installed(wrappers):
    """The same with fresh copies: how the kernel holds a file in memory, and so how much of it is
    mapped at once, depends on how it came there; a linker writes otherwise than an installation."""
    with tempfile.TemporaryDirectory(prefix="conformance-") as folder:
        copies = {}
        for name, command in wrappers.items():
            program = shutil.which(command[0])
            if not program:
                sys.exit(f"figures.py: there is no {command[0]}")
            own = pathlib.Path(folder, name)
            own.mkdir()
            copies[name] = [shutil.copy(program, own), *command[1:]]
        yield copies


def measure(wrappers, programs, rounds=300, signals=2000, idle=20.0):
    """name -> figure -> number, for name -> wrapper command."""
    with installed(wrappers) as commands:
        return measure_installed(commands, programs, rounds, signals, idle)


def measure_installed(wrappers, programs, rounds, signals, idle):
    settings = {name: harness.Setting(command, programs) for name, command in wrappers.items()}
    found = idle_figures(settings, idle)
    for name, latency in latencies(settings, max(signals, 5)).items():
        found[name]["latency_us"], found[name]["latency_p99_us"] = latency
    bare = {"none": harness.Setting([], programs)}
    for name, overhead in start_overheads({**bare, **settings}, rounds).items():
        found[name]["start_us"], found[name]["alone_us"] = overhead
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--programs", required=True)
    parser.add_argument("--rounds", type=int, default=300)
    parser.add_argument("--signals", type=int, default=2000)
    parser.add_argument("--idle", type=float, default=20.0)
    parser.add_argument("wrapper", nargs="+", help="for example tini='/usr/bin/tini -s --'")
    args = parser.parse_args()
    wrappers = {}
    for word in args.wrapper:
        name, _, command = word.partition("=")
        wrappers[name] = shlex.split(command)
    json.dump(measure(wrappers, pathlib.Path(args.programs).absolute(), args.rounds, args.signals,
                      args.idle), sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main()
