#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""doctor: what the machine can do, and whether a dataset reads."""
import os

from helper import damage, dataset, json_of, pcrtool, records

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
assert machine["version"] in pcrtool("--version").stdout.decode()
assert "dataset" not in machine

text = pcrtool("doctor").stdout.decode()
for word in (machine["version"], "CPU", "pread", "io_uring", "page size", "open files"):
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
assert "40 samples" in pcrtool("doctor", path).stdout.decode()

done = pcrtool("doctor", "missing.pcr", code=1)
assert b"pread" in done.stdout and b"missing.pcr" in done.stderr
for record in records(path):
    damage(record, 40)
done = pcrtool("doctor", path, code=4)
assert b"pread" in done.stdout and b".pcr" in done.stderr
