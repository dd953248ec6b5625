#!/usr/bin/env python3
"""How long go-integcov takes after the app's exit: one covcounters file, covmeta already there.

usage: exit_latency.py GO_INTEGCOV SLEEPER FAKE_GCS_SERVER [ROUNDS]

SLEEPER is tests/programs/sleeper built with -cover. The app's exit is seen by polling its /proc entry
(it becomes a zombie), ours by waitpid. Prints minimum, median and maximum in milliseconds.
"""
import os
import pathlib
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def call(method, url, body=None):
    request = urllib.request.Request(url, data=body, method=method)
    request.add_header("Content-Type", "application/json")
    with urllib.request.urlopen(request, timeout=10) as answer:
        return answer.read()


def child_of(pid):
    for _ in range(2000):
        text = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        if text:
            return int(text[0])
        time.sleep(0.001)
    raise RuntimeError("the app did not start")


def is_gone(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="latin-1") as f:
            return f.read().rpartition(")")[2].split()[0] in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return True


def one_round(wrapper, app, url):
    with tempfile.TemporaryDirectory() as folder:
        env = dict(os.environ, INTEGCOV_STORAGE=f"gs://bucket/{os.path.basename(folder)}",
                   STORAGE_EMULATOR_HOST=url, GOCOVERDIR=folder + "/cov")
        process = subprocess.Popen([wrapper, app], env=env, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL)
        pid = child_of(process.pid)
        prefix = os.path.basename(folder)
        while b"covmeta." not in call("GET", f"{url}/storage/v1/b/bucket/o?prefix={prefix}/covmeta"):
            time.sleep(0.02)
        process.send_signal(signal.SIGTERM)
        while not is_gone(pid):
            pass
        start = time.monotonic()
        process.wait()
        took = time.monotonic() - start
        assert b"covcounters." in call(
            "GET", f"{url}/storage/v1/b/bucket/o?prefix={prefix}/covcounters")
        return took * 1000


def main():
    wrapper, app, server = sys.argv[1:4]
    rounds = int(sys.argv[4]) if len(sys.argv) > 4 else 20
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    fake = subprocess.Popen([server, "-backend=memory", "-scheme=http", "-host=127.0.0.1",
                             f"-port={port}", f"-external-url={url}", "-log-level=error"])
    try:
        for _ in range(500):
            try:
                call("POST", url + "/storage/v1/b?project=test", b'{"name":"bucket"}')
                break
            except OSError:
                time.sleep(0.02)
        times = [one_round(wrapper, app, url) for _ in range(rounds)]
        print(f"exit to exit, {rounds} rounds: min {min(times):.1f} ms, "
              f"median {statistics.median(times):.1f} ms, max {max(times):.1f} ms")
    finally:
        fake.kill()
        fake.wait()


if __name__ == "__main__":
    main()
