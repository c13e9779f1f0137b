#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""extract: files under their keys, at any fidelity, chosen by key, split and class."""
import os

from helper import dataset, digests, fails, files, json_of, pcrtool, pixels, read

path = dataset()
groups = json_of("info", path, "--json")["group_count"]
keys = files("photos")

text = pcrtool("extract", path, "out").stdout.decode()
assert "40 samples in 40 files" in text, text
assert files("out") == keys
for key in keys:
    data = read(os.path.join("out", key))
    assert pixels(data) == pixels(read(os.path.join("photos", key))), key
    assert data == pcrtool("cat", path, key).stdout

pcrtool("extract", path, "flat", "--jpeg", "baseline", "-g", "2", "--quiet")
assert read(os.path.join("flat", keys[3])) == pcrtool("cat", path, keys[3], "-g", "2", "--jpeg",
                                                      "baseline").stdout

# What is there stays, unless it is to be replaced.
before = digests("out")
fails("extract", path, "out", "--quiet", says=["--force"])
assert digests("out") == before
report = json_of("extract", path, "out", "--force", "--fidelity", "1", "--json")
assert report["fidelity"] == 1 and report["written_count"] == 40
assert report["written_nbytes"] == sum(
    os.path.getsize(os.path.join("out", key)) for key in keys)
assert not set(before.values()) & set(digests("out").values())
pcrtool("extract", path, "out", "--force", "--fidelity", str(groups))
assert digests("out") == before

assert pcrtool("extract", path, "few", keys[3], "@0", "--quiet").stdout == b""
assert len(files("few")) == 2 and keys[3] in files("few")
pcrtool("extract", path, "class", "--class", "class-02")
assert files("class") == [k for k in keys if "class-02" in k]
pcrtool("extract", path, "split", "--split", "test")
assert files("split") == [k for k in keys if k.startswith("test/")]
os.symlink("few", "link")
pcrtool("extract", path, "link", keys[0] if keys[0] not in files("few") else keys[1])
assert len(files("few")) == 3, "OUT may be a symbolic link itself"

fails("extract", path, "other", "no/such.jpg", "--quiet", says=["no/such.jpg"])
fails("extract", path, "no/such/folder", says=["no/such/folder"])
with open("file", "wb") as file:
    file.write(b"mine")
fails("extract", path, "file", says=["file"])
assert read("file") == b"mine"
fails("extract", path, "other", "--fidelity", "32", code=2, says=["1 to"])
