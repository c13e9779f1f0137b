#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Options in all their spellings, and what is no value of theirs."""
from helper import convert, dataset, fails, json_of, pcrtool

path = dataset(count=12, records=4)


def out(*args):
    return pcrtool(*args).stdout


# A value behind '=', or as the next word; letters together, the last one with its value.
first = out("ls", path, "--limit", "1")
assert first.count(b"\n") == 1
for same in (["--limit=1", path], [path, "-n1"], ["-n", "1", path], ["-n", "1", "--", path],
             ["--limit=5", path, "--limit=1"]):
    assert out("ls", *same) == first, same
assert out("verify", "-qj2", path) == out("verify", "-q", "-j", "2", path) == b""
assert b"all intact" in out("verify", "-j2", path)
assert b"Usage: pcrtool verify" in out("verify", "-qh", "missing")
fails("ls", "--", "--json", says=["--json: cannot open: No such file"])
fails("ls", "-", says=["-: "])
fails("verify", path, "-qZ", code=2, says=["unknown option -Z"])
fails("verify", path, "-qj", code=2, says=["--threads needs a value: N"])
fails("verify", path, "--quiet=", code=2, says=["--quiet takes no value"])
fails("verify", path, "--qui", code=2, says=["unknown option --qui\n"])
fails("verify", path, "--=1", code=2, says=["unknown option --\n"])

# Numbers are decimal digits in the range.
for bad in ("", " 1", "1 ", "+1", "-1", "0x1", "1e3", "1.0", "0", "1025",
            "18446744073709551615", "18446744073709551616", "99999999999999999999"):
    fails("verify", path, f"--threads={bad}", code=2,
          says=["--threads takes a whole number from 1 to 1024, not '" + bad + "'"])
fails("ls", path, "-n", "0", code=2, says=["a whole number of at least 1, not '0'"])
assert out("ls", path, "-n", "18446744073709551615") == out("ls", path)

# Sizes have units of powers of 1024.
whole = [json_of("convert", "photos", f"size-{i}.pcr", "--json", "--record-bytes", size)
         for i, size in enumerate(("8K", "8k", "8KB", "8KiB", "8192", "8192B"))]
counts = {report["record_count"] for report in whole}
assert len(counts) == 1 and counts.pop() > 3, whole
for i, size in enumerate(("1M", "1m", "1GiB", "1tB", "16777215T")):
    report = json_of("convert", "photos", f"large-{i}.pcr", "--json", "--record-bytes", size)
    assert report["record_count"] == 1, report
for bad in ("", "M", "8X", "8iB", "8KiBs", "8Ki", "8BK", "-8K", "16777216T",
            "18446744073709551616"):
    fails("convert", "photos", "bad.pcr", "--record-bytes", bad, code=2,
          says=["--record-bytes takes a size such as 64M of at least 1, not '" + bad + "'"])

# Words are whole and in small letters.
for bad in ("", "sk", "skip|", "SKIP", "skip ", "fail|skip"):
    fails("convert", "photos", "bad.pcr", "--on-bad", bad, code=2,
          says=["one of fail|skip|opaque|salvage, not '" + bad + "'"])

# A sample's index is as strict; what is none is a key.
for bad in ("@", "@ 0", "@0x0", "@18446744073709551616", "@0@"):
    fails("cat", path, bad, says=[f"{bad}: no sample has this key"])
fails("cat", path, "@18446744073709551615", says=["there are 12 samples"])
for bad in (" 1", "-1", "4", "18446744073709551616"):
    fails("ls", path, "--class", bad, code=2, says=["number below 4"])
convert("photos", "flat.pcr", "--layout", "flat")
fails("ls", "flat.pcr", "--class", "0", code=2, says=["the dataset has no classes"])
