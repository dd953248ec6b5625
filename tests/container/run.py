#!/usr/bin/env python3
"""Does the image do in real containers what it should?

run.py --binary GO_INTEGCOV --programs FOLDER --servers FOLDER [--only NAME] [--list] [--check]

Makes the image of the binary with container/build, unless it is there, and runs the cases; one line
each: pass, FAIL with what was seen, skip with the reason. Ends with 1 if one failed, 77 if none
could be tried: podman is missing, or cannot run a container here.
"""

import argparse
import contextlib
import fcntl
import hashlib
import pathlib
import shutil
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True  # nothing of ours in the source folder

import flows
import limits
import processes
import snapshots
from engine import ROOT, Failed, Setting, Unable, call, podman

IMAGE = "localhost/go-integcov"


def cases():
    """name -> function, in the order of the table."""
    return {function.__name__.replace("_", "-"): function
            for module in (processes, limits, snapshots, flows) for function in module.CASES}


def make_image(binary):
    """The image of the binary; the cases of ctest run side by side and share it."""
    for tool in ("podman", "buildah"):
        if not shutil.which(tool):
            raise Unable(f"{tool} is not installed")
    digest = hashlib.sha256(binary.read_bytes()).hexdigest()[:16]
    tag = f"{IMAGE}:test-{digest}"
    lock = pathlib.Path(tempfile.gettempdir()) / "go-integcov-image.lock"
    with lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        if podman("image", "exists", tag, check=False).returncode != 0:
            old = podman("images", "--format", "{{.Repository}}:{{.Tag}}", IMAGE, check=False)
            stale = [name for name in old.stdout.split() if ":test-" in name]
            try:
                call(ROOT / "container/build", "--tag", tag, "--binary", binary)
            except Failed as failed:
                raise Unable(f"the image can't be built here: {failed}") from failed
            for name in stale:
                podman("rmi", name, check=False)
    return tag


def why_not(setting):
    """None, or why no container runs here, however simple it is."""
    setting.leftovers = contextlib.ExitStack()
    with setting.leftovers:
        try:
            container = setting.container("--version", network="none")
            ended = container.ended()
        except Failed as failed:
            return str(failed)
        return None if ended.code == 0 else container.start_error or str(ended)


def try_one(function, setting):
    setting.leftovers = contextlib.ExitStack()
    with setting.leftovers:
        try:
            return "pass", function(setting) or ""
        except Unable as reason:
            return "skip", str(reason)
        except (Failed, OSError, ValueError, KeyError, subprocess.SubprocessError) as error:
            return "FAIL", f"{type(error).__name__}: {error}"


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", type=pathlib.Path, default=ROOT / "build/bin/go-integcov")
    parser.add_argument("--programs", default=ROOT / "build/static/programs/atomic")
    parser.add_argument("--servers", default=ROOT / "build/static/servers")
    parser.add_argument("--only", metavar="NAME")
    parser.add_argument("--list", action="store_true", help="print the names")
    parser.add_argument("--check", action="store_true", help="only: can this machine try them?")
    options = parser.parse_args()
    if options.list:
        print("\n".join(cases()))
        return 0
    chosen = {name: function for name, function in cases().items()
              if options.only in (None, name)}
    if not chosen:
        parser.error(f"no case is called {options.only}")
    try:
        setting = Setting(make_image(options.binary.resolve()), options.programs, options.servers)
    except Unable as reason:
        print(f"skipped: {reason}")
        return 77
    if options.check:
        reason = why_not(setting)
        print(f"skipped: podman can't run a container here: {reason}" if reason else "possible")
        return 77 if reason else 0

    outcomes = []
    for name, function in chosen.items():
        outcome, remark = try_one(function, setting)
        reason = why_not(setting) if outcome == "FAIL" else None
        if reason:
            outcome, remark = "skip", f"podman can't run a container here: {reason}"
        outcomes.append(outcome)
        print(f"{outcome}  {name:22} {remark}".rstrip(), flush=True)
    if "FAIL" in outcomes:
        return 1
    return 0 if "pass" in outcomes else 77


if __name__ == "__main__":
    sys.exit(main())
