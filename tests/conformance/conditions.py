"""Waiting for conditions, with deadlines; what /proc says; lines from a pipe."""

import os
import pathlib
import select
import socket
import time

PATIENCE = 10.0  # seconds for a condition that should come true at once


class Failed(Exception):
    """The wrapper does something else than it should; the text says what was seen."""


class NotApplicable(Exception):
    """The behaviour means nothing here; the text says why."""


class Unable(Exception):
    """This machine can't show it; the text says why."""


def until(condition, what, patience=PATIENCE):
    """Waits for a true value of condition() and returns it."""
    end = time.monotonic() + patience
    pause = 0.0005
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise Failed(what)
        time.sleep(pause)
        pause = min(pause * 1.5, 0.02)


def status_of(pid):
    """/proc/PID/status as a dictionary; empty if there is no such process."""
    try:
        text = pathlib.Path(f"/proc/{pid}/status").read_text(errors="replace")
    except OSError:
        return {}
    return dict(line.split(":\t", 1) for line in text.splitlines() if ":\t" in line)


def children_of(pid):
    try:
        text = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text()
    except OSError:
        return []
    return [int(word) for word in text.split()]


def pending(pid):
    """The signals that a process has not taken yet, as a mask."""
    return int(status_of(pid).get("ShdPnd", "0"), 16)


class dumb_server:
    """A server on loopback that takes connections and never answers."""

    def __init__(self):
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.address = "127.0.0.1:{}".format(self.socket.getsockname()[1])
        self.connections = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for connection in self.connections:
            connection.close()
        self.socket.close()

    @property
    def asked(self):
        """Whether somebody has connected."""
        if not self.connections and select.select([self.socket], [], [], 0)[0]:
            self.connections.append(self.socket.accept()[0])
        return bool(self.connections)


class Reader:
    """Lines from a file descriptor, with a deadline."""

    def __init__(self, fd):
        self.fd = fd
        self.rest = b""
        self.ended = False

    def line(self, patience=PATIENCE):
        """The next line; None at the end; raises TimeoutError."""
        end = time.monotonic() + patience
        while b"\n" not in self.rest and not self.ended:
            left = max(0.0, end - time.monotonic())
            if not select.select([self.fd], [], [], left)[0]:
                raise TimeoutError
            try:
                got = os.read(self.fd, 65536)
            except OSError:  # the other side of a terminal is closed
                got = b""
            self.ended = not got
            self.rest += got
        line, found, rest = self.rest.partition(b"\n")
        self.rest = rest
        return line.decode(errors="replace") if found or line else None

    def all(self, patience=PATIENCE):
        lines = []
        while (line := self.line(patience)) is not None:
            lines.append(line)
        return lines
