# SPDX-License-Identifier: BSD-2-Clause
"""Source files come back byte for byte: names and SHA-256 of a tree, in every form of export;
and modes and times, where sources and exports have them."""
import hashlib
import os
import stat
import tarfile
import zipfile
from pathlib import Path

from helper import convert, damage, fails, json_of, pcrtool, photos, records


def sums(folder):
    """SHA-256 of each file, by its path below the folder."""
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in Path(folder).rglob("*") if path.is_file()}


def infos(folder):
    """Mode and time of each file, by its path below the folder."""
    return {str(path.relative_to(folder)):
            (stat.S_IMODE(path.stat().st_mode), path.stat().st_mtime_ns)
            for path in Path(folder).rglob("*") if path.is_file()}


photos("tree", count=12, classes=2, size="200x150", splits=False)
first = sorted(Path("tree").rglob("*.jpg"))[0]
first.write_bytes(first.read_bytes() + b"what a camera appends")
# Before 1970, far in the future, whole seconds, equal ones.
times = [-1, -10**18 - 7, 0, 4 * 10**18 + 123456789, 10**18, 10**18, 10**18 + 1]
for number, path in enumerate(sorted(Path("tree").rglob("*.jpg"))):
    path.chmod([0o600, 0o444, 0o640, 0o777][number % 4])
    os.utime(path, ns=(0, times[number % 7]))
made = json_of("convert", "tree", "kept.pcr", "--json", "--keep-originals", "on")
assert made["originals"] and not made["unrestorable_count"] and not made["dropped_count"], made
pcrtool("extract", "kept.pcr", "back", "--jpeg", "source")
assert sums("back") == sums("tree")
assert infos("back") == infos("tree")
assert sums("back") != (pcrtool("extract", "kept.pcr", "anew"), sums("anew"))[1]
assert {mode for mode, _ in infos("anew").values()} == {0o666 & ~os.umask(0o022)}
assert min(time for _, time in infos("anew").values()) > 10**18 + 1  # of now

# In archives too, of both codings, and after recoding.
pcrtool("extract", "kept.pcr", "back.zip", "--jpeg", "source")
with zipfile.ZipFile("back.zip") as archive:
    archive.extractall("unzipped")
assert sums("unzipped") == sums("tree")
pcrtool("recode", "kept.pcr", "scans.pcr", "--coding", "scans")
pcrtool("extract", "scans.pcr", "scanned", "--jpeg", "source")
assert infos("scanned") == infos("tree")
pcrtool("extract", "scans.pcr", "back.tar", "--jpeg", "source")
with tarfile.open("back.tar") as archive:
    files = [archive.extractfile(member).read() for member in archive
             if member.name.endswith(".jpg")]
    archived = {member.name: (member.mode, member.mtime) for member in archive
                if member.name.endswith(".jpg")}
assert archived == {path: (mode, max(time, 0) // 10**9)
                    for path, (mode, time) in infos("tree").items()}
assert {hashlib.sha256(data).hexdigest() for data in files} == set(sums("tree").values())

# info, verify.
info = json_of("info", "kept.pcr", "--json")
assert info["originals"] and info["tail_nbytes"] > 48
assert b"restored byte for byte" in pcrtool("info", "kept.pcr").stdout
assert json_of("verify", "kept.pcr", "--originals", "--json")["restored_samples"] == 12
assert b"12 original files restored" in pcrtool("verify", "kept.pcr", "--originals").stdout
assert json_of("verify", "kept.pcr", "--json")["restored_samples"] == 0

# Of members of archives: pax headers have fractions of seconds, zip whole ones.
with tarfile.open("pax.tar", "w", format=tarfile.PAX_FORMAT) as archive:
    for path in sorted(Path("tree").rglob("*.jpg")):
        member = archive.gettarinfo(path, str(path.relative_to("tree")))
        member.pax_headers = {"mtime": "%d.%09d" % divmod(path.stat().st_mtime_ns, 10**9)
                              if path.stat().st_mtime_ns >= 0 else "-1.5"}
        archive.addfile(member, path.open("rb"))
convert("pax.tar", "pax.pcr", "--keep-originals", "on")
pcrtool("extract", "pax.pcr", "untarred", "--jpeg", "source")
assert infos("untarred") == {path: (mode, time if time >= 0 else -1500000000)
                             for path, (mode, time) in infos("tree").items()}
with zipfile.ZipFile("ut.zip", "w") as archive:
    for number, path in enumerate(sorted(Path("tree").rglob("*.jpg"))):
        member = zipfile.ZipInfo(str(path.relative_to("tree")))
        member.external_attr = (stat.S_IFREG | 0o604) << 16
        member.extra = b"UT\5\0\1" + (1000000007 - number * 10**8).to_bytes(4, "little",
                                                                           signed=True)
        archive.writestr(member, path.read_bytes())
convert("ut.zip", "zip.pcr", "--keep-originals", "on")
pcrtool("extract", "zip.pcr", "unzip", "--jpeg", "source")
assert sorted(infos("unzip").values()) == sorted((0o604, (1000000007 - n * 10**8) * 10**9)
                                                 for n in range(12))

# A dataset without them says so; so do wrong combinations.
convert("tree", "off.pcr", "--keep-originals", "off")
assert not json_of("info", "off.pcr", "--json")["originals"]
fails("extract", "off.pcr", "none", "--jpeg", "source", code=1, says=["keeps no originals"])
fails("extract", "kept.pcr", "none", "--jpeg", "source", "--fidelity", "2", code=2,
      says=["does not go with"])
fails("convert", "tree", "no.pcr", "--keep-originals", "on", "--max-side", "100", code=1,
      says=["max_side reduces"])

# A file that is kept whole for it is counted and named.
first.write_bytes(first.read_bytes() + bytes(range(256)) * 300)
made = json_of("convert", "tree", "whole.pcr", "--json", "--keep-originals", "on")
assert made["unrestorable_count"] == 1 and made["opaque_count"] == 1
assert b"unrestorable: restoring it would take" in pcrtool("info", "whole.pcr", "--notes").stdout
pcrtool("extract", "whole.pcr", "whole", "--jpeg", "source")
assert sums("whole") == sums("tree")

# A salvaged file has no original: it is left out, and the others come.
first.write_bytes(first.read_bytes()[:4000])
pcrtool("convert", "tree", "salvaged.pcr", "--on-bad", "salvage", "--keep-originals", "on")
left = json_of("extract", "salvaged.pcr", "others", "--jpeg", "source", "--json", code=3)
assert left["unrestorable_count"] == 1 and left["written_count"] == 11, left

# A damaged tail costs the files, nothing else.
record = records("kept.pcr")[0]
damage(record, Path(record).stat().st_size - 3)
pcrtool("extract", "kept.pcr", "images")
assert json_of("extract", "kept.pcr", "less", "--jpeg", "source", "--json",
               code=4)["damaged_count"] > 0
