# SPDX-License-Identifier: BSD-2-Clause
"""Opens foreign formats as the converter does, and lists what it would convert."""

import ctypes
import json
from collections import namedtuple
from ctypes import POINTER, byref

from pcr import _structs as st
from pcr._library import c_path, call, lib, text

#: key, split's name or None, labels (int, float) or a class's name, attributes, the bytes.
Sample = namedtuple("Sample", "key split labels attributes data path")
#: `left_out` and `notes` are [(path, reason)].
Found = namedtuple("Found", "samples classes left_out notes")

SKIP_DAMAGED = 2


def _sample(source, index, load):
    s = st.sized(st.SourceSample)
    call(source.describe, source.context, index, byref(s))
    kind = ctypes.c_double if s.float_labels else ctypes.c_int64
    labels = list((kind * s.label_count).from_address(s.float_labels or s.labels)
                  ) if s.label_count else []
    buffer = st.Buffer()
    data = None
    if load:
        call(source.load, source.context, index, 1 << 30, byref(buffer))
        data = ctypes.string_at(buffer.data, buffer.nbytes) if buffer.nbytes else b""
        lib.pcr_buffer_free(byref(buffer))
    split = text(source.split_names[s.split]) if source.split_names else None
    return Sample(text(s.key), split, labels, json.loads(s.attributes or b"{}"), data,
                  text(s.path))


def find(*paths, skip=False, load=True, **options):
    """What is at `paths`. skip: pass over what is damaged. Raises as convert() does."""
    left_out, notes = [], []
    o = st.sized(st.SourceOptions, flags=SKIP_DAMAGED if skip else 0)
    for name, value in options.items():
        setattr(o, name, value.encode())
    o.left_out = st.LEFT_OUT_CALLBACK(lambda _, a, b: left_out.append((text(a), text(b))))
    o.noted = st.LEFT_OUT_CALLBACK(lambda _, a, b: notes.append((text(a), text(b))))
    names = (ctypes.c_char_p * len(paths))(*map(c_path, paths))
    opened = POINTER(st.Source)()
    call(lib.pcr_source_open_all, names, len(paths), byref(o), byref(opened))
    try:
        source = opened.contents
        classes = [text(source.class_names[i]) for i in range(source.class_count)]
        assert source.left_out_count == len(left_out)
        return Found([_sample(source, i, load) for i in range(source.sample_count)], classes,
                     left_out, notes)
    finally:
        lib.pcr_source_close(byref(opened))
