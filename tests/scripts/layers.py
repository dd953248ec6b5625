#!/usr/bin/env python3
"""Checks what the source tree may include and use: `layers.py ROOT`.

Prints each violation as `path:line: sentence` and exits with 1 if there is any.
docs/architecture.md explains the layers.
"""

import pathlib
import re
import sys

# What the files of a folder of src may include besides their own folder.
MAY_INCLUDE = {
    "base": set(),
    "config": {"base"},
    "coverage": {"base"},
    "upload": {"base"},
    "supervise": {"base", "config", "coverage", "upload"},
    "event": {"base"},
    "process": {"base", "event"},
    "watch": {"base", "event", "coverage"},
    "http": {"base", "event"},
    "auth": {"base", "event", "http"},
    "storage": {"base", "event", "http", "auth", "upload", "coverage"},
    "report": {"base", "coverage"},
}
SEE_ALL = {"app", "cli"}

# Start of a header's name -> the folders that may include it.
LIBRARIES = {
    "uv.h": {"event", "process"},
    "uv/": {"event", "process"},
    "curl/": {"http"},
    "openssl/": {"auth", "base"},
    "simdjson": {"auth", "storage"},
}

# Each brings streams and locales into the static binary, whose 7 MB leave no room for them.
HEAVY_HEADERS = {"filesystem", "fstream", "sstream", "iostream", "regex", "locale"}

NO_THREADS = {"thread", "mutex", "shared_mutex", "future", "condition_variable"}

PURE_FOLDERS = {"base", "config", "coverage", "upload", "supervise", "report"}
PURE_FILES = ("storage/gcs/upload_machine",)  # starts of paths below src
IMPURE_HEADERS = re.compile(r"unistd\.h|fcntl\.h|sys/.*")
IMPURE_HEADERS_ALLOWED = {("base/unique_fd.h", "unistd.h")}
IMPURE_CODE = [
    (re.compile(r"::now\("), "reads a clock"),
    (re.compile(r"(?<![\w.>])time\("), "reads a clock"),
    (re.compile(r"\b(clock_gettime|gettimeofday)\b"), "reads a clock"),
    (re.compile(r"(?<![\w.>])(f?open|openat)\("), "opens a file"),
]

ENVIRONMENT = re.compile(r"\b(getenv|secure_getenv|environ)\b")
ENVIRONMENT_ALLOWED = re.compile(r"[^/]+/main\.cc")
SHARED = re.compile(r"\b(shared_ptr|make_shared|weak_ptr)\b")
NEW_OR_DELETE = re.compile(r"(?<!\w)(new|delete)\b")
DELETED_FUNCTION = re.compile(r"=\s*delete\b")
NEW_AND_DELETE_ALLOWED = {"event/handle.h"}

MAX_LINES = 450

# Parsers of bytes that come from outside, and machines that must bear any order of events.
FUZZED = ["storage_url", "settings", "file_name", "gcs_upload", "credentials", "session", "ledger",
          "counters", "live_counters"]
MIN_CORPUS = 3

# Comments, raw strings, strings and characters; a quote within a number is none of these.
TOKENS = re.compile(
    r"""(?P<comment>//[^\n]*|/\*.*?\*/)
      | R"(?P<mark>[^()\\\s]{0,16})\(.*?\)(?P=mark)"
      | "(?:\\.|[^"\\\n])*"
      | (?<![0-9a-fA-F])'(?:\\.|[^'\\\n])+'""",
    re.VERBOSE | re.DOTALL)
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')


def blank(text):
    return re.sub(r"[^\n]", " ", text)


def code_only(text, keep_strings=False):
    """The text without comments (and strings), line by line as it was."""

    def replace(match):
        if keep_strings and match.group("comment") is None:
            return match.group()
        return blank(match.group())

    return TOKENS.sub(replace, text)


def is_pure(name):
    return name.split("/")[0] in PURE_FOLDERS or name.startswith(PURE_FILES)


class Check:
    def __init__(self, root):
        self.root = pathlib.Path(root)
        self.src = self.root / "src"
        self.violations = []

    def report(self, path, line, sentence):
        self.violations.append((path, line, sentence))

    def run(self):
        for path in sorted(self.src.rglob("*")):
            if path.suffix in (".cc", ".h"):
                self.check_source(path)
        self.check_fuzzers()
        return sorted(self.violations)

    def check_source(self, path):
        name = path.relative_to(self.src).as_posix()
        shown = "src/" + name
        text = path.read_text(encoding="utf-8")
        folder = name.split("/")[0]
        if folder not in MAY_INCLUDE and folder not in SEE_ALL:
            self.report(shown, 1, f"The folder {folder} is not in the include table.")
        lines = text.count("\n") + (not text.endswith("\n") and text != "")
        if lines > MAX_LINES:
            self.report(shown, MAX_LINES + 1, f"The file has more than {MAX_LINES} lines.")
        for number, line in enumerate(code_only(text, keep_strings=True).split("\n"), 1):
            match = INCLUDE.match(line)
            if match and match.group(1) == '"':
                self.check_own_include(name, number, match.group(2))
            elif match:
                self.check_system_include(name, number, match.group(2))
        for number, line in enumerate(code_only(text).split("\n"), 1):
            self.check_code(name, number, line)
        if is_pure(name) and path.suffix == ".cc":
            test = f"tests/unit/{folder}/{path.stem}_test.cc"
            if not (self.root / test).is_file():
                self.report(shown, 1, f"A pure file needs a test of its own: {test}.")

    def check_own_include(self, name, number, header):
        shown = "src/" + name
        if not (self.src / header).is_file():
            self.report(shown, number, f'"{header}" names no file below src.')
            return
        folder, target = name.split("/")[0], header.split("/")[0]
        allowed = MAY_INCLUDE.get(folder)
        if allowed is not None and target != folder and target not in allowed:
            self.report(shown, number, f"{folder} must not include {target}.")

    def check_system_include(self, name, number, header):
        shown = "src/" + name
        folder = name.split("/")[0]
        for start, folders in LIBRARIES.items():
            if header.startswith(start) and folder not in folders:
                where = " and ".join(sorted(folders))
                self.report(shown, number, f"<{header}> belongs in {where} only.")
        if header in NO_THREADS:
            self.report(shown, number, f"<{header}>: there are no threads here.")
        if header in HEAVY_HEADERS:
            self.report(shown, number, f"<{header}> brings locales into the static binary.")
        if (is_pure(name) and IMPURE_HEADERS.fullmatch(header)
                and (name, header) not in IMPURE_HEADERS_ALLOWED):
            self.report(shown, number, f"<{header}> has no place in a pure file.")

    def check_code(self, name, number, line):
        shown = "src/" + name
        if SHARED.search(line):
            self.report(shown, number, "Ownership is not shared here: no shared_ptr.")
        if ENVIRONMENT.search(line) and not ENVIRONMENT_ALLOWED.fullmatch(name):
            self.report(shown, number, "Only a main reads the environment.")
        if (name not in NEW_AND_DELETE_ALLOWED
                and NEW_OR_DELETE.search(DELETED_FUNCTION.sub("", line))):
            self.report(shown, number, "new and delete belong in event/handle.h only.")
        if is_pure(name):
            for pattern, what in IMPURE_CODE:
                if pattern.search(line):
                    self.report(shown, number, f"A pure file {what}.")

    def check_fuzzers(self):
        fuzz = self.root / "fuzz"
        lists = fuzz / "CMakeLists.txt"
        cmake = lists.read_text(encoding="utf-8") if lists.is_file() else ""
        registered = set(re.findall(r"^\s*integcov_fuzzer\(\s*(\w+)", cmake, re.MULTILINE))
        there = {p.name.removesuffix("_fuzzer.cc") for p in fuzz.glob("*_fuzzer.cc")}
        for name in FUZZED:
            if name not in there:
                self.report("fuzz/CMakeLists.txt", 1, f"{name} needs a fuzzer: {name}_fuzzer.cc.")
        for name in there:
            shown = f"fuzz/{name}_fuzzer.cc"
            if name not in registered:
                self.report(shown, 1, "The fuzzer is not registered in fuzz/CMakeLists.txt.")
            inputs = sum(p.is_file() for p in (fuzz / "corpus" / name).glob("*"))
            if inputs < MIN_CORPUS:
                self.report(shown, 1, f"fuzz/corpus/{name} needs {MIN_CORPUS} files at least.")


def main(arguments):
    if len(arguments) != 1 or not (pathlib.Path(arguments[0]) / "src").is_dir():
        print("usage: layers.py ROOT, the folder that has src", file=sys.stderr)
        return 2
    violations = Check(arguments[0]).run()
    for path, line, sentence in violations:
        print(f"{path}:{line}: {sentence}")
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
