#!/usr/bin/env python3
"""How many requests and round trips the end of a run takes, at 20 ms per answer.

usage: round_trips.py GO_INTEGCOV SLEEPER SCRIPTED_GCS [ROUNDS]

SLEEPER is tests/programs/sleeper built with -cover, SCRIPTED_GCS is tests/servers/gcs. The server
answers each request 20 ms late; connections cost nothing, so these are the round trips of requests
alone. Measured is from the app's exit, seen in /proc, to ours.
 (a) one covmeta and one counters file: covmeta goes up at the start, counters at the end.
 (b) 300 more files that lie in GOCOVERDIR at the end.
"""
import json
import os
import pathlib
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

LATENCY_MS = 20


def call(url, body=None):
    request = urllib.request.Request(url, data=body, method="POST" if body else "GET")
    with urllib.request.urlopen(request, timeout=20) as answer:
        return answer.read()


def child_of(pid):
    while True:
        children = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        if children:
            return int(children[0])
        time.sleep(0.001)


def is_gone(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="latin-1") as f:
            return f.read().rpartition(")")[2].split()[0] in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return True


def one_round(wrapper, app, server, files):
    with tempfile.TemporaryDirectory() as folder, \
            subprocess.Popen([server], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as gcs:
        url = json.loads(gcs.stdout.readline())["url"]
        rule = {"match": "* /", "times": -1, "do": "latency", "latencyMs": LATENCY_MS}
        call(url + "/_control/rules", json.dumps([rule]).encode())
        cover = pathlib.Path(folder) / "cov"
        cover.mkdir()
        for n in range(files):
            (cover / f"file{n:03}").write_bytes(os.urandom(20_000))
        env = dict(os.environ, INTEGCOV_STORAGE="gs://bucket/f", STORAGE_EMULATOR_HOST=url,
                   GOCOVERDIR=str(cover))
        process = subprocess.Popen([wrapper, app], env=env, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL)
        pid = child_of(process.pid)
        call(url + "/_control/wait?match=POST%20/upload&done=1")
        process.send_signal(signal.SIGTERM)
        while not is_gone(pid):
            pass
        start = time.monotonic()
        process.wait()
        took = (time.monotonic() - start) * 1000
        log = json.loads(call(url + "/_control/log"))
        stored = len(json.loads(call(url + "/_control/objects")))
        gcs.stdin.close()
    assert stored == files + 2, f"{stored} objects"
    return took, len(log), len({entry["connection"] for entry in log})


def main():
    wrapper, app, server = sys.argv[1:4]
    rounds = int(sys.argv[4]) if len(sys.argv) > 4 else 5
    for name, files in (("(a) covmeta and counters", 0), ("(b) and 300 files", 300)):
        results = [one_round(wrapper, app, server, files) for _ in range(rounds)]
        took = statistics.median(result[0] for result in results)
        print(f"{name}: {results[0][1]} requests on {results[0][2]} connections, exit to exit "
              f"{took:.1f} ms = {took / LATENCY_MS:.1f} round trips (median of {rounds})")


if __name__ == "__main__":
    main()
