"""Exact counts through whatever happens in any order: programs that start, count, write, execute
themselves and end, and runs whose go-integcov is killed alone, so that their programs go on beside
the next run's. Prints a line for each seed; exit status 1 if a count was not exact.

What can't be told apart is left out, as docs/decisions/0008 has it: a kill comes after a second in
which nothing changes, and changes come some milliseconds after each other.

usage: flush_stress.py GO_INTEGCOV DRIVEN GO [SEED…]   (DRIVEN: tests/programs/driven)
"""

import os
import random
import shutil
import subprocess
import sys
import tempfile
import time

SECONDS = 10
MOST_AT_ONCE = 8
PAUSES = [0.005, 0.02, 0.05, 0.1]  # seconds between two changes
WEIGHTS = {"start": 4, "hit": 20, "exec": 2, "end": 3, "end and start": 2, "kill": 0.5}


class Program:
    """A `driven` that reads what to do from a FIFO."""

    def __init__(self, folder, number):
        self.fifo = os.path.join(folder, f"fifo{number}")
        os.mkfifo(self.fifo)
        self.pipe = os.open(self.fifo, os.O_RDWR | os.O_CLOEXEC)  # never without a reader

    def tell(self, line):
        os.write(self.pipe, line.encode() + b"\n")

    def end(self):
        self.tell("quit")  # the FIFO stays open: the program may not have come to open it

    def close(self):
        os.close(self.pipe)


class World:
    def __init__(self, supervisor, driven, folder, rng):
        self.supervisor, self.driven, self.folder, self.rng = supervisor, driven, folder, rng
        self.programs, self.ended, self.truth, self.done = [], [], 0, {}
        self.begin_run()

    def begin_run(self):
        env = dict(os.environ, GOCOVERDIR=f"{self.folder}/cov",
                   INTEGCOV_STORAGE=f"file://{self.folder}/s", INTEGCOV_FLUSH_INTERVAL="50ms",
                   INTEGCOV_LOG_LEVEL="error")
        # A shell that starts what it is told, and ends when all that has ended.
        shell = 'while read -r fifo; do "$0" <"$fifo" >"$fifo.runs" & done; wait'
        self.run = subprocess.Popen([self.supervisor, "bash", "-c", shell, self.driven],
                                    stdin=subprocess.PIPE, env=env)

    def start(self):
        program = Program(self.folder, len(self.programs) + len(self.ended))
        self.programs.append(program)
        self.run.stdin.write(program.fifo.encode() + b"\n")
        self.run.stdin.flush()

    def act(self):
        weights = dict(WEIGHTS)
        if not self.programs:
            weights = {"start": 1}
        elif len(self.programs) >= MOST_AT_ONCE:
            weights["start"] = 0
        what = self.rng.choices(list(weights), weights.values())[0]
        self.done[what] = self.done.get(what, 0) + 1
        if what == "start":
            self.start()
        elif what == "hit":
            times = self.rng.randint(1, 100)
            self.rng.choice(self.programs).tell(f"hit {times}")
            self.truth += times
        elif what == "exec":
            self.rng.choice(self.programs).tell("write\nexec")  # else what it counted is lost
        elif what == "end":
            self.end_one()
        elif what == "end and start":
            self.start()
            self.end_one()
        elif what == "kill":
            self.kill()
        time.sleep(self.rng.choice(PAUSES))

    def end_one(self):
        program = self.programs.pop(self.rng.randrange(len(self.programs)))
        program.end()
        self.ended.append(program)

    def kill(self):
        """Of go-integcov alone: its shell starts nothing more, its programs go on."""
        time.sleep(1)
        for program in self.programs + self.ended:
            while not os.path.exists(program.fifo + ".runs"):
                time.sleep(0.001)
        self.run.kill()
        self.run.wait()
        self.run.stdin.close()
        self.begin_run()

    def finish(self):
        while self.programs:
            self.end_one()
        self.run.stdin.close()
        return self.run.wait()


def hits(go, folder):
    profile = os.path.join(folder, "..", "profile")
    subprocess.run([go, "tool", "covdata", "textfmt", f"-i={folder}", f"-o={profile}"], check=True)
    with open(profile) as lines:
        counts = [int(line.split()[-1]) for line in lines if "/driven/hit.go:" in line]
    return max(counts, default=0)


def nobody_left(driven):
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if subprocess.run(["pgrep", "-f", driven], stdout=subprocess.DEVNULL).returncode != 0:
            return
        time.sleep(0.02)
    sys.exit("a program doesn't end")


def check(supervisor, driven, go, seed):
    rng = random.Random(seed)
    with tempfile.TemporaryDirectory(prefix="integcov-stress.") as folder:
        own = os.path.join(folder, "driven")  # its command line is this world's alone
        shutil.copy(driven, own)
        world = World(supervisor, own, folder, rng)
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            world.act()
        world.finish()
        nobody_left(own)
        for program in world.ended:
            program.close()
        # The next run puts right what was left after the last one.
        world.begin_run()
        world.run.stdin.close()
        world.run.wait()
        stored, kept = hits(go, f"{folder}/s"), hits(go, f"{folder}/cov")
        exact = stored == kept == world.truth
        print(f"seed {seed}: {world.truth} counted, {stored} stored, {kept} kept; {world.done}",
              "exact" if exact else "NOT EXACT", flush=True)
        return exact


def main():
    supervisor, driven, go, *seeds = sys.argv[1:]
    exact = [check(supervisor, driven, go, int(seed)) for seed in seeds or ["1"]]
    print(f"{sum(exact)} of {len(exact)} exact")
    sys.exit(not all(exact))


if __name__ == "__main__":
    main()
