#!/usr/bin/env python3
"""Writes start_order.ld, the functions of a start in the order of their first use, for layout.ld:
`start_order.py PROGRAM MAP`, PROGRAM the static go-integcov and MAP what its linker wrote with -Map
(build/bin/go-integcov, build/static/src/go-integcov.map).

It runs PROGRAM around a shell one instruction at a time (ptrace(2), x86_64), with two signals and a
SIGTERM, once without storage and once with a bucket, to which nothing is uploaded; that takes a
minute. What changes in the code since then costs a start a page fault or two, nothing else.
docs/decisions/0010 says what it is for."""

import bisect
import ctypes
import os
import pathlib
import platform
import re
import signal
import sys
import tempfile
import time

import defer_relocations

OUT = pathlib.Path(__file__).with_name("start_order.ld")
HEAD = "/* The functions of a start in the order of their first use; written by start_order.py. */\n"
SHELL = "trap : USR1; trap 'exit 0' TERM; while :; do sleep 0.1; done"
COMMAND = ("sh", "-c", SHELL)  # by its name: the search in PATH is part of a start
STORAGES = ({}, {"INTEGCOV_STORAGE": "gs://bucket/folder"})
SIGNALS = (signal.SIGUSR1, signal.SIGUSR1, signal.SIGTERM)
IDLE = 1.5  # seconds without an instruction, after which the next signal is sent
# linux/ptrace.h, sys/reg.h, sys/wait.h
PTRACE_TRACEME, PTRACE_PEEKUSER, PTRACE_SINGLESTEP, PTRACE_DETACH = 0, 3, 9, 17
PTRACE_SETOPTIONS, PTRACE_GETEVENTMSG = 0x4200, 0x4201
PTRACE_O_TRACEVFORK, PTRACE_O_TRACEEXEC, PTRACE_O_EXITKILL = 0x4, 0x10, 0x100000
PTRACE_EVENT_VFORK, PTRACE_EVENT_EXEC = 2, 4
RIP = 16 * 8
WALL = 0x40000000

ptrace = ctypes.CDLL(None).ptrace
ptrace.restype = ctypes.c_long
ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]


class Refused(Exception):
    pass


def start(command, env):
    pid = os.fork()
    if pid == 0:
        try:
            null = os.open("/dev/null", os.O_RDWR)
            for fd in (0, 1, 2):
                os.dup2(null, fd)
            if ptrace(PTRACE_TRACEME, 0, None, None) == 0:
                os.execve(command[0], command, {"PATH": "/usr/bin:/bin", **env})
        finally:
            os._exit(1)
    _, status = os.waitpid(pid, 0)  # stopped before its first instruction
    if not os.WIFSTOPPED(status):
        raise Refused("it can't be run under ptrace(2)")
    ptrace(PTRACE_SETOPTIONS, pid, None,
           PTRACE_O_TRACEVFORK | PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL)
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


def steps_of_child(parent):
    """Of the one that vfork(2) made, which runs in our program's memory until its exec."""
    number = ctypes.c_long()
    ptrace(PTRACE_GETEVENTMSG, parent, None, ctypes.addressof(number))
    child = number.value
    os.waitpid(child, WALL)
    while True:
        ptrace(PTRACE_SINGLESTEP, child, None, None)
        _, status = os.waitpid(child, WALL)
        if not os.WIFSTOPPED(status):
            return
        if status >> 16 == PTRACE_EVENT_EXEC:
            ptrace(PTRACE_DETACH, child, None, None)
            return
        yield ptrace(PTRACE_PEEKUSER, child, RIP, None)


def executed(command, env):
    """The addresses of instructions as in PROGRAM, each once, in the order of their first run: those
    that passing a signal on takes first."""
    pid = start(command, env)
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
        if status >> 16 == PTRACE_EVENT_VFORK:
            for at in steps_of_child(pid):
                if base <= at < end:
                    addresses.setdefault(at - base)
        at = ptrace(PTRACE_PEEKUSER, pid, RIP, None)
        if base <= at < end:
            addresses.setdefault(at - base)
            if len(signals) == 1:  # those before were sent, and SIGTERM is not
                forwarding.setdefault(at - base)


def functions(link_map):
    """(first address, the one behind the last, input section, file), sorted."""
    _, _, memory_map = link_map.partition("\nLinker script and memory map")
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


def order(path, map_path):
    if platform.machine() != "x86_64":
        raise Refused("this is for x86_64")
    program = defer_relocations.Program(path)
    link_map = pathlib.Path(map_path).read_text(encoding="utf-8")
    address, _, size = program.section(".text.start")
    if defer_relocations.output_section(link_map, ".text.start") != (address, size):
        raise Refused(f"{map_path} is the map of another program")
    rows = functions(link_map)
    starts = [row[0] for row in rows]
    patterns = {}
    for storage in STORAGES:
        with tempfile.TemporaryDirectory() as coverdir:
            command = [os.path.realpath(path), *COMMAND]
            addresses = executed(command, {"GOCOVERDIR": coverdir, **storage})
        for address in addresses:
            row = rows[max(bisect.bisect_right(starts, address) - 1, 0)]
            if row[0] <= address < row[1]:
                patterns.setdefault(pattern(row[2], row[3]))
    return patterns


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    try:
        patterns = order(*sys.argv[1:])
    except (OSError, ValueError, Refused) as error:
        sys.exit(f"start_order.py: {sys.argv[1]}: {error}")
    OUT.write_text(HEAD + "".join(one + "\n" for one in patterns), encoding="utf-8")


if __name__ == "__main__":
    main()
