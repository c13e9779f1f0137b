#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The sample programs run, on a dataset that one of them wrote."""
import os
import re
import sys

from helper import dataset, files, json_of, pcrtool, photos, run

READ = os.environ["SAMPLE_READ_DATASET"]
WRITE = os.environ["SAMPLE_WRITE_DATASET"]

text = run(WRITE, "drawn.pcr").stdout.decode()
assert "24 samples" in text, text
pcrtool("verify", "drawn.pcr", "--deep")
info = json_of("info", "drawn.pcr", "--json")
assert [c["sample_count"] for c in info["classes"]] == [12, 12]
groups = info["group_count"]

source = photos(count=6, classes=1, splits=False)
names = [os.path.join(source, name) for name in files(source)]
run(WRITE, "given.pcr", *names)
assert json_of("info", "given.pcr", "--json")["sample_count"] == 6

for path in ("drawn.pcr", "given.pcr"):
    text = run(READ, path, "3").stdout.decode()
    assert len(re.findall(r"^  fidelity \d+: \d+ bytes, 96 x \d+ pixels", text,
                          flags=re.M)) == groups, text
    assert len(re.findall(r"^epoch at fidelity", text, flags=re.M)) == 2, text

assert b"usage" in run(READ, code=2).stderr
assert b"usage" in run(WRITE, code=2).stderr
assert b"missing.pcr" in run(READ, "missing.pcr", code=1).stderr
assert b"missing.jpg" in run(WRITE, "none.pcr", "missing.jpg", code=1).stderr
