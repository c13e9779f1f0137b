#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Writes the test vectors of records and datasets, and what readers must make of them."""
import argparse
import os

import manifest_vectors
import record_writer as w
import vectors


def write(path, data):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as f:
        f.write(data)


def contents(name, record):
    """What a good record holds, a line for each sample: file, key in hexadecimal, coding,
    orientation, labels, attributes, quality in hexadecimal, and for each fidelity the size and
    XXH3 of the file, of exact pictures at full fidelity those of the packed pixels."""
    count = len(record.piece_counts)
    for i, s in enumerate(record.samples):
        files = [record.materialise(i, g) for g in range(1, count + 1)]
        yield "\t".join([name, s.key.hex(), str(s.coding[0]), str(s.orientation),
                         ",".join(["%d" % v for v in s.labels] +
                                  ["%.17g" % v for v in s.float_labels]),
                         s.attributes.decode() or "{}", s.quality.hex()]
                        + ["%d:%016x" % (len(f), w.xxh3(f)) for f in files])


def originals(name, record):
    """What a record restores, a line for each sample: name, index, size and XXH3 of the file,
    its mode in octal and its time in nanoseconds; "-" for what is not kept."""
    for i, data in enumerate(record.originals or []):
        mode, seconds, rest = record.infos[i]
        yield "\t".join([name, str(i),
                         "-" if data is None else "%d:%016x" % (len(data), w.xxh3(data)),
                         "-" if mode is None else "%o" % mode,
                         "-" if seconds is None else str(seconds * 10**9 + rest)])


def write_vectors(folder, golden):
    index, lines, files = [], [], []
    for v in vectors.all_vectors():
        if golden and v.code:
            continue
        name = v.name + ".pcr"
        write(os.path.join(folder, name), v.record.build())
        index.append("\t".join([name, v.stage or "good", v.code or "OK"]))
        if not v.code:
            lines += contents(name, v.record)
            files += originals(name, v.record)
    for m in manifest_vectors.all_manifests():
        if golden and m.code:
            continue
        write(os.path.join(folder, m.name + ".json"), m.data)
        index.append("\t".join([m.name + ".json", "manifest", m.code or "OK"]))
    write_dataset(os.path.join(folder, "dataset"))
    if not golden:
        write_datasets(os.path.join(folder, "datasets"))
    write(os.path.join(folder, "index.tsv"), "".join(i + "\n" for i in index).encode())
    write(os.path.join(folder, "contents.tsv"), "".join(i + "\n" for i in lines).encode())
    write(os.path.join(folder, "originals.tsv"), "".join(i + "\n" for i in files).encode())


def write_dataset(folder):
    """The records of the right manifest, with it, as a dataset."""
    for name, record in manifest_vectors.FILES.items():
        write(os.path.join(folder, name), record.build())
    write(os.path.join(folder, "manifest.json"),
          w.write_manifest(manifest_vectors.BASE))


def write_datasets(folder):
    index = []
    for name, code, _, files in manifest_vectors.datasets():
        for file, data in files.items():
            write(os.path.join(folder, name, file), data)
        index.append(name + "\t" + code + "\n")
    write(os.path.join(folder, "index.tsv"), "".join(index).encode())


def unpacked(record):
    """A record with its head as it is when decompressed: what fuzz targets take."""
    count = len(record.piece_counts)
    header = record.changed(edit_file=None).build()[:96 + 24 * count]
    return header, record.raw_head(), b"".join(c for g in range(count)
                                               for c in record.group(g))


def write_seeds(target, folder):
    if target == "manifest":
        for m in manifest_vectors.all_manifests():
            if len(m.data) < 10000:
                write(os.path.join(folder, m.name), m.data)
        return
    for v in vectors.all_vectors():
        header, raw, rest = unpacked(v.record)
        data = {"header": header, "head": header + raw,
                "materialise": header + raw + rest}[target]
        write(os.path.join(folder, v.name), data)


def print_table():
    for v in vectors.all_vectors() + manifest_vectors.all_manifests():
        stage = getattr(v, "stage", None)
        at = "" if stage in (None, "open") else " at " + stage
        print("| `%s` | %s%s | %s |" % (v.name, v.code or "good", at, v.text))
    for name, code, text, _ in manifest_vectors.datasets():
        print("| `datasets/%s` | %s | %s |" % (name, code, text))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?")
    parser.add_argument("--table", action="store_true",
                        help="print what README.md has of each vector")
    parser.add_argument("--golden", action="store_true",
                        help="only the good ones, as they are kept in the tree")
    parser.add_argument("--seeds", metavar="TARGET",
                        help="inputs for a fuzz target: header, head, materialise, manifest")
    a = parser.parse_args()
    if a.table:
        print_table()
        return
    if not a.folder:
        parser.error("where to?")
    if a.seeds:
        write_seeds(a.seeds, a.folder)
        return
    write_vectors(a.folder, a.golden)


if __name__ == "__main__":
    main()
