#!/usr/bin/env python3
"""Each rule of layers.py fires on a small tree that breaks it, and a clean tree passes."""

import contextlib
import io
import pathlib
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
import layers  # noqa: E402

PARSERS = list(layers.FUZZED)
layers.FUZZED = ["credentials", "session"]  # two do, and keep the trees small

CLEAN = {
    "src/base/bytes.h": "#pragma once\n#include <string>\n",
    "src/base/bytes.cc": '#include "base/bytes.h"\n',
    "src/base/unique_fd.h": "#include <unistd.h>\n",
    "src/event/handle.h": "#include <uv.h>\nint* make() { return new int; }\n",
    "src/http/curl_client.cc": '#include <curl/curl.h>\n#include "event/handle.h"\n',
    "src/storage/gcs/upload_machine.cc": '#include "base/bytes.h"\n',
    "src/app/main.cc": '#include <cstdlib>\nconst char* home() { return std::getenv("HOME"); }\n',
    "tests/unit/base/bytes_test.cc": "",
    "tests/unit/storage/upload_machine_test.cc": "",
    "fuzz/CMakeLists.txt": "".join(f"integcov_fuzzer({n} integcov_x)\n" for n in layers.FUZZED),
}
for fuzzed in layers.FUZZED:
    CLEAN[f"fuzz/{fuzzed}_fuzzer.cc"] = ""
    for seed in "abc":
        CLEAN[f"fuzz/corpus/{fuzzed}/{seed}"] = ""


class LayersTest(unittest.TestCase):
    def violations(self, changes):
        """The violations of the clean tree with these files changed, or removed where None."""
        with tempfile.TemporaryDirectory() as folder:
            for name, text in {**CLEAN, **changes}.items():
                if text is None:
                    continue
                path = pathlib.Path(folder, name)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, encoding="utf-8")
            output = io.StringIO()
            with contextlib.redirect_stdout(output):
                status = layers.main([folder])
            lines = output.getvalue().splitlines()
            self.assertEqual(status, 1 if lines else 0)
            return lines

    def assert_one(self, changes, place, *words):
        lines = self.violations(changes)
        self.assertEqual(len(lines), 1, lines)
        self.assertTrue(lines[0].startswith(place + ": "), lines[0])
        for word in words:
            self.assertIn(word, lines[0])

    def assert_clean(self, name, text):
        self.assertEqual(self.violations({name: text}), [])

    def assert_line(self, name, line, *words):
        """The line is a violation in that file, on its second line."""
        test = "tests/unit/{0[1]}/{1}_test.cc".format(name.split("/"), pathlib.Path(name).stem)
        self.assert_one({name: f"// first\n{line}\n", test: ""}, f"{name}:2", *words)

    def test_a_clean_tree_passes(self):
        self.assertEqual(self.violations({}), [])

    def test_includes_point_one_way(self):
        # Each folder has a header for each other folder, which includes that one's.
        every = list(layers.MAY_INCLUDE) + sorted(layers.SEE_ALL)
        tree = {f"src/{folder}/a.h": "" for folder in every}
        expected = []
        for folder in every:
            for target in every:
                name = f"src/{folder}/to_{target}.h"
                tree[name] = f'#include "{target}/a.h"\n'
                if folder not in layers.SEE_ALL and target != folder and \
                        target not in layers.MAY_INCLUDE[folder]:
                    expected.append(f"{name}:1: {folder} must not include {target}.")
        self.assertEqual(self.violations(tree), sorted(expected))
        self.assertIn("src/base/to_event.h:1: base must not include event.", expected)

    def test_the_table_says_what_the_architecture_says(self):
        table = layers.MAY_INCLUDE
        self.assertEqual(table["base"], set())
        for pure in ("config", "coverage", "upload"):
            self.assertEqual(table[pure], {"base"})
        self.assertNotIn("storage", set().union(*table.values()))  # only app and cli see it
        for folder, targets in table.items():
            for target in targets:
                self.assertNotIn(folder, table[target], "the table has a cycle")

    def test_a_quoted_include_names_a_file(self):
        self.assert_line("src/event/a.h", '#include "base/missing.h"', "base/missing.h")
        self.assert_line("src/event/a.h", '#include "handle.h"', "names no file")

    def test_an_unknown_folder_is_no_way_out(self):
        self.assert_one({"src/misc/a.h": ""}, "src/misc/a.h:1", "include table")

    def test_libraries_stay_where_they_are_wrapped(self):
        self.assert_line("src/watch/a.h", "#include <uv.h>", "event and process")
        self.assert_line("src/storage/a.h", "#include <curl/curl.h>", "http only")
        self.assert_line("src/http/a.h", "#include <openssl/evp.h>", "auth and base")
        self.assert_line("src/http/a.h", "#include <simdjson.h>", "auth and storage")
        self.assert_line("src/app/a.h", "  #  include <uv.h>", "event and process")
        self.assert_clean("src/process/a.h", "#include <uv.h>\n")
        self.assert_clean("src/auth/a.h", "#include <simdjson.h>\n#include <openssl/evp.h>\n")

    def test_there_are_no_threads(self):
        for header in ("thread", "mutex", "future", "condition_variable"):
            self.assert_line("src/app/a.h", f"#include <{header}>", "no threads")

    def test_there_are_no_streams_and_locales(self):
        for header in ("filesystem", "fstream", "sstream", "iostream", "regex", "locale"):
            self.assert_line("src/app/a.h", f"#include <{header}>", f"<{header}>", "locales")
            self.assert_line("src/base/a.cc", f"#include <{header}>", f"<{header}>", "locales")

    def test_ownership_is_not_shared(self):
        self.assert_line("src/app/a.h", "std::shared_ptr<int> p;", "shared_ptr")
        self.assert_line("src/app/a.h", "auto p = std::make_shared<int>(1);", "shared_ptr")
        self.assert_clean("src/app/a.h", "// no std::shared_ptr here\nstd::unique_ptr<int> p;\n")

    def test_pure_files_do_not_read_clocks(self):
        for line in ("auto t = std::chrono::steady_clock::now();", "auto t = Clock::now();",
                     "auto t = std::time(nullptr);", "auto t = time(nullptr);",
                     "clock_gettime(CLOCK_REALTIME, &t);"):
            self.assert_line("src/upload/a.cc", line, "clock")
        self.assert_line("src/storage/gcs/upload_machine.h", "auto t = Clock::now();", "clock")
        self.assert_clean("src/event/a.cc", "auto t = Clock::now();\n")
        self.assert_clean("src/upload/a.h", "int mtime(int); int a = x.time(), b = now(c);\n")

    def test_pure_files_open_no_files(self):
        for header in ("unistd.h", "fcntl.h", "sys/stat.h"):
            self.assert_line("src/config/a.cc", f"#include <{header}>", "pure")
            self.assert_clean("src/watch/a.cc", f"#include <{header}>\n")
        self.assert_line("src/supervise/a.cc", "int fd = ::open(path, 0);", "opens a file")
        self.assert_line("src/supervise/a.cc", "int fd = open(path, 0);", "opens a file")
        self.assert_line("src/report/a.cc", 'auto* f = std::fopen(path, "r");', "opens a file")
        self.assert_clean("src/upload/a.h", "bool b = gate.open(); bool reopen(int); is_open(1);\n")

    def test_only_a_main_reads_the_environment(self):
        self.assert_line("src/app/a.cc", 'auto* v = getenv("A");', "environment")
        self.assert_line("src/base/a.cc", 'auto* v = std::getenv("A");', "environment")
        self.assert_line("src/process/a.cc", "char** e = environ;", "environment")
        self.assert_line("src/app/main/a.cc", "char** e = ::environ;", "environment")
        self.assert_clean("src/app/a.cc", "// getenv(3)\nint environment = 1;\n")

    def test_new_and_delete_stay_in_the_handle(self):
        self.assert_line("src/app/a.cc", "auto* p = new int;", "new and delete")
        self.assert_line("src/app/a.cc", "delete p;", "new and delete")
        self.assert_line("src/app/a.cc", "delete[] p; A(const A&) = delete;", "new and delete")
        self.assert_clean("src/app/a.cc", "A(const A&) = delete;\nvoid renew(int new_size);\n")
        self.assert_clean("src/app/a.cc", '/* a new\n one */ f("new"); g(R"(delete "new")");\n')

    def test_comments_and_strings_are_read_as_the_compiler_does(self):
        self.assert_line("src/app/a.cc", r'f("\"//", 1'"'"'000, '"'\"'"', new int);', "new and")
        self.assert_line("src/app/a.cc", "/* x */ auto* p = new int;  // y", "new and delete")
        self.assert_clean("src/app/a.cc", "// #include <thread>\n/*\n#include <uv.h>\n*/\n")

    def test_each_pure_file_has_a_test(self):
        self.assert_one({"src/config/flags.cc": ""}, "src/config/flags.cc:1",
                        "tests/unit/config/flags_test.cc")
        self.assert_one({"tests/unit/storage/upload_machine_test.cc": None},
                        "src/storage/gcs/upload_machine.cc:1",
                        "tests/unit/storage/upload_machine_test.cc")
        self.assert_clean("src/watch/listing.cc", "")  # the shell has tests, too, but not by file

    def test_files_are_small(self):
        self.assert_clean("src/app/a.cc", "\n" * layers.MAX_LINES)
        self.assert_one({"src/app/a.cc": "\n" * layers.MAX_LINES + "int a;"},
                        f"src/app/a.cc:{layers.MAX_LINES + 1}", "lines")

    def test_each_fuzzer_is_registered_and_has_a_corpus(self):
        self.assert_one({"fuzz/x_fuzzer.cc": "", **{f"fuzz/corpus/x/{n}": "" for n in "abc"}},
                        "fuzz/x_fuzzer.cc:1", "not registered")
        lines = self.violations({"fuzz/x_fuzzer.cc": "", "fuzz/CMakeLists.txt": None})
        self.assertEqual(len(lines), len(layers.FUZZED) + 2)
        self.assert_one({"fuzz/corpus/session/a": None}, "fuzz/session_fuzzer.cc:1",
                        "fuzz/corpus/session")

    def test_each_parser_of_outside_bytes_has_a_fuzzer(self):
        self.assertEqual(len(PARSERS), len(set(PARSERS)))
        self.assertIn("credentials", PARSERS)
        self.assert_one({"fuzz/credentials_fuzzer.cc": None}, "fuzz/CMakeLists.txt:1",
                        "credentials needs a fuzzer")

    def test_a_wrong_call_is_told_apart(self):
        with contextlib.redirect_stderr(io.StringIO()):
            self.assertEqual(layers.main([]), 2)
            self.assertEqual(layers.main(["/nonexistent"]), 2)


if __name__ == "__main__":
    unittest.main()
