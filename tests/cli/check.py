#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""check.sh counts a skipped test as skipped, and shows at its end which tests failed, and how."""
import json
import os
import sys

from helper import run

ROOT = os.environ["PCR_SOURCE_ROOT"]
CHECK = os.path.join(ROOT, "tools", "check.sh")
TESTS = os.path.join(ROOT, "tools", "check_tests.py")

assert b"--quick" in run(CHECK, "--help").stdout
done = run(CHECK, "--none", code=2)
assert b"--none" in done.stderr and not done.stdout

lines = "".join(f"line {i}\n" for i in range(100))
log = [
    {"name": "libpcr:unit / a", "result": "OK", "returncode": 0, "stdout": "fine\n"},
    {"name": "libpcr:cli / b.py", "result": "SKIP", "returncode": 77},
    {"name": "libpcr:cli / c.py", "result": "FAIL", "returncode": 3, "stdout": lines,
     "stderr": "why\n"},
    {"name": "libpcr:unit+threads / d", "result": "TIMEOUT", "returncode": -15},
    {"name": "libpcr:unit / e", "result": "OK", "returncode": 0},
]
os.makedirs("build/meson-logs")
with open("build/meson-logs/testlog.json", "w", encoding="utf-8") as file:
    file.writelines(json.dumps(test) + "\n" for test in log)
said = run(sys.executable, TESTS, "results", "build", "gcc", "failures").stdout.decode()
assert said == "   skipped: b.py\n   failed: c.py, d\n2 2 1\n", said
with open("failures", encoding="utf-8") as file:
    failures = file.read()
assert failures.startswith("== failed: gcc / c.py: exit status 3\n"), failures
assert failures.endswith("line 99\nwhy\n== failed: gcc / d: it took too long\n"), failures
assert failures.count("\n") == 32, failures
