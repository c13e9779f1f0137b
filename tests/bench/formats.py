#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Importing from other formats, beside importing a folder, and exporting to them.

usage: formats.py [FOLDER [ROUNDS]]
       formats.py --samples N

FOLDER: of JPEG files, in folders of classes; without it photographs are generated. They become a
dataset, which is exported to each format; the exports are then converted, with one thread. Each
line: processor time of pcrtool, in all, medians of the rounds (3), taken in turns; the rate of the
folder's conversion over it; and the largest memory.

With --samples: how memory grows with the number of samples. N pictures of 8 x 8 pixels with labels,
splits and attributes (as links to one file), and half as many, are converted from each format and
exported to it. Each line: the largest memory with N / 2 and N, and the bytes between for a sample.
"""
import base64
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile

PCRTOOL = os.environ["PCRTOOL"]
FORMATS = {"folder": "", "tar": ".tar", "zip": ".zip", "tfrecord": ".tfrecord", "mds": ""}


def run(*arguments):
    """Processor seconds, and the largest memory in MiB."""
    process = subprocess.Popen([PCRTOOL, *arguments, "-q"], stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"formats.py: pcrtool {' '.join(arguments)} ended with {process.returncode}")
    return used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def nbytes_of(path):
    if os.path.isfile(path):
        return os.path.getsize(path)
    return sum(os.path.getsize(os.path.join(folder, name))
               for folder, _, names in os.walk(path) for name in names)


def imports(folder, rounds):
    """In turns, so that what the machine does meanwhile hits all alike."""
    source = os.path.join(folder, "source.pcr")
    paths = {name: os.path.join(folder, "of-" + name + ending)
             for name, ending in FORMATS.items()}
    for name, path in paths.items():
        # Baseline files, as most sources are; progressive ones take libjpeg longer to read.
        run("extract", source, path, "--to", name, "--jpeg", "baseline")
    found = {name: [] for name in paths}
    for _ in range(rounds):
        for name, path in paths.items():
            out = os.path.join(folder, "imported.pcr")
            found[name].append(run("convert", "--threads", "1", "--from", name, path, out))
            shutil.rmtree(out)
    print("import         CPU s   rate to the folder's   MiB")
    for name, rows in found.items():
        ratio = statistics.median(a[0] / b[0] for a, b in zip(found["folder"], rows))
        print(f"{name:12} {statistics.median(r[0] for r in rows):7.2f} {ratio:12.2f}"
              f" {max(r[1] for r in rows):16.0f}")


def exports(folder, rounds):
    print("export (of scans, as they are)   MB per CPU s   MiB")
    for name, ending in FORMATS.items():
        rates, most = [], 0
        for _ in range(rounds):
            path = os.path.join(folder, "to-" + name + ending)
            seconds, memory = run("extract", "--threads", "1", os.path.join(folder, "scans.pcr"),
                                  path, "--to", name)
            rates.append(nbytes_of(path) / 1e6 / seconds)
            most = max(most, memory)
            shutil.rmtree(path) if os.path.isdir(path) else os.remove(path)
        print(f"{name:12} {statistics.median(rates):30.0f} {most:9.0f}")


# 8 x 8 pixels, gray.
PICTURE = base64.b64decode("""
/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDABALDA4MChAODQ4SERATGCgaGBYWGDEjJR0oOjM9PDkzODdASFxOQERXRTc4UG1R
V19iZ2hnPk1xeXBkeFxlZ2P/wAALCAAIAAgBAREA/8QAFAABAAAAAAAAAAAAAAAAAAAABf/EABgQAAIDAAAAAAAAAAAAAAAA
AAAEBSIx/9oACAEBAAA/AAk4vKn/2Q==
""")
LINKS = 30000  # to one file: file systems have a limit


def make_samples(folder, count):
    """A folder of classes and lists of its files."""
    images = os.path.join(folder, "folder")
    classes = min(1000, count)
    first = None
    with open(os.path.join(folder, "list.csv"), "w") as table, \
            open(os.path.join(folder, "list.jsonl"), "w") as lines:
        table.write("path,label,split,caption\n")
        for i in range(count):
            label = f"n{1440764 + i * classes // count * 37:08}"
            path = os.path.join(images, label, f"{label}_{i}.JPEG")
            os.makedirs(os.path.dirname(path), exist_ok=True)
            if i % LINKS == 0:
                first = path
                with open(first, "wb") as file:
                    file.write(PICTURE)
            else:
                os.link(first, path)
            split = "train" if i % 20 else "val"
            caption = f"a photograph of {label} that somebody took"
            table.write(f"{path},{label},{split},{caption}\n")
            lines.write(json.dumps({"path": path, "label": label, "split": split, "attributes":
                                    {"caption": caption, "id": i, "width": 8}}) + "\n")


def peaks(folder, count):
    """MiB of converting from each format, and of exporting to it."""
    make_samples(folder, count)
    source = os.path.join(folder, "source.pcr")
    found = {"list.jsonl": [run("convert", os.path.join(folder, "list.jsonl"), source)[1], None]}
    inputs = {"folder": "folder", "list.csv": "list.csv"}
    for name, ending in FORMATS.items():
        path = inputs.setdefault("exported folder" if name == "folder" else name, "of-" + name +
                                 ending)
        listed = ["--list"] if name in ("folder", "zip") else []
        found[name] = [None, run("extract", source, os.path.join(folder, path), "--to", name,
                                 *listed)[1]]
    shutil.rmtree(os.path.join(folder, inputs.pop("exported folder")))
    for name, path in inputs.items():
        out = os.path.join(folder, "imported.pcr")
        found.setdefault(name, [None, None])[0] = run("convert", os.path.join(folder, path), out)[1]
        shutil.rmtree(out)
    return found


def memory(count):
    rows = []
    for n in (count // 2, count):
        with tempfile.TemporaryDirectory() as folder:
            rows.append(peaks(folder, n))
    print(f"{'MiB with':14}{count // 2:>10}{count:>10} samples, bytes each")
    for name in rows[0]:
        for way in range(2):
            few, many = (r[name][way] for r in rows)
            if few is not None:
                print(f"{('from ', 'to ')[way] + name:14}{few:10.0f}{many:10.0f}"
                      f"{(many - few) * (1 << 20) / (count - count // 2):16.0f}")


def main():
    if sys.argv[1:2] == ["--samples"]:
        memory(int(sys.argv[2]))
        return
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    shm = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(dir=shm) as folder:
        images = sys.argv[1] if len(sys.argv) > 1 else os.path.join(folder, "images")
        if len(sys.argv) < 2:
            subprocess.run([os.environ["PCR_GEN"], "photos", images, "--count", "400", "--size",
                            "512x384"], check=True, stdout=subprocess.DEVNULL)
        run("convert", images, os.path.join(folder, "source.pcr"))
        run("recode", os.path.join(folder, "source.pcr"), os.path.join(folder, "scans.pcr"),
            "--coding", "scans")
        imports(folder, rounds)
        exports(folder, rounds)


if __name__ == "__main__":
    main()
