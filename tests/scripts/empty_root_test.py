#!/usr/bin/env python3
"""The static binary in a root with nothing else: `empty_root_test.py GO_INTEGCOV PROGRAM SERVER`.

PROGRAM was built with -cover and links nothing, SERVER is tests/servers/gcs. In namespaces of its own
the test answers DNS on port 53. Names, the CA bundle and an nsswitch.conf of another system are
what the root may have.
"""

import fcntl
import json
import os
import pathlib
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import unittest
import urllib.request

BINARY, PROGRAM, SERVER = "", "", ""
NAME = "storage.test"


def raise_loopback():
    get_flags, set_flags, up = 0x8913, 0x8914, 1
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        request = struct.pack("16sh14x", b"lo", 0)
        (flags,) = struct.unpack_from("h", fcntl.ioctl(any_socket, get_flags, request), 16)
        fcntl.ioctl(any_socket, set_flags, struct.pack("16sh14x", b"lo", flags | up))


class Dns(threading.Thread):
    """Says that NAME is 127.0.0.1, and that no other name exists."""

    def __init__(self):
        super().__init__(daemon=True)
        self.asked = set()
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 53))
        self.start()

    def run(self):
        while True:
            query, client = self.socket.recvfrom(512)
            self.socket.sendto(self.answer(query), client)

    def answer(self, query):
        labels, at = [], 12
        while query[at]:
            labels.append(query[at + 1:at + 1 + query[at]].decode())
            at += 1 + query[at]
        (kind,) = struct.unpack_from(">H", query, at + 1)
        name, question = ".".join(labels), query[12:at + 5]
        self.asked.add(name)
        record = b""
        if name == NAME and kind == 1:  # A
            record = struct.pack(">HHHIH4B", 0xC00C, 1, 1, 60, 4, 127, 0, 0, 1)
        flags = 0x8180 if name == NAME else 0x8183
        return query[:2] + struct.pack(">5H", flags, 1, bool(record), 0, 0) + question + record


class EmptyRoot(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        raise_loopback()
        cls.dns = Dns()

    def setUp(self):
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.root = pathlib.Path(holder.name) / "root"
        (self.root / "tmp").mkdir(parents=True)
        shutil.copy(BINARY, self.root / "go-integcov")
        shutil.copy(PROGRAM, self.root / "app")
        self.put("etc/resolv.conf", "nameserver 127.0.0.1\n")
        self.ca = pathlib.Path(holder.name) / "ca.pem"
        server = subprocess.Popen(
            [SERVER, "-tls", "-tls-name", NAME, "-ca-out", self.ca, "-token", "TOKEN"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.addCleanup(server.wait)
        self.addCleanup(server.stdin.close)
        self.addCleanup(server.stdout.close)
        said = json.loads(server.stdout.readline())
        self.plain = said["plain"]
        ports = {key: said[key].rsplit(":", 1)[1] for key in ("address", "plain")}
        self.env = {"PATH": "/", "INTEGCOV_STORAGE": "gs://bucket/f",
                    "INTEGCOV_GCS_ENDPOINT": f"https://{NAME}:{ports['address']}",
                    "GCE_METADATA_HOST": f"{NAME}:{ports['plain']}",
                    "INTEGCOV_UPLOAD_TIMEOUT": "20s"}

    def put(self, path, text):
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, "utf-8")

    def run_it(self, **env):
        self.dns.asked.clear()
        done = subprocess.run(["/go-integcov", "app", "7"], env=self.env | env, timeout=60,
                              preexec_fn=lambda: (os.chroot(self.root), os.chdir("/")),
                              capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 7, done.stderr)
        return done.stderr

    def assert_uploaded(self, **env):
        said = self.run_it(**env)
        with urllib.request.urlopen(f"http://{self.plain}/_control/objects") as answer:
            names = [each["name"] for each in json.load(answer)]
        self.assertEqual(sorted(name.split(".")[0] for name in names),
                         ["f/covcounters", "f/covmeta", "f/integcov", "f/integcov"], said)
        self.assertIn(NAME, self.dns.asked)

    def test_names_and_a_bundle_in_a_well_known_place(self):
        self.put("etc/ssl/certs/ca-certificates.crt", self.ca.read_text("utf-8"))
        self.assert_uploaded()

    def test_a_bundle_that_the_environment_names(self):
        self.put("ca.pem", self.ca.read_text("utf-8"))
        self.assert_uploaded(SSL_CERT_FILE="/ca.pem")

    def test_modules_of_another_libc_are_not_asked(self):
        self.put("ca.pem", self.ca.read_text("utf-8"))
        self.put("etc/nsswitch.conf", "hosts: nosuch [!UNAVAIL=return] resolve\npasswd: nosuch\n")
        self.assert_uploaded(SSL_CERT_FILE="/ca.pem")

    def test_without_a_bundle_the_reason_is_told(self):
        self.assertIn("certificate", self.run_it(INTEGCOV_UPLOAD_TIMEOUT="2s"))


def inside_namespaces(arguments):
    for how in (["-r", "-n", "-m"], ["-n", "-m"]):
        if subprocess.run(["unshare", *how, "true"], capture_output=True, check=False).returncode == 0:
            command = ["unshare", *how, sys.executable, __file__, "--inside", *arguments]
            return subprocess.run(command, check=False).returncode
    print("skipped: network namespaces are not possible here", file=sys.stderr)
    return 77


if __name__ == "__main__":
    if len(sys.argv) not in (4, 5):
        sys.exit("usage: empty_root_test.py GO_INTEGCOV PROGRAM SERVER")
    if sys.argv[1] != "--inside":
        sys.exit(inside_namespaces(sys.argv[1:]))
    BINARY, PROGRAM, SERVER = sys.argv[2:]
    unittest.main(argv=sys.argv[:1])
