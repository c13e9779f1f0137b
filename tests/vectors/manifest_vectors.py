# SPDX-License-Identifier: BSD-2-Clause
"""The manifest vectors (docs/FORMAT.md section 6)."""
import copy
import dataclasses
import json

import record_writer as w
import tiny_jpeg
from vectors import CODED, SHARED

FILES = {"train-00000.pcr": CODED, "train-00001.pcr": SHARED, "test-00000.pcr": CODED}


class Manifest:
    """code None: good. data: the file's bytes."""
    def __init__(self, name, text, data, code=None):
        self.name, self.text, self.data, self.code = name, text, data, code


MANIFESTS = []


def members(files=None):
    """A right manifest of the records above: three samples each, in two classes."""
    rows = [w.header_fields(r.build()) for r in (files or FILES).values()]
    starts = [row[2] for row in rows]
    ends = [row[3] for row in rows]
    groups = [sum(e[g] - (e[g - 1] if g else s) for e, s in zip(ends, starts))
              for g in range(len(tiny_jpeg.PIECES))]
    source = sum(s.source_nbytes for s in CODED.samples)

    def split(name, first, count):
        return {"name": name, "first_record": first, "record_count": count,
                "sample_count": 3 * count, "class_counts": [2 * count, count],
                "source_nbytes": source * count}
    return {
        "format": "pcr", "version": [1, 0], "required": [],
        "ladder": tiny_jpeg.LADDER.decode(), "group_count": len(tiny_jpeg.PIECES),
        "classes": ["a", "größer \"b\""],
        "splits": [split("train", 0, 2), split("test", 2, 1)],
        "schema": {"label": "class", "attributes": {"place": "string"}},
        "statistics": {"sample_count": 9, "opaque_count": 0, "skipped_count": 0,
                       "undecodable_count": 0, "salvaged_count": 0,
                       "dropped_count": 2, "dropped_nbytes": 700,
                       "source_nbytes": 3 * source, "head_nbytes": sum(starts),
                       "group_nbytes": groups, "tail_nbytes": 0},
        "writer": "vectors 1",
        "records": {"file": list(FILES), "sample_count": [3, 3, 3],
                    "nbytes": [row[1] for row in rows], "head_end": starts,
                    "ends": ends, "check": [row[4] for row in rows]},
    }


BASE = members()


def changed(*path_and_value):
    """A manifest with the value at the path replaced."""
    *path, last, value = path_and_value
    m = copy.deepcopy(BASE)
    at = m
    for step in path:
        at = at[step]
    at[last] = value
    return w.write_manifest(m)


def without(*path):
    *path, last = path
    m = copy.deepcopy(BASE)
    at = m
    for step in path:
        at = at[step]
    del at[last]
    return w.write_manifest(m)


def good(name, text, data):
    MANIFESTS.append(Manifest("good-manifest-" + name, text, data))


def bad(name, code, text, data):
    prefix = "unsupported-manifest-" if code == "UNSUPPORTED" else "bad-manifest-"
    MANIFESTS.append(Manifest(prefix + name, text, data, code))


def make_good():
    good("canonical", "three records in two splits, just as a writer makes it",
         w.write_manifest(BASE))
    good("minor-9", "a higher minor version", changed("version", [1, 9]))
    good("unknown-members", "unknown members on each level",
         changed("splits", 0, "later", {"x": [1.5, None, -1]}))
    m = copy.deepcopy(BASE)
    m.update(zebra=1, records=dict(m["records"], colour=[1, 2]))
    good("unknown-columns", "unknown members beside the others, of any length",
         w.write_manifest(m))
    good("no-classes", "labels are not classes", w.write_manifest(dict(
        BASE, classes=[], schema={"label": "ints", "attributes": {}},
        splits=[dict(s, class_counts=[]) for s in BASE["splits"]])))
    good("floats", "labels are floats", w.write_manifest(dict(
        BASE, classes=[], schema={"label": "floats", "attributes": {}},
        splits=[dict(s, class_counts=[]) for s in BASE["splits"]])))
    good("limits", "what readers need beyond their default limits, and a limit of a later version",
         changed("limits", {"max_pixels": 400000000, "max_samples": 1 << 21,
                            "max_sample_nbytes": 1 << 31, "max_head_nbytes": 1 << 29,
                            "max_hue": 1}))
    rest = json.dumps(BASE, sort_keys=True, indent=1)[1:].encode()
    good("blanks", "blanks and line ends, which a reader of JSON does not mind",
         w.seal_manifest(rest))


def make_bad_text():
    whole = w.write_manifest(BASE)
    rest = whole[28:]
    bad("empty", "TRUNCATED", "no bytes", b"")
    bad("no-checksum", "FORMAT", "JSON that does not begin with _xxh3", b"{" + rest)
    bad("other-json", "FORMAT", "another JSON file", b'{"name":"package"}\n')
    bad("checksum", "CORRUPT", "a changed digit",
        whole.replace(b'"sample_count":9', b'"sample_count":8'))
    bad("checksum-upper-case", "CORRUPT", "the checksum in upper-case digits",
        whole[:10] + whole[10:26].upper() + whole[26:])
    bad("truncated", "CORRUPT", "the last byte is missing", whole[:-1])
    bad("no-json", "CORRUPT", "text that is no JSON after the checksum",
        w.seal_manifest(b'"format":"pcr",'))
    bad("two-objects", "CORRUPT", "something after the object",
        w.seal_manifest(rest[:-1] + b"{}\n"))
    bad("member-twice", "CORRUPT", "a member stands twice",
        w.seal_manifest(b'"format":"pcr",' + rest))
    bad("not-utf-8", "CORRUPT", "bytes that are not UTF-8",
        w.seal_manifest(rest.replace(b'"train"', b'"tr\xff\xfen"')))
    bad("deep", "LIMIT", "arrays in arrays, 100,000 deep",
        w.seal_manifest(b'"z":' + b"[" * 100000 + b"]" * 100000 + b"," + rest))


def make_bad_values():
    bad("format", "FORMAT", "another format", changed("format", "rcp"))
    bad("version-2", "UNSUPPORTED", "major version 2", changed("version", [2, 0]))
    bad("required", "UNSUPPORTED", "it requires a feature",
        changed("required", ["telepathy"]))
    for name in BASE:
        code = "FORMAT" if name == "format" else "CORRUPT"
        bad("no-" + name.replace("_", "-"), code, "the member is missing", without(name))
    for name in BASE["records"]:
        bad("records-no-" + name.replace("_", "-"), "CORRUPT", "the column is missing",
            without("records", name))
        bad("records-short-" + name.replace("_", "-"), "CORRUPT",
            "the column is shorter than the others",
            changed("records", name, BASE["records"][name][:-1]))
    for value, what in ((-1, "negative"), (1 << 63, "above"), (1.0, "real"), ("3", "text")):
        bad("nbytes-" + what, "CORRUPT", "a size that is no integer from 0 to 2^63 - 1",
            changed("records", "nbytes", 0, value))
    for value, what in (("/etc/x.pcr", "absolute"), ("../x.pcr", "parent"), ("", "empty"),
                        ("a/../x.pcr", "inner-parent"), ("a\0b", "nul")):
        bad("file-" + what, "CORRUPT", "a file name that leaves the folder, or is none",
            changed("records", "file", 1, value))
    bad("check-short", "CORRUPT", "a check of 15 digits", changed("records", "check", 0,
                                                                  "0" * 15))
    bad("groups-0", "CORRUPT", "no group", changed("group_count", 0))
    bad("groups-33", "CORRUPT", "more than 32 groups", changed("group_count", 33))
    bad("groups-differ", "CORRUPT", "records of another number of groups",
        changed("records", "ends", 1, [1000, 2000]))


def make_bad_sums():
    ends = BASE["records"]["ends"][0]
    bad("ends-decrease", "CORRUPT", "end(2) is below end(1)",
        changed("records", "ends", 0, [ends[0], ends[0] - 1, ends[2]]))
    bad("head-end-after-group", "CORRUPT", "head_end is above end(1)",
        changed("records", "head_end", 0, ends[0] + 1))
    bad("nbytes-below-end", "CORRUPT", "a file smaller than its groups",
        changed("records", "nbytes", 0, ends[2] - 1))
    bad("split-samples", "CORRUPT", "a split of other samples than its records",
        changed("splits", 0, "sample_count", 5))
    bad("split-gap", "CORRUPT", "a gap between splits",
        changed("splits", 1, "first_record", 3))
    bad("split-short", "CORRUPT", "records that belong to no split",
        w.write_manifest(dict(BASE, splits=BASE["splits"][:1])))
    bad("split-long", "CORRUPT", "a split of more records than there are",
        changed("splits", 1, "record_count", 2))
    bad("split-overflow", "CORRUPT", "splits whose sums overflow",
        changed("splits", 0, "record_count", (1 << 63) - 1))
    bad("split-classes", "CORRUPT", "counts of more classes than there are",
        changed("splits", 0, "class_counts", [1, 2, 3]))
    bad("samples-0", "CORRUPT", "a record without samples",
        changed("records", "sample_count", [0, 6, 3]))
    bad("statistics-samples", "CORRUPT", "statistics that do not agree with the records",
        changed("statistics", "sample_count", 10))
    bad("limits-array", "CORRUPT", "limits that are no object", changed("limits", [1]))
    bad("limits-text", "CORRUPT", "a limit that is no number",
        changed("limits", {"max_pixels": "1"}))
    bad("limits-samples", "CORRUPT", "more samples in a record than can be",
        changed("limits", {"max_samples": 1 << 32}))
    bad("statistics-undecodable", "CORRUPT", "more undecodable samples than opaque ones",
        changed("statistics", "undecodable_count", 1))
    bad("statistics-salvaged", "CORRUPT", "more salvaged samples than there are",
        changed("statistics", "salvaged_count", 10))
    bad("statistics-dropped", "CORRUPT", "more samples that had bytes dropped than bytes",
        changed("statistics", "dropped_nbytes", 1))
    bad("statistics-groups", "CORRUPT", "group_nbytes that do not agree with the records",
        changed("statistics", "group_nbytes", [1, 2, 3]))


def datasets():
    """(name, code, text, files): whole folders, where record 1 is not as the manifest says.
    The manifest itself is right, so the folder opens, and the other records are readable."""
    files = {name: record.build() for name, record in FILES.items()}
    files["manifest.json"] = w.write_manifest(BASE)
    second = "train-00001.pcr"

    def with_second(data):
        return {**files, second: data} if data is not None else {
            name: f for name, f in files.items() if name != second}
    changed_record = SHARED.changed(edit_fields=lambda h: h.update(optional=1))
    fewer = SHARED.changed(samples=SHARED.samples[:2])
    yield "good", "OK", "as the manifest says", files
    yield "replaced", "CORRUPT", "another record under the name", with_second(
        CODED.build())
    yield "fewer-samples", "CORRUPT", "a record of fewer samples", with_second(
        fewer.build())
    yield "other-check", "CORRUPT", "a header with another checksum alone", with_second(
        changed_record.build())
    with_floats = SHARED.changed(samples=[
        dataclasses.replace(s, labels=(), float_labels=s.labels) for s in SHARED.samples])
    yield "float-labels", "CORRUPT", "float labels where the manifest says classes", {
        **with_second(with_floats.build()),
        "manifest.json": w.write_manifest(members({**FILES, second: with_floats}))}
    yield "short", "TRUNCATED", "a record cut short", with_second(
        files[second][:len(files[second]) // 2])
    yield "long", "CORRUPT", "bytes after the record", with_second(files[second] + b"\0")
    yield "missing", "IO", "no such file", with_second(None)
    yield "no-record", "FORMAT", "a file of another kind", with_second(b"#!/bin/sh\n" * 99)


def all_manifests():
    if not MANIFESTS:
        for make in (make_good, make_bad_text, make_bad_values, make_bad_sums):
            make()
    return MANIFESTS
