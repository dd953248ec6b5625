#!/usr/bin/env python3
"""third_party/defer_relocations.py on tables, link maps and programs: `defer_relocations_test.py
PROGRAM`, one that it was done to."""

import pathlib
import random
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True  # nothing of ours in the source folder
TOOL = pathlib.Path(__file__).parents[2] / "third_party/defer_relocations.py"
sys.path.insert(0, str(TOOL.parent))

import defer_relocations as tool  # noqa: E402

PROGRAM = ""


class Tables(unittest.TestCase):
    def test_are_read_as_they_were_written(self):
        pick = random.Random(1)
        for _ in range(200):
            gaps = [pick.choice([1, 1, 1, 2, 62, 63, 64, 200, 5000]) for _ in range(pick.randrange(300))]
            addresses, at = [], 0x1000
            for gap in gaps:
                at += gap * tool.WORD
                addresses.append(at)
            self.assertEqual(tool.decode(tool.encode(addresses)), addresses)

    def test_have_the_form_of_the_generic_abi(self):
        self.assertEqual(tool.encode([0x1000, 0x1008, 0x1018]), [0x1000, 0b1011])
        self.assertEqual(tool.encode([0x1000, 0x1008 + 63 * 8]), [0x1000, 0x1008 + 63 * 8])
        self.assertEqual(tool.decode([0x1000, 0b1011, 0b11]),
                         [0x1000, 0x1008, 0x1018, 0x1008 + 63 * 8])


class LinkMap(unittest.TestCase):
    def test_gives_the_tables_of_openssl_and_libcurl(self):
        link_map = """
 .data.rel.ro.local
                0x00000000005a4460      0x140 /lib/libcrypto.a(libcrypto-lib-a.o)
 .data.rel.ro   0x00000000005a5000       0x20 /lib/libssl.a(b.o)
 .data.rel.ro   0x00000000005a6000       0x20 /lib/libc.a(libssl.a.o)
 .rodata        0x00000000005a7000       0x20 /lib/libssl.a(c.o)
 .data.rel.local
                0x0000000000000000       0x20 /lib/libssl.a(gone.o)
 .data.calls    0x00000000005a8000       0x20 curl/lib/libcurl.a(easy.c.o)
"""
        self.assertEqual(tool.ranges(link_map), [(0x5a4460, 0x5a45a0), (0x5a5000, 0x5a5020),
                                                 (0x5a8000, 0x5a8020)])


class Refusals(unittest.TestCase):
    def refused(self, program, link_map=""):
        with tempfile.TemporaryDirectory() as folder:
            copy = pathlib.Path(folder) / "program"
            shutil.copy(program, copy)
            before = copy.read_bytes()
            (pathlib.Path(folder) / "map").write_text(link_map, encoding="utf-8")
            done = subprocess.run([sys.executable, TOOL, copy, pathlib.Path(folder) / "map"],
                                  capture_output=True, text=True, check=False)
            self.assertEqual(done.returncode, 1)
            self.assertEqual(copy.read_bytes(), before)
            return done.stderr

    def map_of(self, program):
        address, _, size = tool.Program(program).section(tool.RELRO)
        return f"{tool.RELRO}    0x{address:016x}    0x{size:x}\n"

    def test_say_why_in_a_sentence_and_change_nothing(self):
        self.assertIn("it was done before", self.refused(PROGRAM, self.map_of(PROGRAM)))
        self.assertIn("the map of another program", self.refused(PROGRAM))
        self.assertIn("the map of another program", self.refused(PROGRAM, self.map_of("/bin/true")))
        self.assertIn("no little-endian ELF64 file", self.refused(__file__))
        self.assertIn("pack-relative-relocs", self.refused("/bin/true", self.map_of("/bin/true")))


if __name__ == "__main__":
    PROGRAM = sys.argv.pop(1)
    unittest.main(argv=sys.argv[:1])
