#!/usr/bin/env python3
"""Holds the docs against the program and the tree: `docs_test.py ROOT GO_INTEGCOV`."""

import pathlib
import re
import subprocess
import sys
import unittest

ROOT = pathlib.Path()
BINARY = ""

MAN = "docs/man/go-integcov.1.md"
FOR_USERS = ("README.md", "docs/guide.md", MAN)
MODES = {"--help", "--version", "--install", "--flush-now"}  # options that no variable mirrors
# Options of other programs in the examples for users.
OTHERS_FLAGS = {"--port", "--recursive", "--member", "--role", "--image", "--set-env-vars",
                "--command", "--args", "--from"}
# Variables that libraries read for us.
READ_ELSEWHERE = {"PATH", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"}

ENV_NAME = re.compile(r"\bINTEGCOV_[A-Z0-9_]+\b")
FLAG = re.compile(r"(?<![\w-])--[a-z][a-z0-9-]*")
LINK = re.compile(r"(?<!!)\[[^\]]+\]\(([^()\s]+)\)")
CODE = re.compile(r"^(```.*?^```|    [^\n]*)$|`[^`\n]+`", re.DOTALL | re.MULTILINE)
# Homes and mounts of one machine; system folders such as /tmp and /etc are everywhere.
MACHINE_PATH = re.compile(r"(?<![\w.:/-])/(?:home|Users|root|work|workspace|builds|mnt)/\S*")


def read(path):
    return (ROOT / path).read_text(encoding="utf-8")


def pages():
    """All *.md of the tree, relative, but for what a build leaves."""
    found = (path.relative_to(ROOT) for path in ROOT.rglob("*.md"))
    return sorted(p for p in found if p.parts[0] != "build" and not p.parts[0].startswith("."))


def run(option):
    done = subprocess.run([BINARY, option], check=True, capture_output=True, text=True)
    return done.stdout


def settings_of_help(text):
    """flag -> (environment name, default or "")."""
    found = {}
    entry = re.compile(r"^  --([a-z-]+)[^\n]*?  ([A-Z_]+)\n((?:      [^\n]*\n)+)", re.MULTILINE)
    for flag, env, meaning in entry.findall(text):
        default = re.search(r"\(default\s+([^)]+)\)", meaning)
        found["--" + flag] = (env, default.group(1) if default else "")
    return found


def settings_of_man(text):
    found = {}
    entry = re.compile(r"^\*\*\\(--[a-z-]+)\*\*[^\n]*, \*\*([A-Z_]+)\*\*\n:((?:[^\n]+\n)+)",
                       re.MULTILINE)
    for flag, env, meaning in entry.findall(text):
        default = re.search(r"Default:\s+\*\*([^*]+)\*\*", meaning)
        found[flag] = (env, default.group(1) if default else "")
    return found


def settings_of_guide(text):
    found = {}
    row = re.compile(r"^\| `([A-Z_]+)` \| `(--[a-z-]+)[^`]*` \| (unset|`[^`]+`) \| ", re.MULTILINE)
    for env, flag, default in row.findall(text):
        found[flag] = (env, "" if default == "unset" else default.strip("`"))
    return found


def anchors(text):
    """The anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", CODE.sub("", text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", h.lower()).replace(" ", "-") for h in headings}


class Settings(unittest.TestCase):
    def setUp(self):
        self.help = run("--help")
        self.settings = settings_of_help(self.help)
        self.assertGreater(len(self.settings), 10, "the help has another form now")

    def test_the_help_is_understood(self):
        names = set(re.findall(r"^  (--[a-z-]+)", self.help, re.MULTILINE))
        self.assertEqual(names, set(self.settings) | MODES)

    def test_the_man_page_has_each_with_its_default(self):
        self.assertEqual(settings_of_man(read(MAN)), self.settings)

    def test_the_guide_has_each_with_its_default(self):
        self.assertEqual(settings_of_guide(read("docs/guide.md")), self.settings)

    def test_pages_for_users_name_no_other(self):
        flags = set(self.settings) | MODES | OTHERS_FLAGS
        variables = {env for env, _ in self.settings.values()}
        for page in FOR_USERS:
            text = read(page).replace("\\--", "--")
            with self.subTest(page=page):
                self.assertEqual(set(FLAG.findall(text)) - flags, set())
                self.assertEqual(set(ENV_NAME.findall(text)) - variables, set())

    def test_no_page_names_a_variable_that_nothing_reads(self):
        known = set()
        for pattern in ("CMakeLists.txt", "CMakePresets.json", "src/**/*.cc", "src/**/CMakeLists.txt",
                        "src/handler/*.go", "tests/**/*.cc", "tests/CMakeLists.txt",
                        "fuzz/CMakeLists.txt"):
            for path in ROOT.glob(pattern):
                known.update(ENV_NAME.findall(path.read_text(encoding="utf-8")))
        for page in pages():
            with self.subTest(page=str(page)):
                self.assertEqual(set(ENV_NAME.findall(read(page))) - known, set())

    def test_other_variables_are_in_the_man_page(self):
        used = set()
        for path in (ROOT / "src/app").glob("*.cc"):
            text = path.read_text(encoding="utf-8")
            asked = set(re.findall(r'env\.get\("([A-Z_]+)"\)', text))
            used.update(name for name in asked if not name.startswith("INTEGCOV_"))
            used.update(re.findall(r'"((?:K|CLOUD_RUN|POD|NODE|KUBERNETES)_[A-Z_]+)"', text))
        self.assertGreater(len(used), 10)
        section = read(MAN).split("# ENVIRONMENT\n")[1].split("\n# ")[0]
        entries = re.findall(r"^(\*\*.+)\n:", section, re.MULTILINE)
        named = {name for entry in entries for name in re.findall(r"\*\*(\w+)\*\*", entry)}
        self.assertEqual(named - READ_ELSEWHERE, used)

    def test_the_man_page_has_the_version(self):
        self.assertIn(run("--version").strip() + " | ", read(MAN).split("\n")[0])


class Pages(unittest.TestCase):
    def test_relative_links_lead_somewhere(self):
        for page in pages():
            for target in LINK.findall(CODE.sub("", read(page))):
                if re.match(r"[a-z]+:", target):
                    continue
                name, _, anchor = target.partition("#")
                path = ROOT / page.parent / name if name else ROOT / page
                with self.subTest(page=str(page), link=target):
                    self.assertTrue(path.exists(), "there is no such file")
                    if anchor:
                        self.assertIn(anchor, anchors(path.read_text(encoding="utf-8")))

    def test_files_that_are_named_exist(self):
        names = re.compile(r"`((?:src|tests|fuzz|docs|third_party)/[\w./-]*[\w/]|\.ci/run)`")
        for page in pages():
            for name in names.findall(read(page)):
                if re.search(r"[A-Z]{4}", name):  # a placeholder such as NAME
                    continue
                with self.subTest(page=str(page), name=name):
                    self.assertTrue((ROOT / name).exists())

    def test_the_architecture_is_one_screen_with_every_folder(self):
        text = read("docs/architecture.md")
        self.assertLessEqual(len(text.splitlines()), 75)
        folders = {p.name for p in (ROOT / "src").iterdir() if p.is_dir()}
        self.assertEqual(set(re.findall(r"^\| `src/(\w+)/` ", text, re.MULTILINE)), folders)

    def test_verbs_of_dev_exist(self):
        usage = subprocess.run([ROOT / "dev", "help"], check=True, capture_output=True, text=True)
        verbs = set(re.findall(r"^  ([a-z]+) ", usage.stdout, re.MULTILINE)) | {"help"}
        self.assertGreater(len(verbs), 5)
        for page in pages():
            named = set(re.findall(r"(?:^|[\s`])\./dev ([a-z]+)", read(page), re.MULTILINE))
            with self.subTest(page=str(page)):
                self.assertEqual(named - verbs, set())

    def test_no_page_knows_a_machine(self):
        for page in pages():
            with self.subTest(page=str(page)):
                self.assertEqual(MACHINE_PATH.findall(read(page)), [])


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit("usage: docs_test.py ROOT GO_INTEGCOV")
    ROOT = pathlib.Path(sys.argv[1]).resolve()
    BINARY = sys.argv[2]
    unittest.main(argv=sys.argv[:1] + sys.argv[3:])
