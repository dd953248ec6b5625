#!/usr/bin/env python3
"""The mid-run flush with programs of each release of Go that can write coverage of programs:
`flush_versions.py GO_INTEGCOV GO`. By signal and from memory, in each mode, the counts in storage are
exact while the program runs and at its end. Go fetches the toolchains that it lacks.
"""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

RELEASES = ["1.20.14", "1.21.13", "1.22.12", "1.23.12", "1.24.13", "1.25.8", "local"]
# Name: mode, build flags, how snapshots are taken.
BUILDS = {
    "signal": ("atomic", ["-tags=handler"], "signal"),
    "auto": ("atomic", ["-tags=handler"], "auto"),
    "memory, atomic": ("atomic", [], "memory"),
    "memory, count": ("count", [], "memory"),
    "memory, set": ("set", [], "memory"),
}
ROOT = pathlib.Path(__file__).resolve().parents[2]
PATIENCE = 60


def hits(go, folder):
    """How often the program called its function, by `go tool covdata`."""
    if not list(folder.glob("covcounters.*")):
        return 0
    profile = folder.parent / "profile.txt"
    subprocess.run([go, "tool", "covdata", "textfmt", f"-i={folder}", f"-o={profile}"], check=True)
    return max((int(line.split()[-1]) for line in profile.read_text().splitlines()
                if "/hit.go:" in line), default=0)


def until(condition, what):
    deadline = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"not in time: {what()}")
        time.sleep(0.01)


def check(integcov, go, binary, mode, how):
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        storage = folder / "storage"
        env = dict(os.environ, GOCOVERDIR=str(folder / "coverage"), INTEGCOV_FLUSH=how,
                   INTEGCOV_STORAGE=f"file://{storage}", INTEGCOV_FLUSH_INTERVAL="50ms")
        with subprocess.Popen([integcov, binary], env=env, text=True, bufsize=1,
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE) as run:
            assert run.stdout.readline().startswith("pid ")
            for step in range(1, 6):
                run.stdin.write("hit 2000000\n")
                run.stdin.flush()
                assert run.stdout.readline() == "done\n"
                expected = 1 if mode == "set" else step * 2000000
                until(lambda: hits(go, storage) == expected,
                      lambda: f"{hits(go, storage)} instead of {expected}")
            run.stdin.write("signals\nhit 1\n")
            run.stdin.flush()
            signals = int(run.stdout.readline().split()[1])
            run.stdin.close()
            assert run.wait(PATIENCE) == 0
        assert (signals > 0) == (how != "memory"), f"{signals} signals"
        assert len(list(storage.glob("covcounters.*"))) == 1
        expected = 1 if mode == "set" else 10000001
        assert hits(go, storage) == expected, f"{hits(go, storage)} instead of {expected}"


def main(integcov, go):
    failed = []
    with tempfile.TemporaryDirectory() as temporary:
        source = pathlib.Path(temporary) / "source"
        shutil.copytree(ROOT / "tests/programs/driven", source)
        (source / "go.mod").write_text(
            "module example.com/driven\n\ngo 1.20\n\n"
            "require github.com/go-integcov/go-integcov/src/handler v0.0.0\n\n"
            "replace github.com/go-integcov/go-integcov/src/handler => "
            f"{ROOT / 'src/handler'}\n")
        binary = str(pathlib.Path(temporary) / "driven")
        for release in RELEASES:
            toolchain = release if release == "local" else "go" + release
            build_env = dict(os.environ, GOTOOLCHAIN=toolchain, GOFLAGS="-buildvcs=false",
                             CGO_ENABLED="0")
            for name, (mode, flags, how) in BUILDS.items():
                title = f"Go {release}, {name}"
                print(title, flush=True)
                subprocess.run([go, "build", "-cover", f"-covermode={mode}", *flags, "-o", binary, "."],
                               cwd=source, env=build_env, check=True)
                try:
                    check(integcov, go, binary, mode, how)
                except AssertionError as error:
                    print(error)
                    failed.append(title)
    print("failed:", failed or "none")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
