# SPDX-License-Identifier: BSD-2-Clause
"""Structs, constants and functions are the same on both sides."""

import ctypes
import inspect
import json
import os
import subprocess
from pathlib import Path

import pytest

from headers import Headers
from pcr import _library, _structs

HEADERS = Headers(Path(os.environ["PCR_HEADERS"]))
LAYOUT = json.loads(subprocess.run([os.environ["PCR_LAYOUT"]], check=True,
                                   stdout=subprocess.PIPE).stdout)
STRUCTS = {kind.__doc__.split()[1]: kind
           for _, kind in inspect.getmembers(_structs, inspect.isclass)
           if issubclass(kind, ctypes.Structure)}
ENUMS = {"PCR_": _structs.Code, "PCR_IO_": _structs.IoBackend, "PCR_CODING_": _structs.Coding,
         "PCR_COLOR_": _structs.Color, "PCR_SHUFFLE_": _structs.Shuffle,
         "PCR_LAYOUT_": _structs.Layout, "PCR_DTYPE_": _structs.Dtype,
         "PCR_TRANSFORM_": _structs.Transform, "PCR_FILTER_": _structs.Filter,
         "PCR_SAMPLE_": _structs.SamplePolicy, "PCR_PROFILE_": _structs.ProfileUse,
         "PCR_STATS_": _structs.StatsForm,
         "PCR_BAD_": _structs.BadPolicy, "PCR_OPAQUE_": _structs.OpaquePolicy,
         "PCR_PICTURES_": _structs.Pictures,
         "PCR_ORIGINALS_": _structs.Originals,
         "PCR_VERIFY_": _structs.VerifyKind, "PCR_FOLDERS_": _structs.FolderLayout,
         "PCR_LABEL_": _structs.LabelKind, "PCR_ELEMENT_": _structs.Element,
         "PCR_EXPORT_": _structs.ExportFinding, "PCR_EXPORT_JPEG_": _structs.ExportJpeg,
         "PCR_EXPORT_DAMAGE_": _structs.ExportDamage}
FLAGS = ("DATASET_NO_VERIFY", "VERIFY_DEEP", "VERIFY_ORIGINALS",
         "DECODE_KEEP_ORIENTATION", "DECODE_IDENTICAL",
         "DECODE_PLANAR", "DECODE_BACKGROUND", "DECODE_TO_SRGB", "DECODER_AUTO", "DECODER_TURBO",
         "RESIZE_FLIP", "RESIZE_PLANAR",
         "LOADER_DROP_LAST", "LOADER_DROP_UNEVEN", "LOADER_RANK_FROM_ENVIRONMENT",
         "LOADER_ONCE", "LOADER_RAW", "LOADER_HUGE_PAGES", "LOADER_NO_READ_AHEAD",
         "LOADER_KEEP_ORIENTATION", "LOADER_EXACT", "LOADER_BACKGROUND", "LOADER_TO_SRGB",
         "LOADER_BASELINE", "LOADER_FULL_SIZE_DECODING", "LOADER_RAGGED",
         "LOADER_PAD_ZERO",
         "LOADER_STATE_NBYTES", "QUALITY_SCALES", "LOADER_BAD_SAMPLES",
         "WRITE_NO_SHUFFLE", "WRITE_DRY_RUN", "WRITE_NO_CLASSES", "WRITE_DEDUPE",
         "ABI_VERSION", "FILE_MODE", "FILE_TIME",
         "EXPORT_REPLACE", "EXPORT_LIST", "EXPORT_ZSTD",
         "SOURCE_ALL_FILES", "SOURCE_SKIP_DAMAGED", "SOURCE_LAST_DOT", "SOURCE_SEGMENTATIONS",
         "SOURCE_ZERO_BASED", "SOURCE_CHOOSE_BLOBS",
         "NO_OFFSET", "NO_READERS", "NO_SOFT_LABELS", "WRITER_NEXT", "MESSAGE_NBYTES",
         "RETRY_NEVER",
         "ERROR_MAY_PASS", "ERROR_STALE",
         "ERROR_LASTS")
# Constants that the package has no use for, or has in another form.
UNUSED = {"PCR_VERSION_MAJOR", "PCR_VERSION_MINOR", "PCR_VERSION_PATCH",
          "PCR_FIDELITY_FULL", "PCR_NO_RESTARTS"}
CALLBACKS = {"pcr_verify_callback": _structs.VERIFY_CALLBACK}
NUMBERS = {"double": ctypes.c_double, "int": ctypes.c_int, "uint32_t": ctypes.c_uint32,
           "uint64_t": ctypes.c_uint64, "size_t": ctypes.c_size_t, "void": None,
           "char*": ctypes.c_char_p}


def test_every_public_struct_is_declared():
    assert set(STRUCTS) == set(HEADERS.structs) == set(LAYOUT["structs"])
    assert len(STRUCTS) >= 20


@pytest.mark.parametrize("name", sorted(STRUCTS))
def test_struct(name):
    kind, expected = STRUCTS[name], LAYOUT["structs"][name]
    assert ctypes.sizeof(kind) == expected["size"]
    with pytest.raises(AttributeError):  # a member that is not there is not set in silence
        kind().no_member = 1
    found = {field[0]: [getattr(kind, field[0]).offset, getattr(kind, field[0]).size]
             for field in kind._fields_}
    assert found == expected["members"]
    assert list(found) == HEADERS.structs[name]


def test_constants():
    found = {prefix + member.name: member.value
             for prefix, kind in ENUMS.items() for member in kind}
    found.update({"PCR_" + name: getattr(_structs, name) for name in FLAGS})
    expected = {name: value for name, value in LAYOUT["constants"].items()
                if name not in UNUSED}
    assert {name: value % 2**64 for name, value in found.items()} == expected
    assert set(LAYOUT["constants"]) == set(HEADERS.constants)


def agrees(declared, text):
    """Whether a ctypes type can stand for a C type."""
    if text in CALLBACKS:
        return declared is CALLBACKS[text]
    if text in NUMBERS and declared is NUMBERS[text]:
        return True
    if text.endswith("**"):
        inner = declared._type_
        return inner is ctypes.c_void_p or agrees(inner, text[:-1])
    if text.endswith("*"):
        struct = STRUCTS.get(text[len("struct "):-1])
        if struct is not None:
            return declared is ctypes.POINTER(struct)
        number = NUMBERS.get(text[:-1])
        if number is not None and declared is ctypes.POINTER(number):
            return True
        opaque = text.startswith("struct ") or text in ("void*", "uint8_t*", "char*",
                                                        "int64_t*", "uint64_t*", "double*")
        return opaque and declared in (ctypes.c_void_p, ctypes.c_char_p)
    return False


@pytest.mark.parametrize("name", sorted(_library.SIGNATURES))
def test_signature(name):
    result, arguments = _library.SIGNATURES[name]
    expected = HEADERS.functions[name]
    assert agrees(result, expected.result), expected.result
    assert len(arguments) == len(expected.arguments)
    for declared, text in zip(arguments, expected.arguments):
        assert agrees(declared, text), f"{declared} for {text}"


def test_all_public_functions_are_exported():
    loaded = ctypes.CDLL(_library.LIBRARY_PATH)
    assert len(HEADERS.functions) > 40
    missing = [name for name in HEADERS.functions if not hasattr(loaded, name)]
    assert not missing
