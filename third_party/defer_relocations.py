#!/usr/bin/env python3
"""Takes the relocations of OpenSSL's and libcurl's tables out of those that the C library does before
main: `defer_relocations.py PROGRAM MAP`. The program does them at the first upload
(src/app/deferred_relocations.h); docs/decisions/0010 says why.

PROGRAM is a static PIE that is changed in place, MAP what its linker wrote with -Map. Packed
relative relocations alone are understood (DT_RELR, generic ABI, "Relative Relocation Table"): those
of the tables go from there to the section .deferred_relr, which the program keeps for them.
"""

import pathlib
import re
import struct
import sys

ARCHIVES = ("libcrypto.a", "libssl.a", "libcurl.a")
SECTION = ".data"  # with .rel, .rel.ro, .rel.local, …
RELRO = ".data.rel.ro"
ROOM = ".deferred_relr"
DT_RELRSZ, DT_RELR = 35, 36
PT_LOAD, PT_DYNAMIC = 1, 2
WORD, BITS = 8, 63


def decode(words):
    addresses, at = [], 0
    for word in words:
        if word & 1:
            addresses += [at + bit * WORD for bit in range(BITS) if word >> (bit + 1) & 1]
            at += BITS * WORD
        else:
            addresses.append(word)
            at = word + WORD
    return addresses


def encode(addresses):
    words, i = [], 0
    while i < len(addresses):
        at = addresses[i] + WORD
        words.append(addresses[i])
        i += 1
        while True:
            bitmap = 0
            while i < len(addresses) and addresses[i] < at + BITS * WORD:
                bitmap |= 2 << (addresses[i] - at) // WORD
                i += 1
            if not bitmap:
                break
            words.append(bitmap | 1)
            at += BITS * WORD
    return words


def ranges(link_map):
    """Of the archives' tables: (first address, the one behind the last)."""
    archives = "|".join(map(re.escape, ARCHIVES))
    # The place of a section with a long name is in the line below.
    row = rf"^ {re.escape(SECTION)}\S*\s+0x(\w+)\s+0x(\w+) \S*/(?:{archives})\("
    found = [(int(at, 16), int(size, 16)) for at, size in re.findall(row, link_map, re.MULTILINE)]
    return [(at, at + size) for at, size in found if at > 0]


def output_section(link_map, name):
    """Where the linker put it, and its size."""
    found = re.search(rf"^{re.escape(name)}\s+0x(\w+)\s+0x(\w+)$", link_map, re.MULTILINE)
    return (int(found[1], 16), int(found[2], 16)) if found else None


class Program:
    def __init__(self, path):
        self.path = pathlib.Path(path)
        self.bytes = bytearray(self.path.read_bytes())
        if self.bytes[:6] != b"\x7fELF\x02\x01":
            raise ValueError("no little-endian ELF64 file")
        offset, = struct.unpack_from("<Q", self.bytes, 32)
        size, count = struct.unpack_from("<HH", self.bytes, 54)
        self.segments = [struct.unpack_from("<IIQQQQ", self.bytes, offset + i * size)
                         for i in range(count)]
        _, _, self.dynamic, _, _, size = next(s for s in self.segments if s[0] == PT_DYNAMIC)
        self.entries = [list(struct.unpack_from("<QQ", self.bytes, self.dynamic + i * 16))
                        for i in range(size // 16)]

    def offset(self, address):
        for kind, _, offset, start, _, size in self.segments:
            if kind == PT_LOAD and start <= address < start + size:
                return offset + address - start
        raise ValueError(f"nothing is loaded from 0x{address:x}")

    def entry(self, tag):
        found = [entry for entry in self.entries if entry[0] == tag]
        if not found:
            raise ValueError(f"no dynamic entry {tag}: link it with -z pack-relative-relocs")
        return found[0]

    def section(self, name):
        """Its address, its place in the file and its size."""
        offset, = struct.unpack_from("<Q", self.bytes, 40)
        size, count, names = struct.unpack_from("<HHH", self.bytes, 58)
        headers = [struct.unpack_from("<IIQQQQ", self.bytes, offset + i * size)
                   for i in range(count)]
        wanted = name.encode() + b"\0"
        for header in headers:
            start = headers[names][4] + header[0]
            if self.bytes[start:start + len(wanted)] == wanted:
                return header[3], header[4], header[5]
        raise ValueError(f"it has no section {name}")

    def words(self, offset, size):
        return struct.unpack_from(f"<{size // WORD}Q", self.bytes, offset)

    def put(self, offset, size, words):
        if len(words) * WORD > size:
            raise ValueError(f"there is no room for {len(words)} words")
        padding = [0] * (size // WORD - len(words))
        struct.pack_into(f"<{size // WORD}Q", self.bytes, offset, *words, *padding)

    def save(self):
        for i, entry in enumerate(self.entries):
            struct.pack_into("<QQ", self.bytes, self.dynamic + i * 16, *entry)
        self.path.write_bytes(self.bytes)


def defer(program, tables):
    place, size = program.offset(program.entry(DT_RELR)[1]), program.entry(DT_RELRSZ)
    _, room, room_size = program.section(ROOM)
    if any(program.words(room, room_size)):
        raise ValueError("it was done before")
    stay, later = [], []
    for address in decode(program.words(place, size[1])):
        (later if any(a <= address < b for a, b in tables) else stay).append(address)
    if decode(encode(later)) != later or decode(encode(stay)) != stay:
        raise ValueError("its relocations are in no order that is understood")
    if not later:
        raise ValueError(f"no table of {' or '.join(ARCHIVES)} is relocated")
    program.put(room, room_size, encode(later))
    words = encode(stay)
    program.put(place, size[1], words)
    size[1] = len(words) * WORD


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    try:
        program = Program(sys.argv[1])
        link_map = pathlib.Path(sys.argv[2]).read_text(encoding="utf-8")
        address, _, size = program.section(RELRO)
        if output_section(link_map, RELRO) != (address, size):
            raise ValueError(f"{sys.argv[2]} is the map of another program")
        defer(program, ranges(link_map))
        program.save()
    except (OSError, ValueError) as error:
        sys.exit(f"defer_relocations.py: {sys.argv[1]}: {error}")


if __name__ == "__main__":
    main()
