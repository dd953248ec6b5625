#!/usr/bin/env python3
"""Runs the suite and the figures on go-integcov, tini, dumb-init and catatonit side by side and
writes docs/conformance.md: `table.py GO_INTEGCOV [--programs DIR] [--out FILE]`. As root, with the
Debian packages of those names."""

import argparse
import pathlib
import platform
import shutil
import subprocess
import sys

sys.dont_write_bytecode = True  # nothing of ours in the source folder

import figures
import harness
import run

ROOT = pathlib.Path(__file__).parents[2]
PEERS = {"tini": ["-s", "--"], "dumb-init": ["--"], "catatonit": ["--"]}
OURS = "go-integcov"

HEAD = """# Conformance

Does a wrapper run a program as if it weren't there, and well as PID 1? Written by
`tests/conformance/table.py`, which puts each wrapper around the tiny programs in
`tests/conformance/programs`, as a normal process and as PID 1 of a PID namespace. ctest holds
go-integcov to it (`conformance.process`, `conformance.pid1`). For one wrapper, with what was seen:

    tests/conformance/run.py --pid1 --programs build/static/tests/conformance/programs tini -s --

"""

FIGURES = (("start overhead", "start_us", "µs"), ("the wrapper alone (`--version`)", "alone_us", "µs"),
           ("forwarding a signal, median", "latency_us", "µs"), ("the same, p99", "latency_p99_us", "µs"),
           ("RSS", "rss_kb", "kB"), ("RssAnon", "anon_kb", "kB"), ("PSS", "pss_kb", "kB"),
           ("threads", "threads", ""), ("wake-ups in 20 idle seconds", "wakeups", ""))


def version_of(command):
    if shutil.which("dpkg-query"):
        done = subprocess.run(["dpkg-query", "-W", "-f=${Version}", command], capture_output=True,
                              text=True, check=False)
        if done.returncode == 0:
            return f"{command} {done.stdout}"
    done = subprocess.run([command, "--version"], capture_output=True, text=True, check=False)
    return (done.stdout or done.stderr).strip()


def mark(outcome):
    return {"pass": "y", "fail": "**n**", "n.a.": "–"}[outcome[0]]


def conformance(wrappers, programs, jobs):
    """(name, mode) -> behaviour -> (outcome, what was seen)"""
    results = {}
    for name, command in wrappers.items():
        for pid1 in (False, True):
            setting = harness.Setting(command, programs, pid1, name == OURS)
            print(f"{name}, {'PID 1' if pid1 else 'process'}", file=sys.stderr)
            results[name, pid1] = run.run_all(setting, jobs=jobs)
            for behaviour, (outcome, seen) in results[name, pid1].items():
                if outcome == "fail":
                    print(f"  FAIL {behaviour}: {seen}", file=sys.stderr)
    return results


def conformance_table(results, names):
    lines = ["| behaviour | | " + " | ".join(names) + " |", "|---|---|" + "---|" * len(names)]
    for behaviour, function in run.behaviours().items():
        if all(results[name, pid1][behaviour][0] == "n.a." for name in names if name != OURS
               for pid1 in (False, True)):
            continue
        cells = [f"{mark(results[name, False][behaviour])} {mark(results[name, True][behaviour])}"
                 for name in names]
        lines.append(f"| {behaviour} | {function.meaning} | {' | '.join(cells)} |")
    return lines


def own_table(results):
    lines = ["| behaviour | | |", "|---|---|---|"]
    for behaviour, function in run.behaviours().items():
        others = [results[key][behaviour][0] for key in results if key[0] != OURS]
        if all(outcome == "n.a." for outcome in others):
            both = [mark(results[OURS, pid1][behaviour]) for pid1 in (False, True)]
            lines.append(f"| {behaviour} | {function.meaning} | {' '.join(both)} |")
    return lines


def figures_table(found, names):
    """Absolute numbers; for the others beside ours, how many times ours is theirs."""
    lines = ["| | " + " | ".join(names) + " |", "|---|" + "---|" * len(names)]
    for title, key, unit in FIGURES:
        cells = []
        for name in names:
            value, ours = found[name][key], found[OURS][key]
            cell = f"{value:.0f} {unit}".strip()
            if name != OURS and value and key not in ("threads", "wakeups"):
                cell += f" ({ours / value:.1f}×)"
            cells.append(cell)
        lines.append(f"| {title} | {' | '.join(cells)} |")
    return lines


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("go_integcov")
    parser.add_argument("--programs", default=ROOT / "build/static/tests/conformance/programs")
    parser.add_argument("--out", default=ROOT / "docs/conformance.md")
    parser.add_argument("--jobs", type=int, default=3)
    args = parser.parse_args()
    programs = pathlib.Path(args.programs).absolute()
    wrappers = {OURS: [str(pathlib.Path(args.go_integcov).absolute())]}
    for name, options in PEERS.items():
        if not shutil.which(name):
            sys.exit(f"table.py: {name} is not installed")
        wrappers[name] = [shutil.which(name), *options]
    if reason := run.why_not(harness.Setting([], programs, pid1=True)):
        sys.exit(f"table.py: {reason}")

    names = list(wrappers)
    results = conformance(wrappers, programs, args.jobs)
    print("figures", file=sys.stderr)
    found = figures.measure(wrappers, programs)
    versions = [version_of(args.go_integcov), *(version_of(name) for name in PEERS)]
    counts = []
    for name in names:
        outcomes = [o for pid1 in (False, True) for o, _ in results[name, pid1].values()]
        counts.append(f"{name} {outcomes.count('pass')} of "
                      f"{outcomes.count('pass') + outcomes.count('fail')}")
    text = HEAD + "\n".join([
        f"Versions: {', '.join(versions)}; Linux {platform.release().split('-')[0]}. tini runs with "
        "`-s`, the others without options. In a cell: as a normal process, as PID 1; y passes, "
        "**n** fails, – means nothing there.", "",
        f"Passed: {'; '.join(counts)}.", "",
        "## Beside others", "", *conformance_table(results, names), "",
        "## go-integcov only", "", *own_table(results), "",
        "## What it costs", "",
        "All in one run, taking turns: start overhead is the median of 300 starts of a program that "
        "ends at once, less the program's own time; forwarding is the time from a program's kill(2) "
        "to its own sigwaitinfo(2), 2000 times; memory and wake-ups are of idle wrappers, memory "
        "the median of 9. Each wrapper is a fresh copy. In brackets: how many times theirs "
        "go-integcov's is.", "",
        *figures_table(found, names), "",
        "The build that was measured is the static one. libcurl and OpenSSL are initialised at the "
        "first upload only ([how](decisions/0010-what-the-static-binary-costs.md)).", ""])
    pathlib.Path(args.out).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
