#!/usr/bin/env python3
"""Writes start_order.ld, the functions of a start in the order of their first use, for layout.ld:
`start_order.py PROGRAM MAP`, PROGRAM the static go-integcov and MAP what its linker wrote with -Map
(build/bin/go-integcov, build/static/src/go-integcov.map).

It runs PROGRAM around a shell one instruction at a time (ptrace(2), x86_64), with two signals and a
SIGTERM, and without storage; that takes half a minute. What changes in the code since then costs a
start a page fault or two, nothing else. docs/decisions/0010 says what it is for."""

import bisect
import ctypes
import os
import pathlib
import re
import signal
import sys
import tempfile
import time

OUT = pathlib.Path(__file__).with_name("start_order.ld")
HEAD = "/* The functions of a start in the order of their first use; written by start_order.py. */\n"
SHELL = "trap : USR1; trap 'exit 0' TERM; while :; do sleep 0.1; done"
SIGNALS = (signal.SIGUSR1, signal.SIGUSR1, signal.SIGTERM)
IDLE = 1.5  # seconds without an instruction, after which the next signal is sent
# linux/ptrace.h, sys/reg.h
PTRACE_TRACEME, PTRACE_PEEKUSER, PTRACE_SINGLESTEP = 0, 3, 9
RIP = 16 * 8

ptrace = ctypes.CDLL(None).ptrace
ptrace.restype = ctypes.c_long
ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]


def start(command, coverdir):
    pid = os.fork()
    if pid == 0:
        null = os.open("/dev/null", os.O_RDWR)
        for fd in (0, 1, 2):
            os.dup2(null, fd)
        ptrace(PTRACE_TRACEME, 0, None, None)
        os.execve(command[0], command, {"PATH": "/usr/bin:/bin", "GOCOVERDIR": coverdir})
    os.waitpid(pid, 0)  # stopped before its first instruction
    return pid


def await_step(pid, signals):
    idle_since = time.monotonic()
    while True:
        stopped, status = os.waitpid(pid, os.WNOHANG)
        if stopped:
            return status
        idle = time.monotonic() - idle_since
        if idle > IDLE and signals:
            os.kill(pid, signals.pop(0))
            idle_since = time.monotonic()
        elif idle > 0.01:
            time.sleep(0.01)


def executed(command, coverdir):
    """The addresses of instructions as in PROGRAM, each once, in the order of their first run: those
    that passing a signal on takes first."""
    pid = start(command, coverdir)
    mapped = [line.split()[0].split("-") for line in open(f"/proc/{pid}/maps", encoding="utf-8")
              if command[0] in line]
    base, end = int(mapped[0][0], 16), int(mapped[-1][1], 16)
    addresses, forwarding, signals, passed_on = {}, {}, list(SIGNALS), 0
    while True:
        ptrace(PTRACE_SINGLESTEP, pid, None, passed_on)
        status = await_step(pid, signals)
        if not os.WIFSTOPPED(status):
            return list(forwarding | addresses)
        passed_on = 0 if os.WSTOPSIG(status) == signal.SIGTRAP else os.WSTOPSIG(status)
        at = ptrace(PTRACE_PEEKUSER, pid, RIP, None)
        if base <= at < end:
            addresses.setdefault(at - base)
            if len(signals) == 1:  # those before were sent, and SIGTERM is not
                forwarding.setdefault(at - base)


def functions(link_map):
    """(first address, the one behind the last, input section, file), sorted."""
    memory_map = link_map[link_map.index("\nLinker script and memory map"):]
    # The place of a section with a long name is in the line below.
    row = r"^ (\.text\S*)\s+0x(\w+)\s+0x(\w+) (\S+)$"
    found = [(int(at, 16), int(at, 16) + int(size, 16), name, file)
             for name, at, size, file in re.findall(row, memory_map, re.MULTILINE)]
    return sorted(row for row in found if row[0] > 0 and row[1] > row[0])


def pattern(section, file):
    """For the linker: a section that is named after its function, else all of an object's code."""
    if section.count(".") > 1 and "/libc.a(" not in file:
        return f"*({section})"
    archive, member = re.fullmatch(r".*/([^(/]*)(?:\((.*)\))?", file).groups()
    return f"*{archive}:{member}(.text*)" if member else f"*{archive}({section})"


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    program = os.path.realpath(sys.argv[1])
    rows = functions(pathlib.Path(sys.argv[2]).read_text(encoding="utf-8"))
    starts = [row[0] for row in rows]
    with tempfile.TemporaryDirectory() as coverdir:
        addresses = executed([program, "/bin/sh", "-c", SHELL], coverdir)
    patterns = {}
    for address in addresses:
        row = rows[max(bisect.bisect_right(starts, address) - 1, 0)]
        if row[0] <= address < row[1]:
            patterns.setdefault(pattern(row[2], row[3]))
    if not any("main.cc.o" in one or "startup.main" in one for one in patterns):
        sys.exit(f"start_order.py: {sys.argv[2]} is not the map of {program}")
    OUT.write_text(HEAD + "".join(one + "\n" for one in patterns), encoding="utf-8")


if __name__ == "__main__":
    main()
