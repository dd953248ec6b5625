#!/usr/bin/env python3
"""Snapshots of one program built by each release of Go that can write coverage of programs, in each
way that matters: `go_versions.py SNAPSHOTS_TEST GO`. Go fetches the toolchains that it lacks.
"""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

RELEASES = ["1.20.14", "1.21.13", "1.22.12", "1.23.12", "1.24.13", "1.25.8", "local"]
BUILDS = {
    "atomic": ["-covermode=atomic"],
    "stripped": ["-covermode=atomic", "-ldflags=-s"],
    "pie": ["-covermode=count", "-buildmode=pie"],
    "pie, stripped": ["-covermode=set", "-buildmode=pie", "-ldflags=-s"],
    "all packages": ["-covermode=atomic", "-coverpkg=all"],
    "all packages, pie, stripped": ["-covermode=set", "-coverpkg=all", "-buildmode=pie",
                                    "-ldflags=-s"],
}
PROGRAMS = pathlib.Path(__file__).resolve().parent.parent / "programs"


def main(arguments):
    test, go = arguments
    failed = []
    with tempfile.TemporaryDirectory() as folder:
        source = pathlib.Path(folder) / "source"
        source.mkdir()
        shutil.copy(PROGRAMS / "snapshots" / "main.go", source)
        (source / "go.mod").write_text("module example.com/snapshots\n\ngo 1.20\n")
        binary = str(pathlib.Path(folder) / "snapshots")
        for release in RELEASES:
            toolchain = release if release == "local" else "go" + release
            build_env = dict(os.environ, GOTOOLCHAIN=toolchain, GOFLAGS="-buildvcs=false",
                             CGO_ENABLED="0")
            for name, flags in BUILDS.items():
                title = f"Go {release}, {name}"
                print(title, flush=True)
                subprocess.run([go, "build", "-cover", *flags, "-o", binary, "."], cwd=source,
                               env=build_env, check=True)
                env = dict(os.environ, SNAPSHOTS_PROGRAM=binary)
                if "all" in name:
                    env["SNAPSHOTS_ALL"] = "1"
                run = subprocess.run([test, "--gtest_filter=GivenProgram.*"], env=env,
                                     capture_output=True, text=True)
                if run.returncode != 0:
                    print(run.stdout, run.stderr)
                    failed.append(title)
    print("failed:", failed or "none")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
