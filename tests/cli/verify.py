#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""verify finds damage wherever it is, and says which file."""
import json
import os
import shutil
import struct

from helper import damage, dataset, fails, files, json_of, pcrtool, read, records

path = dataset(count=40, records=8)
record_count = len(records(path))

for options in ([], ["--deep"], ["--threads", "1"], ["-j", "7", "--deep"]):
    text = pcrtool("verify", path, *options)
    assert b"40 samples" in text.stdout and b"intact" in text.stdout
    assert text.stderr == b""
report = json_of("verify", path, "--json")
assert report["intact"] is True and report["findings"] == []
assert report["record_count"] == record_count and report["sample_count"] == 40
assert pcrtool("verify", path, "--quiet").stdout == b""
assert json_of("verify", records(path)[0], "--json")["record_count"] == 1
# The generated photographs have 96 x 80 pixels.
report = json_of("verify", path, "--deep", "--max-pixels", "7679", "--json")
assert report["intact"] and report["undecodable_samples"] == 40, report
report = json_of("verify", path, "--deep", "--max-pixels", "7680", "--json")
assert report["intact"] and report["undecodable_samples"] == 0, report
assert json_of("verify", path, "--split", "train", "--json")["sample_count"] == 32


def check(name, harm):
    """`harm` is done to a copy's second record; its file must be named."""
    shutil.rmtree("copy", ignore_errors=True)
    shutil.copytree(path, "copy")
    victim = records("copy")[1]
    harm(victim)
    done = pcrtool("verify", "copy", code=4)
    assert os.path.basename(victim).encode() in done.stderr, (name, done.stderr)
    assert len(done.stderr.splitlines()) >= 1
    found = json.loads(pcrtool("verify", "copy", "--json", code=4).stdout)
    assert found["intact"] is False and found["bad_records"] == 1, (name, found)
    assert found["record_count"] == record_count, "one bad record ends the work"
    assert os.path.basename(victim) in found["findings"][0]["record"]
    assert found["findings"][0]["code"] in ("FORMAT", "CORRUPT", "TRUNCATED", "IO"), found
    return found


def cut(victim):
    os.truncate(victim, os.path.getsize(victim) - 10)


def append(victim):
    with open(victim, "ab") as file:
        file.write(b"x")


def exchange(victim):
    shutil.copyfile(records("copy")[2], victim)


head_nbytes, = struct.unpack_from("<Q", read(records(path)[1]), 32)
group_count, = struct.unpack_from("<H", read(records(path)[1]), 24)
head = 96 + 24 * group_count
check("magic", lambda victim: damage(victim, 0))
check("header", lambda victim: damage(victim, 20))
check("head", lambda victim: damage(victim, head + head_nbytes // 2))
check("first group", lambda victim: damage(victim, head + head_nbytes + 1))
found = check("last group", lambda victim: damage(victim, -1))
assert found["bad_samples"] == 1, found
check("cut", cut)
check("appended", append)
check("exchanged", exchange)
check("empty", lambda victim: os.truncate(victim, 0))
check("missing", os.unlink)

# What is damaged is not delivered, and extract goes on with the rest.
shutil.rmtree("copy")
shutil.copytree(path, "copy")
damage(records("copy")[1], -1)
done = pcrtool("extract", "copy", "out", code=4)
assert b"39 files" in done.stdout, done.stdout

# Of a record that was cut off, what is before the cut is read, at the fidelities that are whole.
shutil.rmtree("copy")
shutil.rmtree("out")
shutil.copytree(path, "copy")
victim = records("copy")[1]
ends = [struct.unpack_from("<Q", read(victim), 88 + 24 * g)[0] for g in range(group_count)]
os.truncate(victim, (ends[2] + ends[3]) // 2)
found = json.loads(pcrtool("verify", "copy", "--deep", "--json", code=4).stdout)
assert [f["code"] for f in found["findings"]] == ["TRUNCATED"], found
assert found["bad_records"] == 1 and found["bad_samples"] == 8, found
pcrtool("extract", path, "low", "--fidelity", "3")
pcrtool("extract", "copy", "out", "--fidelity", "3")
for key in files("low"):
    assert read(os.path.join("out", key)) == read(os.path.join("low", key)), key
done = json.loads(pcrtool("extract", "copy", "whole", "--json", code=4).stdout)
assert done["written_count"] == 32 and done["damaged_count"] == 8, done
done = json_of("extract", "copy", "best", "--on-damage", "degrade", "--json", code=4)
assert done["written_count"] == 40 and done["degraded_count"] == 8, done
assert done["damaged_count"] == 0, done
same = sum(read(os.path.join("best", key)) == read(os.path.join("low", key))
           for key in files("low"))
assert 1 <= same <= 8, same  # those after the cut; the others have group 4 as well
os.truncate(victim, ends[0])
assert len(files("best")) == 40
pcrtool("extract", "copy", "coarse", "--fidelity", "1")
pcrtool("info", victim)
os.truncate(victim, head + head_nbytes - 1)
done = pcrtool("extract", "copy", "none", "--fidelity", "1", code=4)
assert b"32 files" in done.stdout and b"the file has" in done.stderr, done

# A manifest that is damaged is known at once.
shutil.rmtree("copy")
shutil.copytree(path, "copy")
damage(os.path.join("copy", "manifest.json"), 60)
fails("verify", "copy", code=4, says=["manifest.json"])
fails("info", "copy", code=4, says=["manifest.json"])
