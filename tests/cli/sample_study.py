#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The study of fidelities trains each of its arms, goes on with what is missing, and shows the
results, where PyTorch is installed."""
import json
import os
import re
import sys

from helper import dataset, run, with_pytorch

samples, env = with_pytorch()
path = dataset(count=160)
program = os.path.join(samples, "fidelity_study.py")


def study(*args, code=0):
    return run(sys.executable, program, *args, env=env, code=code).stdout.decode()


def rows(name):
    with open(name, encoding="utf-8") as file:
        return [json.loads(line) for line in file]


how = [path, "--size", "32", "--batch-size", "16", "--epochs", "3", "--seeds", "2"]
arms = ["full", "fidelity=1", "quality=0.9", "gradient", "plateau", "bandwidth"]
text = study(*how, "--arms", ",".join(arms), "--out", "all.jsonl")
got = rows("all.jsonl")
assert len(got) == len(arms) * 2 * 3, text
last = {(r["arm"], r["seed"]): r for r in got if r["epoch"] == 3}
assert set(last) == {(arm, seed) for arm in arms for seed in (0, 1)}
for seed in (0, 1):
    low, middle, full = (last[arm, seed]["nbytes"] for arm in ("fidelity=1", "quality=0.9",
                                                               "full"))
    assert low < middle < full, (low, middle, full)
assert all(0 <= r["accuracy"] <= 1 and r["seconds"] > 0 for r in got)
table = re.findall(r"^\| (\S+) \| [\d.]+ ± [\d.]+ \| ([\d.]+) \|", text, flags=re.M)
assert [name for name, _ in table] == arms and dict(table)["full"] == "1.00", text

# What is there is not repeated; a run that was cut off is.
with open("all.jsonl", "w", encoding="utf-8") as file:
    for r in got[:-1]:
        file.write(json.dumps(r) + "\n")
study(*how, "--arms", ",".join(arms), "--out", "all.jsonl")
again = rows("all.jsonl")
assert len(again) == len(got) - 1 + 3
same = [(r["epoch"], r["loss"]) for r in again[-3:]]
if got[-1]["arm"] != "bandwidth":  # whose choices depend on time
    assert same == [(r["epoch"], r["loss"]) for r in got[-3:]]
assert "| full |" in study("--show", "all.jsonl")

# Storage that is slower than training.
study(*how[:5], "--epochs", "2", "--seeds", "1", "--arms", "full", "--throttle", "4", "--out",
      "slow.jsonl")
assert rows("slow.jsonl")[-1]["throttle"] > 0
study(code=2)
