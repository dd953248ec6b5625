#!/usr/bin/env python3
"""How long the end of a run takes over TLS and a link with a real round-trip time.

usage: slow_link.py GO_INTEGCOV SLEEPER SCRIPTED_GCS [--rtt MS] [--rounds N] [--only WORD]
                    [--beside ANOTHER_GO_INTEGCOV]

SLEEPER is tests/programs/sleeper built without -cover: it leaves one file of each kind, of known
size. SCRIPTED_GCS is tests/servers/gcs. Needs root:
client and server get a network namespace each, and a relay in between delays each packet by half of
the round-trip time. Handshakes and slow start cost what they cost on such a network; a proxy in user
space would hide them. Measured is from the app's exit, seen in /proc, to ours.
 (a) 1 MB of covmeta at the start, then nothing for 5 seconds, then SIGTERM and 50 KB of counters,
     with an app that ends at once or after LINGER, with congestion control BBR (goes on after an idle
     time where it was) and CUBIC (begins with ten packets again).
 (b) 300 files of 20 KB that lie in GOCOVERDIR at the end.
"""
import argparse
import collections
import contextlib
import ctypes
import fcntl
import json
import os
import pathlib
import select
import signal
import statistics
import struct
import subprocess
import sys
import tempfile
import time
import urllib.request

from round_trips import child_of, is_gone

CLIENT, SERVER = "10.77.0.1", "10.77.0.2"
IDLE_SECONDS = 5
LIBC = ctypes.CDLL(None, use_errno=True)


def ip(*words):
    subprocess.run(["ip", *words], check=True)


class Link:
    """Two network namespaces and a relay between them."""

    def __init__(self, rtt_ms):
        self.names = [f"integcov-{os.getpid()}-{side}" for side in ("client", "server")]
        self.home = os.open("/proc/self/ns/net", os.O_RDONLY)
        tuns = []
        for name, own, other in zip(self.names, (CLIENT, SERVER), (SERVER, CLIENT)):
            ip("netns", "add", name)
            with self.inside(name):
                tuns.append(open_tun())
                for words in (("addr", "add", own, "peer", other, "dev", "tun0"),
                              ("link", "set", "lo", "up"),
                              ("link", "set", "tun0", "mtu", "1500", "txqueuelen", "10000", "up")):
                    ip(*words)
        self.relay = os.fork()
        if self.relay == 0:
            relay(tuns, rtt_ms / 2000)
        for tun in tuns:
            os.close(tun)

    @contextlib.contextmanager
    def inside(self, name):
        fd = os.open(f"/run/netns/{name}", os.O_RDONLY)
        try:
            set_namespace(fd)
            yield
        finally:
            set_namespace(self.home)
            os.close(fd)

    def client(self):
        return self.inside(self.names[0])

    def server(self):
        return self.inside(self.names[1])

    def use_congestion_control(self, name):
        """A lock in the route: setsockopt(TCP_CONGESTION) of a program changes nothing."""
        with self.client():
            ip("route", "replace", SERVER, "dev", "tun0", "src", CLIENT, "congctl", "lock", name)

    def close(self):
        os.kill(self.relay, signal.SIGKILL)
        os.waitpid(self.relay, 0)
        for name in self.names:
            ip("netns", "del", name)


def set_namespace(fd):
    if LIBC.setns(fd, 0x40000000) != 0:  # CLONE_NEWNET
        raise OSError(ctypes.get_errno(), "setns")


def open_tun():
    fd = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
    fcntl.ioctl(fd, 0x400454CA, struct.pack("16sH22x", b"tun0", 0x1001))  # TUNSETIFF: TUN, NO_PI
    return fd


def relay(tuns, delay):
    """Never returns: passes packets on, each after the delay."""
    with contextlib.suppress(PermissionError):
        os.nice(-15)
    waiting = {tun: collections.deque() for tun in tuns}  # by destination: (due, packet)
    other = {tuns[0]: tuns[1], tuns[1]: tuns[0]}
    while True:
        dues = [queue[0][0] for queue in waiting.values() if queue]
        timeout = max(0.0, min(dues) - time.monotonic()) if dues else None
        for tun in select.select(tuns, [], [], timeout)[0]:
            with contextlib.suppress(BlockingIOError):
                for _ in range(64):
                    packet = os.read(tun, 2048)
                    waiting[other[tun]].append((time.monotonic() + delay, packet))
        now = time.monotonic()
        for tun, queue in waiting.items():
            while queue and queue[0][0] <= now:
                with contextlib.suppress(BlockingIOError, OSError):
                    os.write(tun, queue[0][1])
                queue.popleft()


def call(link, url, body=None):
    with link.server():
        request = urllib.request.Request(url, data=body, method="POST" if body else "GET")
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.read()


def one_round(link, wrapper, server, app, files, idle):
    with tempfile.TemporaryDirectory() as folder:
        ca = str(pathlib.Path(folder) / "ca.pem")
        with link.server():
            gcs = subprocess.Popen([server, "-listen", SERVER + ":0", "-tls", "-ca-out", ca,
                                    "-token", "secret"],
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        address = json.loads(gcs.stdout.readline())
        control = "http://" + address["plain"]
        cover = pathlib.Path(folder) / "cov"
        cover.mkdir()
        for n in range(files):
            (cover / f"file{n:03}").write_bytes(os.urandom(20_000))
        env = dict(os.environ, INTEGCOV_STORAGE="gs://bucket/f", GOCOVERDIR=str(cover),
                   INTEGCOV_GCS_ENDPOINT=address["url"], SSL_CERT_FILE=ca, NO_PROXY="*",
                   GCE_METADATA_HOST=address["plain"])
        with link.client():
            process = subprocess.Popen([wrapper, *app], env=env, stdout=subprocess.DEVNULL,
                                       stderr=subprocess.DEVNULL)
        pid = child_of(process.pid)
        call(link, control + "/_control/wait?match=POST%20/upload&done=1&timeout=30s")
        time.sleep(idle)
        before = len(json.loads(call(link, control + "/_control/log")))
        process.send_signal(signal.SIGTERM)
        while not is_gone(pid):
            time.sleep(0.0001)
        start = time.monotonic()
        process.wait()
        took = (time.monotonic() - start) * 1000
        log = json.loads(call(link, control + "/_control/log"))[before:]
        stored = len(json.loads(call(link, control + "/_control/objects")))
        gcs.stdin.close()
        gcs.wait()
    assert stored == files + 2, f"{stored} objects"
    return took, len(log), len({entry["connection"] for entry in log})


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("wrapper")
    parser.add_argument("app")
    parser.add_argument("server")
    parser.add_argument("--rtt", type=float, default=20)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", default="")
    parser.add_argument("--beside")
    args = parser.parse_args()

    def app(linger):
        return [args.app, "-covmeta", "1000000", "-counters", "50000", "-linger", linger]

    cases = [(f"(a) {control}, the app ends {linger} after SIGTERM", control, app(linger), 0,
              IDLE_SECONDS) for linger in ("0ms", "70ms", "250ms") for control in ("bbr", "cubic")]
    cases += [(f"(b) {control}, 300 files", control, app("0ms"), 300, 0)
              for control in ("bbr", "cubic")]
    cases = [case for case in cases if args.only in case[0]]
    link = Link(args.rtt)
    try:
        results = collections.defaultdict(list)
        for _ in range(args.rounds):
            for name, control, words, files, idle in cases:
                link.use_congestion_control(control)
                for wrapper in filter(None, (args.wrapper, args.beside)):
                    results[f"{wrapper} {name}"].append(
                        one_round(link, wrapper, args.server, words, files, idle))
    finally:
        link.close()
    for name, rounds in results.items():
        took = statistics.median(round[0] for round in rounds)
        print(f"{name}: exit to exit {took:.1f} ms = {took / args.rtt:.1f} round trips (median of "
              f"{len(rounds)}); since SIGTERM {rounds[-1][1]} requests on {rounds[-1][2]} connections")


if __name__ == "__main__":
    sys.exit(main())
