#!/usr/bin/env python3
"""third_party/fetch without a network: `sources_test.py ROOT SOURCES`, SOURCES as fetched."""

import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path()
SOURCES = pathlib.Path()


class Offline(unittest.TestCase):
    def setUp(self):
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.root = pathlib.Path(holder.name)
        for name in ("fetch", "sources.lock"):
            target = self.root / "third_party" / name
            target.parent.mkdir(exist_ok=True)
            shutil.copy(ROOT / "third_party" / name, target)
        self.archives = self.root / "build/sources/archives"
        shutil.copytree(SOURCES / "archives", self.archives)

    def fetch(self):
        return subprocess.run([self.root / "third_party/fetch", "--offline"], timeout=60,
                              capture_output=True, text=True, check=False)

    def refuse(self, *words):
        done = self.fetch()
        self.assertEqual(done.returncode, 1, done)
        self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
        for word in words:
            self.assertIn(word, done.stderr)

    def one(self, pattern):
        (found,) = self.archives.glob(pattern)
        return found

    def test_archives_at_hand_are_unpacked_with_their_patches(self):
        done = self.fetch()
        self.assertEqual(done.returncode, 0, done.stderr)
        sources = self.root / "build/sources"
        patches = (sources / "curl/debian/patches/series").read_text("utf-8").split()
        applied = (sources / "curl/.pc/applied-patches").read_text("utf-8").split()
        self.assertEqual(applied, patches)
        self.assertTrue((sources / "simdjson/src/simdjson.cpp").is_file())
        self.assertEqual(self.fetch().stdout, done.stdout)

    def test_a_missing_archive_is_named(self):
        self.one("curl_*.orig.tar.gz").unlink()
        self.refuse("the sources of curl", "third_party/fetch brings them")

    def test_a_changed_tarball_is_refused(self):
        with self.one("curl_*.orig.tar.gz").open("ab") as tarball:
            tarball.write(b"x")
        self.refuse("curl_8", "SHA-256", "third_party/sources.lock expects")

    def test_a_changed_patch_is_refused(self):
        with self.one("curl_*.debian.tar.xz").open("ab") as tarball:
            tarball.write(b"x")
        self.refuse("curl_8", "can't be unpacked")

    def test_an_older_revision_is_refused(self):
        lock = self.root / "third_party/sources.lock"
        text = lock.read_text("utf-8")
        self.assertIn(" 2+deb13u", text)
        lock.write_text(text.replace(" 2+deb13u", " 2+deb13u9"), "utf-8")
        self.refuse("the sources of curl", "2+deb13u9")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: sources_test.py ROOT SOURCES")
    ROOT, SOURCES = map(pathlib.Path, sys.argv[1:])
    unittest.main(argv=sys.argv[:1])
