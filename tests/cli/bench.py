#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""bench: a line for each fidelity, backend and number of threads, and what it was made of."""
import os

from helper import convert, damage, dataset, fails, json_of, pcrtool, records

path = dataset()
info = json_of("info", path, "--json")
groups = info["group_count"]
cpus = json_of("doctor", "--json")["cpu_count"]

found = json_of("bench", path, "--json", "--fidelity", "2", "--size", "32")
assert found["sample_count"] == 40 and found["size_px"] == 32 and not found["cold"]
assert [row["threads"] for row in found["rates"]] == ([1, cpus] if cpus > 1 else [1])
image_bytes = info["fidelities"][1]["nbytes"] - info["head_nbytes"]
for row in found["rates"]:
    assert row["fidelity"] == 2 and row["backend"] == "auto"
    # Whole epochs, until the time is over.
    assert row["sample_count"] % 40 == 0 and row["sample_count"] > 0
    assert row["seconds"] >= 1
    assert abs(row["images_per_second"] * row["seconds"] / row["sample_count"] - 1) < 1e-6
    assert row["nbytes_per_image"] == image_bytes / 40
    assert 0 < row["cpu_ms_per_image"] < 1e3 * row["seconds"] * (cpus + 1)

every = json_of("bench", path, "--json", "-f", "1", "--threads", "3", "--io", "all", "--cold")
assert [row["backend"] for row in every["rates"]] == ["pread", "mmap", "uring", "direct"]
assert {row["threads"] for row in every["rates"]} == {3}
assert every["cold"] and isinstance(every["pages_stayed"], bool)

slow = json_of("bench", path, "--json", "-f", str(groups), "--threads", "1", "--throttle",
               "256K")
assert slow["throttle_nbytes_per_second"] == 256 << 10
assert slow["rates"][0]["nbytes_per_second"] < 4 * (256 << 10)  # a first burst is allowed

text = pcrtool("bench", path, "--split", "train", "--threads", "1", "-f", str(groups), "--size",
               "32", "--cold", "--throttle", "1G").stdout.decode()
assert "to 32 px, not cached at first, reading throttled\n" in text and "images/s" in text, text
assert len(text.strip().split("\n")) == 4, text
one = json_of("bench", records(path)[0], "-f", "1", "--threads", "1", "--cold", "--io", "mmap",
              "--json")
assert [row["backend"] for row in one["rates"]] == ["mmap"]

fails("bench", path, "--fidelity", str(groups + 1), code=2, says=[f"1 to {groups}"])
fails("bench", path, "--io", "tape", code=2, says=["pread|mmap"])
fails("bench", path, "--seconds", "0", code=2, says=["seconds"])
fails("bench", path, "--split", "none-such", code=2, says=["none-such"])
fails("bench", "missing.pcr", says=["missing.pcr"])
os.mkdir("photos/void")  # a split of which nothing is left
with open("photos/void/bad.jpg", "wb") as file:
    file.write(b"<html>")
convert("photos", "part.pcr", "--layout", "split", "--on-bad", "skip", code=3)
fails("bench", "part.pcr", "--split", "void", says=["part.pcr has no samples to measure with"])
damage(records(path)[0], -1)  # a damaged sample is passed over
pcrtool("verify", path, "--quiet", code=4)
pcrtool("bench", path, "-f", str(groups), "--threads", "1", "--json")
os.remove(records(path)[0])
fails("bench", path, "-f", "1", "--json", says=[".pcr"])
fails("bench", path, "-f", "1", "--threads", "1", "--cold", "--json",
      says=[".pcr: cannot drop its pages: No such file"])
