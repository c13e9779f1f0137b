#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What stands in the way of cat's file and of extract's, and samples that nothing can show."""
import json
import os
import socket

from helper import convert, dataset, fails, files, json_of, pcrtool, photos, read

path = dataset(count=4, classes=1, splits=False)
sample = pcrtool("cat", path, "@0").stdout
with open("file", "wb") as file:
    file.write(b"mine")
before = files(".")

# Of a failure nothing is left, and what is there stays.
fails("cat", path, "@0", "-o", "file/x", says=["file/x: Not a directory"])
fails("cat", path, "@0", "-o", "/dev/full", says=["/dev/full: No space left on device"])
fails("cat", path, "@0", "-o", "", code=2, says=["needs a value"])
fails("cat", path, "@0", "-o", "x" * 256, says=["File name too long"])
fails("cat", path, "@0", "-o", "no/x", says=["no/x: No such file"])
fails("cat", path, "@0", "-o", "/proc/x", says=["/proc/x: "])
with socket.socket(socket.AF_UNIX) as server:
    server.bind("socket")
    fails("cat", path, "@0", "-o", "socket", says=["socket: No such device or address"])
os.unlink("socket")
os.symlink("file/x", "broken")
fails("cat", path, "@0", "-o", "broken", says=["broken: Not a directory"])
os.unlink("broken")
assert files(".") == before and read("file") == b"mine"

# What one that was killed left is taken away; a folder of its name is not.
for folder in ("out", "taken/.pcr-part"):
    os.makedirs(folder)
with open("out/.pcr-part", "wb") as file:
    file.write(b"half")
pcrtool("cat", path, "@0", "-o", "out/a.jpg")
assert os.listdir("out") == ["a.jpg"] and read("out/a.jpg") == sample
os.symlink("../file", "out/.pcr-part")
fails("cat", path, "@0", "-o", "out/b.jpg", says=["out/b.jpg: Too many levels of symbolic links"])
fails("cat", path, "@0", "-o", "taken/c.jpg", says=["taken/c.jpg: "])
assert os.path.islink("out/.pcr-part") and read("file") == b"mine"

# A key that has the name of unfinished files.
key = json.loads(pcrtool("ls", path, "-n1", "--json").stdout)["key"]
with open("part.jsonl", "w", encoding="utf-8") as file:
    for name in ("a/.pcr-tmp-b", ".pcr-export/b", ".pcr-tmp", ".pcr-exported"):
        file.write(json.dumps({"path": "photos/" + key, "key": name}) + "\n")
convert("part.jsonl", "part.pcr", "--no-shuffle")
done = pcrtool("extract", "part.pcr", "parts", code=3)
assert done.stderr.count(b"a component is the name of unfinished files") == 2, done.stderr
assert files("parts") == [".pcr-exported", ".pcr-tmp"]

# Kept whole: no size is known, and nothing is said of sizes.
with open("opaque.jsonl", "w", encoding="utf-8") as file:
    file.write('{"path": "file"}\n')
convert("opaque.jsonl", "opaque.pcr", "--on-bad", "opaque")
assert pcrtool("ls", "opaque.pcr").stdout == b"0\t4\t-\topaque\t-\tfile\n"
assert b"image size" not in pcrtool("info", "opaque.pcr").stdout
info = json_of("info", "opaque.pcr", "--json")
assert info["undecodable_count"] == 1 and "image_size" not in info
assert pcrtool("cat", "opaque.pcr", "file").stdout == b"mine"
done = pcrtool("verify", "opaque.pcr", "--deep")
assert b"all intact, 1 undecodable (kept whole; no decoder here" in done.stdout, done.stdout
assert done.stderr.startswith(b"undecodable: "), done.stderr
assert json_of("verify", "opaque.pcr", "--deep", "--json")["undecodable"][0]["code"] == "FORMAT"
fails("bench", "opaque.pcr", "--threads", "0", code=2, says=["--threads"])

# Of JPEG and PNG, notes tell what was dropped and what is salvaged.
source = photos("odd", count=2, classes=1, splits=False)
names = [os.path.join(source, name) for name in files(source)]
with open(names[0], "ab") as file:
    file.write(b"more" * 1250)
whole = read(names[1])
with open(names[1], "wb") as file:
    file.write(whole[:len(whole) * 3 // 4])
convert(source, "odd.pcr", "--on-bad", "salvage", "--layout", "class")
text = pcrtool("info", "odd.pcr", "--notes").stdout.decode()
for part in ("salvaged     1 sample(s) from damaged files", "Notes", ", 5000 bytes",
             "dropped      4.9 KiB after the image in 1 file(s)"):
    assert part in text, (part, text)
assert len(json_of("info", "odd.pcr", "--notes", "--json")["notes"]) == 2
