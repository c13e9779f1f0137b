#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""docs/reference/pcr_packed.py, written from the format's text, gives the coefficients that were
packed, and refuses chunks that are damaged.

usage: packed_reference.py REFERENCE PACKED-VECTORS
"""

import importlib.util
import json
import subprocess
import sys

spec = importlib.util.spec_from_file_location("pcr_packed", sys.argv[1])
pcr_packed = importlib.util.module_from_spec(spec)
spec.loader.exec_module(pcr_packed)


def decode(image, tables, chunks):
    frame = pcr_packed.Frame(image["width"], image["height"],
                             [pcr_packed.Component(*c) for c in image["components"]])
    lines = [pcr_packed.Line(*line) for line in image["lines"]]
    decoder = pcr_packed.Decoder(frame, lines, tables)
    return decoder.decode(bytes.fromhex(image["params"]), chunks)


def refuses(image, tables, chunks):
    try:
        decode(image, tables, chunks)
    except pcr_packed.Corrupt:
        return True
    return False


lines = subprocess.run([sys.argv[2]], stdout=subprocess.PIPE, check=True).stdout.splitlines()
tables = pcr_packed.Tables(bytes.fromhex(json.loads(lines[0])["tables"]))
for number, line in enumerate(lines[1:]):
    image = json.loads(line)
    chunks = [bytes.fromhex(chunk["hex"]) for chunk in image["chunks"]]
    planes = decode(image, tables, chunks)
    for plane, wanted in zip(planes, image["coefficients"]):
        assert [v for block in plane for v in block] == wanted, f"image {number}"
    assert refuses(image, tables, [chunks[0][:-1]] + chunks[1:]), f"image {number}"
    assert refuses(image, tables, chunks[:-1] + [chunks[-1] + b"\0"]), f"image {number}"
assert len(lines) == 17
