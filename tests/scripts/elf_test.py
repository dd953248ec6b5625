#!/usr/bin/env python3
"""The binary that users get: `elf_test.py ROOT GO_INTEGCOV [ARCHIVE…]`.

ROOT must not show in it. The archives are what was compiled here: our libraries and libcurl.
"""

import pathlib
import re
import subprocess
import sys
import unittest

ROOT = ""
BINARY = ""
ARCHIVES = []
LARGEST = 7_000_000


def read(tool, *arguments):
    done = subprocess.run([tool, *arguments], check=True, capture_output=True, text=True,
                          env={"PATH": "/usr/bin:/bin", "LC_ALL": "C"})
    return done.stdout


class Binary(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.header = read("readelf", "-Wh", BINARY)
        cls.x86_64 = "X86-64" in cls.header
        segments = read("readelf", "-Wl", BINARY).split("Section to Segment")[0]
        row = r"^ +([A-Z_]+) +0x\w+ 0x\w+ 0x\w+ 0x\w+ 0x\w+ ([RWE ]{3}) 0x\w+$"
        cls.segments = re.findall(row, segments, re.MULTILINE)
        relro = re.search(r"^ +GNU_RELRO +0x\w+ 0x(\w+) 0x\w+ 0x\w+ 0x(\w+) ", segments,
                          re.MULTILINE)
        cls.relro = [int(number, 16) for number in relro.groups()] if relro else (0, 0)
        cls.dynamic = dict(re.findall(r"^ 0x\w+ \(([A-Z_0-9]+)\) +(.+)$",
                                      read("readelf", "-Wd", BINARY), re.MULTILINE))
        cls.kinds = [kind for kind, _ in cls.segments]

    def test_the_tables_are_understood(self):
        self.assertGreater(self.kinds.count("LOAD"), 1)
        self.assertIn("STRTAB", self.dynamic)

    def test_it_is_position_independent(self):
        self.assertRegex(self.header, r"Type: +DYN")
        self.assertIn("PIE", self.dynamic["FLAGS_1"].split())

    def test_it_needs_nothing(self):
        self.assertNotIn("INTERP", self.kinds)
        self.assertNotIn("NEEDED", self.dynamic)

    def test_relocations_are_read_only_and_done_at_once(self):
        self.assertIn("GNU_RELRO", self.kinds)
        self.assertIn("BIND_NOW", self.dynamic["FLAGS"].split())
        self.assertIn("NOW", self.dynamic["FLAGS_1"].split())

    def test_tables_are_read_only_and_data_is_not(self):
        start, size = self.relro
        found = set()
        for name, at, length in re.findall(r"\] (\.data\S*) +\w+ +(\w+) \w+ (\w+)",
                                           read("readelf", "-WS", BINARY)):
            within = start <= int(at, 16) and int(at, 16) + int(length, 16) <= start + size
            self.assertEqual(within, name.startswith(".data.rel.ro"), name)
            found.add(name)
        self.assertLessEqual({".data", ".data.rel.ro"}, found)

    def test_code_is_never_written_to(self):
        self.assertNotIn("TEXTREL", self.dynamic)
        self.assertNotIn("TEXTREL", self.dynamic["FLAGS"].split())
        self.assertEqual([s for s in self.segments if "W" in s[1] and "E" in s[1]], [])

    def test_the_stack_is_not_executable(self):
        self.assertEqual([flags for kind, flags in self.segments if kind == "GNU_STACK"], ["RW "])

    def test_relocations_are_packed(self):
        if self.x86_64:
            self.assertIn("RELR", self.dynamic)
            self.assertEqual(self.dynamic["RELASZ"], "0 (bytes)")

    def test_those_of_openssl_and_libcurl_wait_for_an_upload(self):
        if self.x86_64:
            at_start = int(self.dynamic["RELRSZ"].split()[0])
            self.assertLess(at_start, 700)
            later = read("readelf", "-W", "-x", ".deferred_relr", BINARY)
            rows = re.findall(r"^ +0x\w+ ([0-9a-f ]{35})", later, re.MULTILINE)
            filled = [row for row in rows if row.strip("0 ")]
            self.assertGreater(len(filled), 100)

    def test_it_is_small_and_stripped(self):
        self.assertLessEqual(pathlib.Path(BINARY).stat().st_size, LARGEST)
        self.assertNotRegex(read("readelf", "-WS", BINARY), r"\.symtab|\.debug")

    def test_it_does_not_say_where_it_was_built(self):
        self.assertNotIn(ROOT.encode(), pathlib.Path(BINARY).read_bytes())


class Archives(unittest.TestCase):
    """glibc and OpenSSL have such marks of their own: in the binary they would prove nothing."""

    def test_functions_guard_their_stack(self):
        for archive in ARCHIVES:
            with self.subTest(archive=archive):
                self.assertIn(" U __stack_chk_fail", read("nm", archive))

    def test_calls_are_fortified(self):
        checked = {call for archive in ARCHIVES
                   for call in re.findall(r" U (__\w+_chk)\b", read("nm", archive))}
        self.assertGreater(len(checked), 2, checked)

    def test_jumps_are_protected(self):
        if "X86-64" not in read("readelf", "-Wh", BINARY):
            self.skipTest("x86_64 only")
        for archive in ARCHIVES:
            with self.subTest(archive=archive):
                objects = read("ar", "t", archive).split()
                notes = read("readelf", "-Wn", archive)
                self.assertEqual(notes.count("x86 feature: IBT, SHSTK"), len(objects))


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit("usage: elf_test.py ROOT GO_INTEGCOV [ARCHIVE...]")
    ROOT, BINARY, *ARCHIVES = sys.argv[1:]
    unittest.main(argv=sys.argv[:1], defaultTest=None if ARCHIVES else "Binary")
