#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""cat: one sample as a standard JPEG at each fidelity, by key and by index."""
import json
import os
import stat

from helper import dataset, fails, json_of, pcrtool, pixels, read

path = dataset()
info = json_of("info", path, "--json")
sample = json.loads(pcrtool("ls", path, "--json", "-n", "1").stdout)
key = sample["key"]
source = read(os.path.join("photos", key))

sizes = []
for g in range(1, info["group_count"] + 1):
    data = pcrtool("cat", path, key, "--fidelity", str(g)).stdout
    assert data == pcrtool("cat", path, "@0", "-g", str(g)).stdout
    assert data[:2] == b"\xff\xd8" and data[-2:] == b"\xff\xd9"
    decoded = pixels(data)
    assert decoded is None or decoded[0] == (96, 80)
    sizes.append(len(data))
assert sizes == sorted(sizes)

full = pcrtool("cat", path, key).stdout
assert len(full) == sizes[-1]
assert pixels(full) == pixels(source), "the highest fidelity has other pixels"

# Another form of the file: sequential, with restart markers, and the same pixels.
flat = pcrtool("cat", path, key, "--jpeg", "baseline").stdout
assert b"\xff\xc0\x00" in flat and b"\xff\xdd\x00\x04" in flat and b"\xff\xd0" in flat
assert b"\xff\xc2\x00" in full and b"\xff\xc2\x00" not in flat
assert pixels(flat) == pixels(full)
assert pcrtool("cat", path, key, "--jpeg", "progressive").stdout == full
fails("cat", path, key, "--jpeg", "lossless", code=2, says=["lossless"])

# -o: a new file, one that is replaced, a device, the target of a link.
for _ in range(2):
    assert pcrtool("cat", path, key, "-o", "full.jpg").stdout == b""
    assert read("full.jpg") == full
os.symlink("full.jpg", "link.jpg")
coarse = pcrtool("cat", path, key, "-g", "1").stdout
pcrtool("cat", path, key, "-g", "1", "-o", "link.jpg")
assert os.path.islink("link.jpg") and read("full.jpg") == coarse
pcrtool("cat", path, key, "-o", "/dev/null")
assert stat.S_ISCHR(os.stat("/dev/null").st_mode)
assert pcrtool("cat", path, key, "-o", "/dev/stdout").stdout == full

fails("cat", path, "no/such.jpg", says=["no/such.jpg", "pcrtool ls"])
fails("cat", path, "@40", says=["@40", "40 samples"])
fails("cat", path, "@-1", says=["@-1"])
fails("cat", path, "", says=["no sample"])
fails("cat", path, key, "-g", "32", code=2, says=["fidelities 1 to"])
fails("cat", path, key, "-o", "no/such/folder.jpg", says=["no/such/folder.jpg"])
fails("cat", path, key, "-o", ".", says=["."])
assert sorted(os.listdir(".")) == ["dataset.pcr", "full.jpg", "link.jpg", "photos"]
