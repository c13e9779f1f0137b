#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What check.sh asks of meson's build folders: the programs of tests, and what came of tests.

usage: check_tests.py programs BUILD [SELECTION]
       check_tests.py results BUILD NAME FAILURES

programs  prints the files that ninja has to make for the tests that a selection of `meson test`
          takes: names, or --suite S and --no-suite S, each any number of times
results   prints what was skipped and what failed of the tests that were run in BUILD, and
          "PASSED FAILED SKIPPED" as the last line. Appends to the file FAILURES, for each failed
          test of the configuration NAME, a line "== failed: NAME / TEST: WHY" and the end of
          its output.
"""

import json
import os
import subprocess
import sys

LINES = 30  # of a failed test's output
FAILED = {"FAIL": "exit status {}", "TIMEOUT": "it took too long", "ERROR": "it could not run",
          "INTERRUPT": "it was interrupted", "UNEXPECTEDPASS": "it passed"}
PASSED = {"OK", "EXPECTEDFAIL"}
SKIPPED = {"SKIP", "IGNORED"}


def introspect(build, what):
    return json.loads(subprocess.check_output(["meson", "introspect", build, what]))


def chosen(test, suites, without, names):
    own = {suite.rpartition(":")[2] for suite in test["suite"]}
    return not own & without and (not suites or own & suites) and (
        not names or test["name"] in names)


def programs(build, *selection):
    words = iter(selection)
    lists = {"--suite": set(), "--no-suite": set(), "": set()}
    for word in words:
        if word in lists:
            lists[word].add(next(words))
        else:
            lists[""].add(word)
    ids = {name for test in introspect(build, "--tests") for name in test["depends"]
           if chosen(test, lists["--suite"], lists["--no-suite"], lists[""])}
    for target in introspect(build, "--targets"):
        if target["id"] in ids:
            print(*(os.path.relpath(name, build) for name in target["filename"]))


def short(test):
    return test["name"].rpartition(" / ")[2]


def results(build, configuration, failures):
    with open(os.path.join(build, "meson-logs", "testlog.json"), encoding="utf-8") as log:
        tests = [json.loads(line) for line in log]
    passed = [t for t in tests if t["result"] in PASSED]
    skipped = [t for t in tests if t["result"] in SKIPPED]
    failed = [t for t in tests if t["result"] not in PASSED | SKIPPED]
    for some, what in ((skipped, "skipped"), (failed, "failed")):
        if some:
            print(f"   {what}: " + ", ".join(sorted(map(short, some))))
    with open(failures, "a", encoding="utf-8") as file:
        for test in failed:
            output = (test.get("stdout", "") + test.get("stderr", "")).splitlines()
            why = FAILED.get(test["result"], test["result"]).format(test.get("returncode"))
            print(f"== failed: {configuration} / {short(test)}: {why}", *output[-LINES:],
                  sep="\n", file=file)
    print(len(passed), len(failed), len(skipped))


if __name__ == "__main__":
    {"programs": programs, "results": results}[sys.argv[1]](*sys.argv[2:])
