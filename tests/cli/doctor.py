#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""doctor: what the machine can do, and whether a dataset reads."""
import json
import os
import struct

from helper import (convert, damage, dataset, json_of, pcrtool, read, records,
                    two_fidelities)

machine = json_of("doctor", "--json")
assert 1 <= machine["cpu_count"] <= os.cpu_count()
assert machine["page_nbytes"] == os.sysconf("SC_PAGESIZE")
backends = machine["io_backends"].split()
assert {"pread", "mmap", "direct"} <= set(backends), backends
assert machine["io_uring_allowed"] == ("uring" in backends)
assert machine["io_uring_allowed"] == (machine["io_uring_refused"] == "")
assert machine["system"]["release"] == os.uname().release
libraries = " ".join(machine["libraries"])
for name in ("jpeg", "png", "zstd", "xx", "jansson"):
    assert name in libraries.lower(), libraries
assert {"JPEG", "PNG", "GIF", "BMP", "PNM"} <= set(machine["formats"]), machine["formats"]
assert machine["version"] in pcrtool("--version").stdout.decode()
assert "dataset" not in machine

text = pcrtool("doctor").stdout.decode()
for word in (machine["version"], "CPU", "pread", "io_uring", "page size", "open files",
             "formats       JPEG, PNG"):
    assert word in text, text

os.environ["PCR_IO_URING"] = "off"
without = json_of("doctor", "--json")
assert "uring" not in without["io_backends"].split() and not without["io_uring_allowed"]
if machine["io_uring_allowed"]:
    assert "PCR_IO_URING=off" in without["io_uring_refused"]
    assert b"not used: switched off" in pcrtool("doctor").stdout
del os.environ["PCR_IO_URING"]

path = dataset()
info = json_of("info", path, "--json")
found = json_of("doctor", path, "--json")["dataset"]
assert found["sample_count"] == 40 and found["record_count"] == info["record_count"]
assert found["prefix_nbytes"] == [row["nbytes"] for row in info["fidelities"]]

# What the dataset's loading is limited by. (The rates themselves are the machine's.)
assert [row["fidelity"] for row in found["rates"]] == list(range(1, info["group_count"] + 1))
for row in found["rates"]:
    assert min(row["decode_images_per_second"], row["storage_images_per_second"],
               row["decode_images_per_second_1_thread"]) > 0
    assert row["images_per_second"] == min(row["decode_images_per_second"],
                                           row["storage_images_per_second"])
    assert row["cached_images_per_second"] == row["decode_images_per_second"]
    assert row["images_per_second_2x_cpus"] >= row["images_per_second"]
assert found["threads"] == machine["cpu_count"] and found["fits_memory"]
assert found["fidelity"] == info["group_count"] and "--consumer" in found["advice"]

convert("photos", "two.pcr", "--ladder", two_fidelities())
path = "two.pcr"
text = pcrtool("doctor", path, "--consumer", "1", "--threads", "1").stdout.decode()
assert "40 samples" in text and "1 thread" in text, text
assert "Change nothing" in text and "the consumer" in text, text
slow = json_of("doctor", path, "--json", "--storage", "1K", "--fidelity", "2")["dataset"]
assert {row["limit"] for row in slow["rates"]} == {"storage"}
assert slow["fidelity"] == 2 and not slow["fits_memory"]
assert abs(slow["rates"][1]["images_per_second"] * slow["rates"][1]["nbytes_per_image"]
           - 1024) < 1e-6
assert "Storage limits" in slow["advice"], slow

with open("stats.json", "w", encoding="utf-8") as file:
    json.dump({"sample_count": 60, "elapsed_ns": 4 * 10**9, "consumer_wait_ns": 10**9}, file)
told = json_of("doctor", path, "--json", "--stats", "stats.json", "--threads", "1")["dataset"]
assert told["consumer_images_per_second"] == 20
assert {row["limit"] for row in told["rates"]} == {"the consumer"}
for bad in ("{}", "{", '{"sample_count": 1, "elapsed_ns": 1, "consumer_wait_ns": 1}'):
    with open("bad.json", "w", encoding="utf-8") as file:
        file.write(bad)
    assert b"bad.json" in pcrtool("doctor", path, "--stats", "bad.json", code=1).stderr
assert b"1 to " in pcrtool("doctor", path, "--fidelity", "32", code=2).stderr

done = pcrtool("doctor", "missing.pcr", code=1)
assert b"pread" in done.stdout and b"missing.pcr" in done.stderr
# A record that is missing is told, wherever it is looked for first.
convert("photos", "gone.pcr", "--ladder", "two.ladder")
os.remove(records("gone.pcr")[2])  # train-00001.pcr
for options in ([], ["--storage", "1M"]):
    done = pcrtool("doctor", "gone.pcr", *options, code=1)
    assert b"40 samples" in done.stdout and b"cannot open: No such file" in done.stderr, done
# A damaged sample is passed over, here the first.
head_nbytes, = struct.unpack_from("<Q", read(records(path)[0]), 32)
group_count, = struct.unpack_from("<H", read(records(path)[0]), 24)
damage(records(path)[0], 96 + 24 * group_count + head_nbytes + 1)
pcrtool("cat", path, "@0", code=4)
assert json_of("doctor", path, "--json", "--threads", "1")["dataset"]["rates"]
# A split may have no samples.
os.mkdir("photos/a-void")
with open("photos/a-void/bad.jpg", "wb") as file:
    file.write(b"<html>")
convert("photos", "void.pcr", "--layout", "split", "--on-bad", "skip", code=3)
assert json_of("info", "void.pcr", "--json")["splits"][0]["sample_count"] == 0
for record in records("void.pcr") + records(path):
    damage(record, 40)
assert b".pcr" in pcrtool("doctor", "void.pcr", code=4).stderr
done = pcrtool("doctor", path, code=4)
assert b"pread" in done.stdout and b".pcr" in done.stderr
