#!/usr/bin/env python3
"""What wrappers cost, side by side in one run: `figures.py [OPTIONS] NAME=WRAPPER…`."""

import argparse
import json
import os
import pathlib
import shlex
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


def latencies(setting, count):
    """(median, p99) in microseconds from kill(2) to the program's sigwaitinfo(2)."""
    with setting.run("latency", str(count)) as run:
        line = run.out.line(patience=120)
        run.expect_status(0)
    values = sorted(int(word) / 1000 for word in line.split())
    return statistics.median(values), values[len(values) * 99 // 100]


def memory(run):
    """RSS, RssAnon and PSS in kB; threads."""
    status = conditions.status_of(run.pid)
    rollup = pathlib.Path(f"/proc/{run.pid}/smaps_rollup").read_text()
    pss = next(line.split()[1] for line in rollup.splitlines() if line.startswith("Pss:"))
    return {"rss_kb": int(status["VmRSS"].split()[0]), "anon_kb": int(status["RssAnon"].split()[0]),
            "pss_kb": int(pss), "threads": int(status["Threads"])}


def idle_figures(settings, seconds):
    """name -> memory, threads and wake-ups of wrappers that idle at the same time."""
    runs = {}
    try:
        for name, setting in settings.items():
            runs[name] = setting.run("signals")
            runs[name].expect("ready")
        time.sleep(min(2.0, seconds))
        before = {name: wakeups(run) for name, run in runs.items()}
        found = {name: memory(run) for name, run in runs.items()}
        time.sleep(seconds)  # this is the measure
        for name, run in runs.items():
            found[name]["wakeups"] = wakeups(run) - before[name]
        return found
    finally:
        for run in runs.values():
            run.__exit__()


def wakeups(run):
    return int(conditions.status_of(run.pid)["voluntary_ctxt_switches"])


def measure(wrappers, programs, rounds=300, signals=2000, idle=20.0):
    """name -> figure -> number, for name -> wrapper command."""
    settings = {name: harness.Setting(command, programs) for name, command in wrappers.items()}
    found = idle_figures(settings, idle)
    for name, setting in settings.items():
        found[name]["latency_us"], found[name]["latency_p99_us"] = latencies(setting, signals)
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
