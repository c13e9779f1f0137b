#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What convert refuses before it begins, and what it says beside the summary."""
import json
import os
import shutil

from helper import convert, digests, fails, json_of, pcrtool, photos, read

source = photos(count=6, classes=2, splits=False)
good = read(f"{source}/class-00/photo-00000.jpg")


def put(path, data):
    with open(path, "wb") as file:
        file.write(data)
    return path


# No dataset in its own source, however the paths are written.
os.symlink(source, "way")
os.symlink("nowhere", "dangling")
for inside in (source, f"{source}/", f"{source}/new.pcr", f"{source}/new.pcr///",
               f"./{source}/../{source}/class-00/x", "way/new.pcr", f"{os.getcwd()}/{source}/x"):
    fails("convert", source, inside, "--quiet", says=["is inside", "choose another folder"])
    fails("convert", "way", inside, "--quiet", says=["is inside"])
fails("convert", ".", "new.pcr", says=["new.pcr is inside .: choose another folder"])
fails("convert", "/", "/new.pcr", says=["/new.pcr is inside /"])
assert sorted(os.listdir(source)) == ["class-00", "class-01"]
convert(source, source + ".pcr")  # a name that begins the same is another folder
convert(source, "slashes.pcr///")
assert read("slashes.pcr/manifest.json") == read(source + ".pcr/manifest.json")
fails("convert", source, f"{source}/class-00/photo-00000.jpg/x", says=["photo-00000.jpg"])
fails("convert", source, "x" * 300 + "/y", says=["File name too long"])
fails("convert", "dangling", "a.pcr", says=["dangling: "])

# A folder with other files is no place for a dataset; hidden ones do not count.
os.makedirs("home/.cache")
os.mkdir("home/lost+found")
put("home/.profile", b"")
convert(source, "home")
os.mkdir("web")
put("web/index.html", b"mine")
for args in ((), ("--json",), ("--on-bad", "skip")):
    fails("convert", source, "web", *args,
          says=["web: holds other files (index.html): choose a new or empty folder"])
assert os.listdir("web") == ["index.html"]
fails("recode", "home", "web", "--coding", "scans", says=["web: holds other files"])
before = digests("home")
fails("convert", source, "home", "--seed", "7", says=["home: already holds another dataset"])
assert digests("home") == before

# What file systems and people leave beside images is left out and counted, unless asked for.
shutil.copytree(source, "junk")
for name in ("Thumbs.db", ".DS_Store", "desktop.ini", "notes.txt", "._a.jpg"):
    put(f"junk/class-00/{name}", b"no image")
put("junk/class-01/odd.dat", good)
put("junk/class-01/photo.JPG", good)
report = json_of("convert", "junk", "dry", "--dry-run", "--json")
assert (report["sample_count"], report["ignored_count"]) == (8, 5), report
report = json_of("convert", "junk", "dry", "--dry-run", "--json", "--extensions", "jpg,png")
assert (report["sample_count"], report["ignored_count"]) == (7, 6), report
report = json_of("convert", "junk", "dry", "--dry-run", "--json", "--extensions", "dat")
assert (report["sample_count"], report["ignored_count"]) == (1, 12), report
report = json_of("convert", "junk", "dry", "--dry-run", "--json", "--all-files", "--on-bad",
                 "skip", code=3)
assert (report["sample_count"], report["skipped_count"], report["ignored_count"]) == (8, 3, 2)
fails("convert", "junk", "dry", "--extensions", "gif", says=["junk: no images in this folder"])
fails("convert", "junk", "dry", "--extensions", ".jpg", code=2, says=["'.jpg' is no extension"])
fails("convert", "junk", "dry", "--extensions", "jpg", "--all-files", code=2, says=["exclude"])
fails("convert", "junk", "dry", "--quality", "80", "--json", code=2, says=["--max-side"])

# Ladders and classes that are no such files.
fails("convert", source, "a.pcr", "--ladder", ".", says=[".: Is a directory"])
fails("convert", source, "a.pcr", "--ladder", put("large.ladder", b"#" * (1 << 20)),
      says=["large.ladder: too large for a ladder"])
fails("convert", source, "a.pcr", "--ladder", put("empty.ladder", b""), says=["empty.ladder: "])
fails("convert", source, "a.pcr", "--classes", put("none.txt", b"\n\r\n\n"),
      says=["--classes none.txt: contains no names"])
fails("convert", source, "a.pcr", "--classes", ".", says=["--classes .: Is a directory"])
names = "".join(f"name of a class with number {i}\n" for i in range(300)).encode()
put("many.txt", names + b"class-01\nclass-00")  # more than one read, and no line end
convert(source, "many.pcr", "--classes", "many.txt")
classes = json_of("info", "many.pcr", "--json")["classes"]
assert [c["name"] for c in classes[-2:]] == ["class-01", "class-00"] and len(classes) == 302
assert classes[-1]["sample_count"] == 3

# A format that is asked for.
fails("convert", source, "a.pcr", "--from", "list", says=[source])
put("rows", f"path,label\n{source}/class-00/photo-00000.jpg,7\n".encode())
assert json_of("convert", "rows", "rows.pcr", "--from", "list", "--json")["sample_count"] == 1
assert "labels are ints" in pcrtool("convert", "rows", "dry.pcr", "--from", "list", "--dry-run",
                                    "--no-classes").stdout.decode()
assert "\t7\t" in pcrtool("ls", "rows.pcr").stdout.decode()
fails("convert", "rows", "a.pcr", "--from", "list", "--layout", "flat",
      code=2, says=["--layout applies to folders"])
fails("convert", "rows", "a.pcr", "--from", "list", "--all-files",
      code=2, says=["--all-files applies to folders"])
assert not os.path.exists("a.pcr")

# Ten of what is left out or noted are named, the others counted.
shutil.copytree(source, "stray")
for i in range(13):
    put(f"stray/beside-{i:02}.jpg", good)
done = pcrtool("convert", "stray", "stray.pcr", "--layout", "class", code=3)
assert done.stderr.count(b"left out: beside-") + done.stderr.count(b"left out: stray/") == 10, \
    done.stderr
assert b"left out: 3 more\n" in done.stderr, done.stderr
report = json_of("convert", "stray", "stray.pcr", "--layout", "class", "--json", code=3)
assert report["left_out_count"] == 13 and report["records_kept"] == report["record_count"] == 1

# One bad input ends the work, and says how to go on; so do kept records.
put(f"{source}/class-01/zz.jpg", b"<html>")
for quiet in (False, True):
    said = fails("convert", source, "bad.pcr", "--no-shuffle", "--records", "2", "--threads", "1",
                 *(["--quiet"] if quiet else []), says=["zz.jpg"])
    assert "zz.jpg@0: " in said and "; --on-bad skip leaves bad inputs out" in said, said
    assert ("records are finished; the same command" in said) != quiet, (quiet, said)
text = pcrtool("convert", source, "bad.pcr", "--no-shuffle", "--records", "2", "--threads", "1",
               "--on-bad", "skip", code=3).stdout.decode()
assert "kept from an earlier run)" in text and "skipped 1 bad input(s)" in text, text

# A dry run names all bad inputs; its exit code is that of the conversion.
put(f"{source}/class-00/yy.jpg", good[:len(good) // 2])
for args in ([], ["--json"]):
    done = pcrtool("convert", source, "dry.pcr", "--dry-run", *args, code=4)
    for name in (b"zz.jpg@0: ", b"yy.jpg@"):
        assert done.stderr.count(b"bad input: " + source.encode()) == 2 and name in done.stderr
    assert b"2 bad input(s) would stop the conversion; --on-bad skip" in done.stderr
    assert b"2" in done.stdout and b"error" not in done.stdout
assert json.loads(done.stdout)["skipped_count"] == 2
pcrtool("convert", source, "dry.pcr", "--dry-run", "--on-bad", "skip", code=3)
os.remove(f"{source}/class-00/yy.jpg")
pcrtool("convert", source, "dry.pcr", "--dry-run", code=1)

# Kinds of bad inputs are counted by name, as far as there is room for names.
kinds = [b"GIF89a", b"II*\0", b"8BPS", b"%PDF-1.7", b"PK\3\4", b"\x1f\x8b\x08", b"qoif", b"BZh9",
         b"a\x1b", b"\xff\x0a", b"Rar!\x1a\x07", b"\x7fELF", b"\0\0\1\xba", b"ID3", b"OggS",
         b"FLV\1",
         b"RIFF\0\0\0\0AVI ", b"\0\0\0\x14ftypqt  ", b"\0\0\0\x18ftypheic", b"PAR1", b"BPG\xfb",
         b"\xff\xfeh", b"\0\0\1\0\1\0\x10\x10", b"II\xbc\1", b"\xfd7zXZ\0", b"FLIF", b"DDS ",
         b"v/1\1", b"farbfeld", b"%!PS", b"Bud1", b"\x93NUMPY", b"gimp xcf", b"IIRO", b"IIU\0"]
for i, kind in enumerate(kinds):
    put(f"{source}/class-01/kind-{i:02}.jpg", kind + bytes(40))
text = pcrtool("convert", source, "kinds.pcr", "--on-bad", "skip", code=3).stdout.decode()
line = next(line for line in text.splitlines() if line.startswith("bad inputs"))
parts = line.split(maxsplit=2)[2].split(", ")
assert len(parts) == 33 and parts[-1] == f"{len(kinds) + 1 - 32} others", line
assert parts[:-1] == sorted(parts[:-1], key=lambda part: part.split(" ", 1)[1]), line
os.rename("kinds.pcr", "told.pcr")
report = json_of("convert", source, "kinds.pcr", "--on-bad", "skip", "--json", code=3)
assert report["skipped_count"] == len(kinds) + 1, report
assert len(report["bad_formats"]) == 32 and report["bad_formats"]["HTML"] == 1, report
