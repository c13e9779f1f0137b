#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""convert with each ladder, and with one from a file, keeps every pixel."""
import os

from helper import (convert, fails, files, json_of, pcrtool, photos, pixels, read,
                    two_fidelities)

source = photos(count=8, splits=False)
counts = {}
for ladder in ("bitplane", "classic", "packed", two_fidelities()):
    target = ladder + ".pcr"
    convert(source, target, "--ladder", ladder)
    info = json_of("info", target, "--json")
    counts[ladder] = info["group_count"]
    assert info["coding"] == ("scans" if ladder == "classic" else "packed"), ladder
    pcrtool("verify", target, "--deep", "--quiet")
    pcrtool("extract", target, "out-" + ladder, "--quiet")
    for name in files(source):
        assert pixels(read(f"out-{ladder}/{name}")) == pixels(read(f"{source}/{name}"))
assert 5 <= counts["bitplane"] <= 8, counts
assert counts["two.ladder"] == 2, counts

fails("convert", source, "none.pcr", "--ladder", "classic", "--coding", "packed", "--quiet",
      code=2, says=["coding packed cannot use ladder classic"])
fails("convert", source, "none.pcr", "--ladder", "no-such-ladder", "--quiet",
      code=1, says=["no-such-ladder"])
with open("broken.ladder", "w", encoding="utf-8") as file:
    file.write("ladder broken\nscript only\ngroup\nluma 1-63 0 0\n")
fails("convert", source, "none.pcr", "--ladder", "broken.ladder", "--quiet", code=1)
assert not os.path.exists("none.pcr/manifest.json")
