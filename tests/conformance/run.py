#!/usr/bin/env python3
"""Does a wrapper run a program as if it weren't there, and well as PID 1?

run.py [OPTIONS] WRAPPER [ITS OPTIONS], for example `run.py --pid1 tini -s --`. One line per
behaviour: pass, FAIL with what was seen, n.a. with the reason. Ends with 1 if one failed, 77 if
none could be tried.
"""

import argparse
import concurrent.futures
import json
import pathlib
import shutil
import subprocess
import sys

sys.dont_write_bytecode = True  # nothing of ours in the source folder

import conditions
import harness
from behaviours import child, exits, quiet, reaping, robust, signals, terminal, uploads

MODULES = (exits, signals, child, reaping, terminal, quiet, robust, uploads)


def behaviours():
    """name -> function, in the order of the table."""
    found = {}
    for module in MODULES:
        for function in vars(module).values():
            name = getattr(function, "behaviour", None)
            if name:
                found[name] = function
    return found


def try_one(function, setting):
    """(outcome, what was seen)"""
    try:
        return "pass", function(setting) or ""
    except conditions.Failed as failed:
        return "fail", str(failed)
    except conditions.NotApplicable as reason:
        return "n.a.", str(reason)
    except conditions.Unable as reason:
        return "n.a.", f"not possible on this machine: {reason}"
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        return "fail", f"{type(error).__name__}: {error}"


def why_not(setting):
    """None, or why this machine can't run the whole suite in this mode."""
    try:
        with harness.Run(harness.Setting([], setting.programs, setting.pid1),
                         [setting.program("exits"), "code", "0"]) as run:
            run.expect_status(0)
        return None
    except conditions.Unable as reason:
        return str(reason)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument("--process", action="store_true", help="as a normal process (the default)")
    mode.add_argument("--pid1", action="store_true", help="as PID 1 of a PID namespace")
    parser.add_argument("--integcov", action="store_true", help="the wrapper is go-integcov")
    parser.add_argument("--only", action="append", default=[], metavar="NAME",
                        help="only names that begin like this")
    parser.add_argument("--skip", action="append", default=[], metavar="NAME")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--list", action="store_true", help="the behaviours and what they mean")
    parser.add_argument("--idle", type=float, default=20.0, metavar="SECONDS")
    parser.add_argument("--jobs", type=int, default=4)
    parser.add_argument("--programs", default=pathlib.Path(__file__).parents[2]
                        / "build/static/tests/conformance/programs",
                        help="the folder with the built helper programs")
    parser.add_argument("wrapper", nargs=argparse.REMAINDER)
    return parser.parse_args()


def run_all(setting, only=(), skip=(), jobs=4, each=lambda *_: None):
    """name -> (outcome, what was seen); `each` is told as soon as the order allows."""
    chosen = {name: function for name, function in behaviours().items()
              if name not in skip and (not only or name.startswith(tuple(only)))}
    results = {}
    with concurrent.futures.ThreadPoolExecutor(jobs + 2) as pool:
        # What takes long, because it measures for a while, begins first.
        order = sorted(chosen, key=lambda name: not getattr(chosen[name], "slow", False))
        futures = {name: pool.submit(try_one, chosen[name], setting) for name in order}
        for name in chosen:
            results[name] = futures[name].result()
            each(name, *results[name])
    return results


def main():
    args = arguments()
    if args.list:
        for name, function in behaviours().items():
            print(f"{name:28} {function.meaning}")
        return 0
    if not args.wrapper or not shutil.which(args.wrapper[0]):
        print(f"run.py: no such wrapper: {args.wrapper}", file=sys.stderr)
        return 2
    wrapper = [str(pathlib.Path(shutil.which(args.wrapper[0])).absolute()), *args.wrapper[1:]]
    setting = harness.Setting(wrapper, pathlib.Path(args.programs).absolute(), args.pid1,
                              args.integcov, args.idle)
    if reason := why_not(setting):
        print(f"skipped: PID namespaces are not possible here ({reason}); "
              "they need root or user namespaces")
        return 77

    def each(name, outcome, seen):
        if not args.json:
            word = "FAIL" if outcome == "fail" else outcome
            print(f"{word:5} {name}{': ' + seen if seen else ''}", flush=True)

    results = run_all(setting, args.only, args.skip, args.jobs, each)
    if args.json:
        json.dump({name: {"outcome": outcome, "seen": seen}
                   for name, (outcome, seen) in results.items()}, sys.stdout, indent=1)
        print()
    else:
        counts = [sum(o == kind for o, _ in results.values()) for kind in ("pass", "fail", "n.a.")]
        print("{} passed, {} failed, {} not applicable".format(*counts))
    return 1 if any(outcome == "fail" for outcome, _ in results.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
