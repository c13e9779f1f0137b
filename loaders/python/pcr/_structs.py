# SPDX-License-Identifier: BSD-2-Clause
"""The C library's public structs, constants and callback types, as ctypes sees them.

The tests hold every struct, member offset and constant equal to the C headers.
"""

from __future__ import annotations

import ctypes
from ctypes import (CFUNCTYPE, POINTER, c_char, c_char_p, c_double, c_float, c_int, c_int32,
                    c_int64, c_size_t, c_uint8, c_uint32, c_uint64, c_void_p)
from enum import IntEnum
from typing import Any, Type, TypeVar

ABI_VERSION = 1
NO_OFFSET = 2**64 - 1
NO_READERS = 2**32 - 1
NO_SOFT_LABELS = 2**32 - 1
MESSAGE_NBYTES = 488
WRITER_NEXT = 2**64 - 1
RETRY_NEVER = 2**32 - 1
ERROR_MAY_PASS = 1 << 0
ERROR_STALE = 1 << 1
ERROR_LASTS = 1 << 2


class Code(IntEnum):
    """enum pcr_code"""

    OK = 0
    END = 1
    AGAIN = 2
    ERR_NOMEM = -1
    ERR_INVAL = -2
    ERR_IO = -3
    ERR_FORMAT = -4
    ERR_CORRUPT = -5
    ERR_TRUNCATED = -6
    ERR_UNSUPPORTED = -7
    ERR_LIMIT = -8
    ERR_CANCELLED = -9


class IoBackend(IntEnum):
    """enum pcr_io_backend"""

    AUTO = 0
    PREAD = 1
    MMAP = 2
    URING = 3
    DIRECT = 4


class LabelKind(IntEnum):
    """enum pcr_label_kind"""

    NONE = 0
    CLASS = 1
    INTS = 2
    FLOATS = 3


class Element(IntEnum):
    """enum pcr_element"""

    BOOL = 1
    INT64 = 2
    FLOAT64 = 3
    STRING = 4
    JSON = 5


class Coding(IntEnum):
    """enum pcr_coding"""

    OPAQUE = 0
    SCANS = 1
    PACKED = 2


class Color(IntEnum):
    """enum pcr_color"""

    DEFAULT = 0
    RGB = 1
    GRAY = 2


class Shuffle(IntEnum):
    """enum pcr_shuffle"""

    DEFAULT = 0
    NONE = 1
    BLOCK = 2
    FULL = 3


class Dtype(IntEnum):
    """enum pcr_dtype"""

    DEFAULT = 0
    UINT8 = 1
    FLOAT32 = 2
    FLOAT16 = 3
    BFLOAT16 = 4


class Layout(IntEnum):
    """enum pcr_layout"""

    DEFAULT = 0
    NHWC = 1
    NCHW = 2


class Transform(IntEnum):
    """enum pcr_transform"""

    DEFAULT = 0
    RANDOM_CROP = 1
    CENTER_CROP = 2
    STRETCH = 3
    LETTERBOX = 4
    RESIZE = 5
    NONE = 6


class Filter(IntEnum):
    """enum pcr_filter"""

    DEFAULT = 0
    BILINEAR = 1
    BICUBIC = 2
    NEAREST = 3


class SamplePolicy(IntEnum):
    """enum pcr_sample_policy"""

    DEFAULT = 0
    ERROR = 1
    SKIP = 2
    DEGRADE = 3


class ProfileUse(IntEnum):
    """enum pcr_profile_use"""

    NONE = 0
    SRGB = 1
    CONVERTED = 2
    UNUSABLE = 3


class StatsForm(IntEnum):
    """enum pcr_stats_form"""

    TABLE = 0
    JSON = 1
    PROMETHEUS = 2


class VerifyKind(IntEnum):
    """enum pcr_verify_kind"""

    PROGRESS = 0
    DAMAGE = 1
    UNDECODABLE = 2


class Originals(IntEnum):
    """enum pcr_originals"""

    DEFAULT = 0
    ON = 1
    OFF = 2


VERIFY_DEEP, VERIFY_ORIGINALS = 1, 2  # enum pcr_verify_flags


class BadPolicy(IntEnum):
    """enum pcr_bad_policy"""

    DEFAULT = 0
    FAIL = 1
    SKIP = 2
    OPAQUE = 3
    SALVAGE = 4


class ExportJpeg(IntEnum):
    """enum pcr_export_jpeg"""

    DEFAULT = 0
    PROGRESSIVE = 1
    BASELINE = 2
    SOURCE = 3


class ExportDamage(IntEnum):
    """enum pcr_export_damage"""

    DEFAULT = 0
    FAIL = 1
    SKIP = 2
    DEGRADE = 3


class ExportFinding(IntEnum):
    """enum pcr_export_finding"""

    UNSAFE = 1
    UNLISTED = 2
    DAMAGED = 3
    DEGRADED = 4
    UNRESTORABLE = 5
    BLOBS = 6


class OpaquePolicy(IntEnum):
    """enum pcr_opaque_policy"""

    DEFAULT = 0
    KEEP = 1
    REFUSE = 2


class Pictures(IntEnum):
    """enum pcr_pictures"""

    DEFAULT = 0
    OPAQUE = 1
    JPEG = 2
    PROGRESSIVE = 3


DATASET_NO_VERIFY = 1 << 0
DECODE_KEEP_ORIENTATION = 1 << 0
DECODE_IDENTICAL = 1 << 1
DECODE_PLANAR = 1 << 2
DECODE_BACKGROUND = 1 << 3
DECODE_TO_SRGB = 1 << 4
DECODER_AUTO = 0
DECODER_TURBO = 1
RESIZE_FLIP = 1 << 0
RESIZE_PLANAR = 1 << 1
LOADER_DROP_LAST = 1 << 0
LOADER_DROP_UNEVEN = 1 << 1
LOADER_RANK_FROM_ENVIRONMENT = 1 << 2
LOADER_ONCE = 1 << 3
LOADER_RAW = 1 << 4
LOADER_HUGE_PAGES = 1 << 5
LOADER_NO_READ_AHEAD = 1 << 6
LOADER_KEEP_ORIENTATION = 1 << 7
LOADER_EXACT = 1 << 8
LOADER_BACKGROUND = 1 << 9
LOADER_TO_SRGB = 1 << 10
LOADER_BASELINE = 1 << 11
LOADER_FULL_SIZE_DECODING = 1 << 12
LOADER_RAGGED = 1 << 13
LOADER_PAD_ZERO = 1 << 14
LOADER_STATE_NBYTES = 128
QUALITY_SCALES = 7
LOADER_BAD_SAMPLES = 64
WRITE_NO_SHUFFLE = 1 << 0
WRITE_DRY_RUN = 1 << 1
WRITE_NO_CLASSES = 1 << 2
WRITE_DEDUPE = 1 << 3
EXPORT_REPLACE = 1 << 0
EXPORT_LIST = 1 << 1
EXPORT_ZSTD = 1 << 2
SOURCE_ALL_FILES = 1 << 0
SOURCE_SKIP_DAMAGED = 1 << 1
SOURCE_LAST_DOT = 1 << 2
SOURCE_SEGMENTATIONS = 1 << 3
SOURCE_ZERO_BASED = 1 << 4
SOURCE_CHOOSE_BLOBS = 1 << 5

# Structs have __slots__, so that a member that is not there cannot be set.

S = TypeVar("S", bound=ctypes.Structure)


def sized(kind: Type[S], **fields: Any) -> S:
    """A struct of a kind that begins with its own size."""
    return kind(size=ctypes.sizeof(kind), **fields)


class Error(ctypes.Structure):
    """struct pcr_error"""

    __slots__ = ()
    _fields_ = [("code", c_int32), ("sys_errno", c_int32), ("offset", c_uint64),
                ("flags", c_uint32), ("detail", c_uint32),
                ("message", c_char * MESSAGE_NBYTES)]


class Limits(ctypes.Structure):
    """struct pcr_limits"""

    __slots__ = ()
    _fields_ = [("size", c_uint32), ("max_scans", c_uint32), ("max_pixels", c_uint64),
                ("max_samples", c_uint32), ("reserved", c_uint32),
                ("max_head_nbytes", c_uint64), ("max_sample_nbytes", c_uint64),
                ("max_manifest_nbytes", c_uint64)]


class Buffer(ctypes.Structure):
    """struct pcr_buffer"""

    __slots__ = ()
    _fields_ = [("data", c_void_p), ("nbytes", c_size_t), ("capacity", c_size_t)]


class Span(ctypes.Structure):
    """struct pcr_span"""

    __slots__ = ()
    _fields_ = [("data", c_void_p), ("nbytes", c_size_t)]


class Spans(ctypes.Structure):
    """struct pcr_spans"""

    __slots__ = ()
    _fields_ = [("items", POINTER(Span)), ("count", c_uint32), ("capacity", c_uint32)]


FILE_MODE, FILE_TIME = 1, 2


class FileInfo(ctypes.Structure):
    """struct pcr_file_info"""

    __slots__ = ()
    _fields_ = [("known", c_uint32), ("mode", c_uint32), ("mtime_ns", c_int64)]


class ObjectInfo(ctypes.Structure):
    """struct pcr_object_info"""

    __slots__ = ()
    _fields_ = [("size", c_uint32), ("reserved", c_uint32), ("nbytes", c_uint64),
                ("version", c_uint64)]


STORAGE_OPEN = CFUNCTYPE(c_int, c_void_p, c_char_p, POINTER(c_void_p), POINTER(ObjectInfo),
                         POINTER(Error))
STORAGE_READ = CFUNCTYPE(None, c_void_p, c_void_p, c_uint64, c_void_p, c_size_t, c_void_p)
STORAGE_CLOSE = CFUNCTYPE(None, c_void_p, c_void_p)
STORAGE_PUT_BEGIN = CFUNCTYPE(c_int, c_void_p, c_char_p, POINTER(c_void_p), POINTER(Error))
STORAGE_PUT_WRITE = CFUNCTYPE(c_int, c_void_p, c_void_p, c_void_p, c_size_t, POINTER(Error))
STORAGE_PUT_END = CFUNCTYPE(c_int, c_void_p, c_void_p, c_int, POINTER(Error))
STORAGE_EACH = CFUNCTYPE(c_int, c_void_p, c_char_p)
STORAGE_LIST = CFUNCTYPE(c_int, c_void_p, c_char_p, STORAGE_EACH, c_void_p, POINTER(Error))
STORAGE_REMOVE = CFUNCTYPE(c_int, c_void_p, c_char_p, POINTER(Error))


class Storage(ctypes.Structure):
    """struct pcr_storage"""

    __slots__ = ()
    _fields_ = [("size", c_uint32), ("flags", c_uint32), ("context", c_void_p),
                ("identity", c_char_p), ("open", STORAGE_OPEN), ("read", STORAGE_READ),
                ("close", STORAGE_CLOSE), ("put_begin", STORAGE_PUT_BEGIN),
                ("put_write", STORAGE_PUT_WRITE), ("put_end", STORAGE_PUT_END),
                ("list", STORAGE_LIST), ("remove", STORAGE_REMOVE),
                ("cancel", c_void_p)]


class DatasetOptions(ctypes.Structure):
    """struct pcr_dataset_options"""

    __slots__ = ()
    _fields_ = [("size", c_uint32), ("flags", c_uint32), ("split", c_char_p),
                ("io_backend", c_uint32), ("open_records", c_uint32), ("limits", POINTER(Limits)),
                ("cache_dir", c_char_p), ("cache_nbytes", c_uint64),
                ("throttle_nbytes_s", c_uint64), ("delay_us", c_uint32),
                ("retry_count", c_uint32), ("fault_interval", c_uint32),
                ("reserved", c_uint32), ("storage", POINTER(Storage))]


class IoStats(ctypes.Structure):
    """struct pcr_io_stats"""

    __slots__ = ()
    _fields_ = [("size", c_uint32), ("reserved", c_uint32)] + [
        (name, c_uint64) for name in (
            "open_count", "read_count", "range_count", "read_nbytes", "read_ns",
            "error_count", "retry_count", "fault_count", "throttle_ns", "cache_hit_nbytes",
            "cache_miss_nbytes", "cache_stored_nbytes", "cache_bad_count",
            "cache_failed_count")]


class DatasetInfo(ctypes.Structure):
    """struct pcr_dataset_info"""

    __slots__ = ()
    _fields_ = [("size", c_uint32), ("group_count", c_uint32), ("sample_count", c_uint64),
                ("record_count", c_uint64), ("class_count", c_uint32),
                ("split_count", c_uint32), ("source_nbytes", c_uint64),
                ("head_nbytes", c_uint64), ("total_nbytes", c_uint64),
                ("opaque_count", c_uint64), ("version_major", c_uint32),
                ("version_minor", c_uint32), ("max_side", c_uint32), ("quality", c_uint32),
                ("undecodable_count", c_uint64), ("salvaged_count", c_uint64),
                ("dropped_count", c_uint64), ("dropped_nbytes", c_uint64),
                ("skipped_count", c_uint64), ("label_kind", c_uint32),
                ("column_count", c_uint32), ("scans_count", c_uint64),
                ("packed_count", c_uint64), ("coding", c_uint32), ("originals", c_uint32),
                ("unrestorable_count", c_uint64), ("tail_nbytes", c_uint64),
                ("encoded_count", c_uint64), ("pictures", c_uint32),
                ("target_nbytes", c_uint32), ("exact_count", c_uint64)]


class RecordInfo(ctypes.Structure):
    """struct pcr_record_info"""

    __slots__ = ()
    _fields_ = [("size", c_uint32), ("sample_count", c_uint32),
                ("first_sample", c_uint64), ("total_nbytes", c_uint64),
                ("head_end", c_uint64), ("path", c_char_p)]


class SampleInfo(ctypes.Structure):
    """struct pcr_sample_info"""

    __slots__ = ()
    _fields_ = [("size", c_uint32), ("coding", c_uint32), ("index", c_uint64),
                ("key", c_void_p), ("key_nbytes", c_uint32), ("label_count", c_uint32),
                ("labels", POINTER(c_int64)), ("float_labels", POINTER(c_double)),
                ("width", c_uint32), ("height", c_uint32), ("component_count", c_uint32),
                ("orientation", c_uint32), ("record_index", c_uint32),
                ("quality_count", c_uint32), ("record", c_uint64), ("source_nbytes", c_uint64),
                ("quality", c_void_p), ("exact", c_uint32), ("reserved", c_uint32)]


class ColumnInfo(ctypes.Structure):
    """struct pcr_column_info"""

    __slots__ = ()
    _fields_ = [("size", c_uint32), ("element", c_uint32), ("is_list", c_uint32),
                ("length", c_uint32), ("width", c_uint32), ("reserved", c_uint32),
                ("name", c_char_p), ("type", c_char_p)]


class Column(ctypes.Structure):
    """struct pcr_column"""

    __slots__ = ()
    _fields_ = [("size", c_uint32), ("element", c_uint32), ("is_list", c_uint32),
                ("length", c_uint32), ("width", c_uint32), ("reserved", c_uint32),
                ("sample_count", c_uint64), ("element_count", c_uint64),
                ("states", c_void_p), ("offsets", c_void_p), ("values", c_void_p),
                ("texts", c_void_p), ("text_offsets", c_void_p)]


class VerifyReport(ctypes.Structure):
    """struct pcr_verify_report"""

    __slots__ = ()
    _fields_ = [("size", c_uint32), ("reserved", c_uint32), ("record_count", c_uint64),
                ("sample_count", c_uint64), ("bad_records", c_uint64),
                ("bad_samples", c_uint64), ("undecodable_samples", c_uint64),
                ("restored_samples", c_uint64)]


class DecodeOptions(ctypes.Structure):
    """struct pcr_decode_options"""

    __slots__ = ()
    _fields_ = [("size", c_uint32), ("flags", c_uint32), ("color", c_uint32),
                ("orientation", c_uint32), ("limits", POINTER(Limits)), ("decoder", c_uint32),
                ("scale", c_uint32), ("crop_x", c_uint32), ("crop_y", c_uint32),
                ("crop_width", c_uint32), ("crop_height", c_uint32), ("ladder", c_void_p),
                ("background", c_uint8 * 4), ("threads", c_uint32)]


NO_RESTARTS = 0xFFFFFFFF


class BaselineOptions(ctypes.Structure):
    """struct pcr_baseline_options"""

    __slots__ = ()
    _fields_ = [("size", c_uint32), ("flags", c_uint32), ("limits", POINTER(Limits)),
                ("ladder", c_void_p), ("restart_rows", c_uint32), ("reserved", c_uint32)]


class ImageInfo(ctypes.Structure):
    """struct pcr_image_info"""

    __slots__ = ()
    _fields_ = [("size", c_uint32), ("width", c_uint32), ("height", c_uint32),
                ("channels", c_uint32), ("orientation", c_uint32), ("reserved", c_uint32)]


class ResizeOptions(ctypes.Structure):
    """struct pcr_resize_options"""

    __slots__ = ()
    _fields_ = [("size", c_uint32), ("flags", c_uint32), ("x0", c_double),
                ("y0", c_double), ("x1", c_double), ("y1", c_double),
                ("filter", c_uint32), ("grid_width", c_uint32), ("grid_height", c_uint32),
                ("grid_x", c_uint32), ("grid_y", c_uint32), ("reserved", c_uint32)]


class DecodeView(ctypes.Structure):
    """struct pcr_decode_view"""

    __slots__ = ()
    _fields_ = [("resize", POINTER(ResizeOptions)), ("dst", c_void_p), ("width", c_uint32),
                ("height", c_uint32)]


ALLOCATE_CALLBACK = CFUNCTYPE(c_void_p, c_void_p, c_size_t)
RELEASE_CALLBACK = CFUNCTYPE(None, c_void_p, c_void_p, c_size_t)


class LoaderOrder(ctypes.Structure):
    """struct pcr_loader_order"""

    __slots__ = ()
    _fields_ = [("shuffle", c_uint32), ("block_samples", c_uint32),
                ("window_samples", c_uint32), ("reserved32", c_uint32),
                ("window_nbytes", c_uint64), ("indices", c_void_p), ("index_count", c_uint64),
                ("epoch_samples", c_uint64), ("proportions", c_void_p),
                ("reserved", c_uint64 * 4)]


class LoaderShard(ctypes.Structure):
    """struct pcr_loader_shard"""

    __slots__ = ()
    _fields_ = [("rank", c_uint32), ("world", c_uint32), ("worker", c_uint32),
                ("worker_count", c_uint32), ("reserved", c_uint64 * 2)]


class LoaderSamples(ctypes.Structure):
    """struct pcr_loader_samples"""

    __slots__ = ()
    _fields_ = [("count", c_uint64), ("weights", c_void_p), ("fidelities", c_void_p),
                ("qualities", c_void_p), ("augment", c_void_p), ("reserved", c_uint64 * 3)]


class LoaderFidelity(ctypes.Structure):
    """struct pcr_loader_fidelity"""

    __slots__ = ()
    _fields_ = [("level", c_uint32), ("step_count", c_uint32), ("steps", c_void_p),
                ("quality", c_double), ("minimum", c_uint32), ("maximum", c_uint32)]


class LoaderOutput(ctypes.Structure):
    """struct pcr_loader_output"""

    __slots__ = ()
    _fields_ = [("height", c_uint32), ("width", c_uint32), ("layout", c_uint32),
                ("color", c_uint32), ("dtype", c_uint32), ("mean", c_float * 3),
                ("std", c_float * 3), ("background", c_uint8 * 4),
                ("column_count", c_uint32), ("reserved32", c_uint32),
                ("columns", POINTER(c_char_p))]


class LoaderTransform(ctypes.Structure):
    """struct pcr_loader_transform"""

    __slots__ = ()
    _fields_ = [("kind", c_uint32), ("filter", c_uint32), ("resize_px", c_uint32),
                ("area_min_ppm", c_uint32), ("area_max_ppm", c_uint32),
                ("ratio_min_ppm", c_uint32), ("ratio_max_ppm", c_uint32),
                ("flip_ppm", c_uint32), ("brightness_ppm", c_uint32),
                ("contrast_ppm", c_uint32), ("saturation_ppm", c_uint32),
                ("hue_ppm", c_uint32), ("rotate_mdeg", c_uint32), ("fill", c_uint8 * 4),
                ("flip_down_ppm", c_uint32), ("turn_ppm", c_uint32), ("color_ppm", c_uint32),
                ("gray_ppm", c_uint32), ("solarize_ppm", c_uint32), ("blur_ppm", c_uint32),
                ("blur_min", c_uint32), ("blur_max", c_uint32), ("erase_ppm", c_uint32),
                ("erase_area_min_ppm", c_uint32), ("erase_area_max_ppm", c_uint32),
                ("erase_ratio_min_ppm", c_uint32), ("erase_ratio_max_ppm", c_uint32),
                ("longest_px", c_uint32), ("multiple", c_uint32),
                ("randaugment_ops", c_uint32), ("randaugment_magnitude", c_uint32),
                ("randaugment_bins", c_uint32), ("trivialaugment_bins", c_uint32),
                ("geometric_only", c_uint32), ("reserved", c_uint64 * 4)]


class LoaderMix(ctypes.Structure):
    """struct pcr_loader_mix"""

    __slots__ = ()
    _fields_ = [("mixup_alpha", c_double), ("cutmix_alpha", c_double),
                ("chance_ppm", c_uint32), ("cutmix_ppm", c_uint32), ("each", c_uint32),
                ("class_count", c_uint32)]


class LoaderThreads(ctypes.Structure):
    """struct pcr_loader_threads"""

    __slots__ = ()
    _fields_ = [("count", c_uint32), ("reader_count", c_uint32), ("reserved", c_uint64 * 2)]


class LoaderMemory(ctypes.Structure):
    """struct pcr_loader_memory"""

    __slots__ = ()
    _fields_ = [("batches_ahead", c_uint32), ("reserved32", c_uint32),
                ("ring_nbytes", c_uint64), ("allocate", ALLOCATE_CALLBACK),
                ("release", RELEASE_CALLBACK), ("context", c_void_p),
                ("reserved", c_uint64 * 2)]


class LoaderView(ctypes.Structure):
    """struct pcr_loader_view"""

    __slots__ = ()
    _fields_ = [("height", c_uint32), ("width", c_uint32), ("crop_of", c_uint32),
                ("reserved", c_uint32), ("transform", LoaderTransform)]


class LoaderOptions(ctypes.Structure):
    """struct pcr_loader_options"""

    __slots__ = ()
    _fields_ = [("size", c_uint32), ("flags", c_uint32), ("seed", c_uint64),
                ("batch_size", c_uint32), ("bad_sample", c_uint32),
                ("limits", POINTER(Limits)), ("order", LoaderOrder), ("shard", LoaderShard),
                ("samples", LoaderSamples), ("fidelity", LoaderFidelity),
                ("output", LoaderOutput), ("transform", LoaderTransform), ("mix", LoaderMix),
                ("threads", LoaderThreads), ("memory", LoaderMemory),
                ("views", POINTER(LoaderView)), ("view_count", c_uint32),
                ("reserved", c_uint32)]


class FidelityStep(ctypes.Structure):
    """struct pcr_fidelity_step"""

    __slots__ = ()
    _fields_ = [("epoch", c_uint64), ("chances", c_void_p), ("fidelity", c_uint32),
                ("quality_count", c_uint32), ("qualities", c_void_p), ("quality", c_double)]


class Crop(ctypes.Structure):
    """struct pcr_crop"""

    __slots__ = ()
    _fields_ = [("width", c_uint32), ("height", c_uint32), ("x0", c_float), ("y0", c_float),
                ("x1", c_float), ("y1", c_float), ("flipped", c_uint32),
                ("degrees", c_float), ("quarters", c_uint32), ("reserved", c_uint32),
                ("affine", c_double * 6)]


class BatchPicture(ctypes.Structure):
    """struct pcr_batch_picture"""

    __slots__ = ()
    _fields_ = [("offset", c_uint64), ("height", c_uint32), ("width", c_uint32)]


class BatchView(ctypes.Structure):
    """struct pcr_batch_view"""

    __slots__ = ()
    _fields_ = [("pixels", c_void_p), ("crops", POINTER(Crop)), ("height", c_uint32),
                ("width", c_uint32), ("pictures", POINTER(BatchPicture))]


class Batch(ctypes.Structure):
    """struct pcr_batch"""

    __slots__ = ()
    _fields_ = [("size", c_uint32), ("sample_count", c_uint32),
                ("pixels", c_void_p), ("labels", POINTER(c_int64)),
                ("indices", POINTER(c_uint64)), ("fidelities", POINTER(c_uint32)),
                ("height", c_uint32), ("width", c_uint32),
                ("channels", c_uint32), ("layout", c_uint32), ("dtype", c_uint32),
                ("column_count", c_uint32), ("epoch", c_uint64), ("number", c_uint64),
                ("datasets", POINTER(c_uint32)),
                ("data", c_void_p), ("offsets", POINTER(c_uint64)),
                ("crops", POINTER(Crop)), ("valid", POINTER(c_uint8)),
                ("float_labels", POINTER(c_double)), ("label_counts", POINTER(c_uint32)),
                ("all_labels", POINTER(POINTER(c_int64))),
                ("all_float_labels", POINTER(POINTER(c_double))),
                ("views", POINTER(BatchView)), ("view_count", c_uint32),
                ("class_count", c_uint32), ("columns", POINTER(POINTER(Column))),
                ("lam", POINTER(c_float)), ("partners", POINTER(c_uint32)),
                ("soft_labels", POINTER(c_float))]


class BadSample(ctypes.Structure):
    """struct pcr_bad_sample"""

    __slots__ = ()
    _fields_ = [("size", c_uint32), ("code", c_int32), ("epoch", c_uint64),
                ("index", c_uint64), ("dataset", c_uint32), ("fidelity", c_uint32),
                ("delivered", c_uint32), ("replacement_dataset", c_uint32),
                ("replacement", c_uint64), ("message", c_char * MESSAGE_NBYTES)]


class LoaderStats(ctypes.Structure):
    """struct pcr_loader_stats"""

    __slots__ = ()
    _fields_ = [("size", c_uint32), ("thread_count", c_uint32),
                ("sample_count", c_uint64), ("batch_count", c_uint64),
                ("replaced_count", c_uint64), ("degraded_count", c_uint64),
                ("read_nbytes", c_uint64), ("read_ns", c_uint64),
                ("decode_ns", c_uint64), ("idle_ns", c_uint64),
                ("consumer_wait_ns", c_uint64), ("room_wait_ns", c_uint64),
                ("bytes_wait_ns", c_uint64), ("read_count", c_uint64),
                ("elapsed_ns", c_uint64), ("held_nbytes", c_uint64),
                ("reading_count", c_uint32), ("decoding_count", c_uint32),
                ("batches_open", c_uint32), ("batches_ready", c_uint32),
                ("batches_held", c_uint32), ("reader_count", c_uint32),
                ("ahead_nbytes", c_uint64), ("profile_converted_count", c_uint64),
                ("profile_unusable_count", c_uint64), ("fidelity_counts", c_uint64 * 32),
                ("delivered_nbytes", c_uint64), ("full_nbytes", c_uint64),
                ("quality_count", c_uint64), ("quality_sum_ppm", c_uint64),
                ("quality_least_ppm", c_uint64)]


class SystemInfo(ctypes.Structure):
    """struct pcr_system_info"""

    __slots__ = ()
    _fields_ = [("size", c_uint32), ("cpu_count", c_uint32), ("cpu_features", c_char_p),
                ("io_backends", c_char_p), ("jpeg_library", c_char_p),
                ("png_library", c_char_p), ("zstd_library", c_char_p),
                ("xxhash_library", c_char_p), ("json_library", c_char_p),
                ("io_uring", c_char_p), ("zlib_library", c_char_p),
                ("lcms_library", c_char_p)]


class SourceBlob(ctypes.Structure):
    """struct pcr_source_blob"""

    __slots__ = ()
    _fields_ = [("name", c_char_p), ("data", c_void_p), ("nbytes", c_uint64)]


class SourceSample(ctypes.Structure):
    """struct pcr_source_sample"""

    __slots__ = ()
    _fields_ = [("size", c_uint32), ("split", c_uint32), ("key", c_char_p),
                ("path", c_char_p), ("attributes", c_char_p),
                ("labels", c_void_p), ("label_count", c_uint32), ("blob_count", c_uint32),
                ("nbytes", c_uint64), ("revision", c_uint64), ("float_labels", c_void_p),
                ("blobs", POINTER(SourceBlob)), ("file", FileInfo)]


DESCRIBE_CALLBACK = CFUNCTYPE(c_int, c_void_p, c_uint64, POINTER(SourceSample),
                              POINTER(Error))
LOAD_CALLBACK = CFUNCTYPE(c_int, c_void_p, c_uint64, c_uint64, POINTER(Buffer),
                          POINTER(Error))
LOAD_BLOB_CALLBACK = CFUNCTYPE(c_int, c_void_p, c_uint64, c_uint32, c_uint64, POINTER(Buffer),
                               POINTER(Error))
CLOSE_CALLBACK = CFUNCTYPE(None, c_void_p)


class LeftOut(ctypes.Structure):
    """struct pcr_left_out"""

    __slots__ = ()
    _fields_ = [("path", c_char_p), ("key", c_char_p), ("reason", c_char_p)]


class Source(ctypes.Structure):
    """struct pcr_source"""

    __slots__ = ()
    _fields_ = [("size", c_uint32), ("class_count", c_uint32), ("context", c_void_p),
                ("sample_count", c_uint64), ("class_names", POINTER(c_char_p)),
                ("split_names", POINTER(c_char_p)), ("split_count", c_uint32),
                ("reserved", c_uint32), ("describe", DESCRIBE_CALLBACK),
                ("load", LOAD_CALLBACK), ("load_blob", LOAD_BLOB_CALLBACK),
                ("close", CLOSE_CALLBACK),
                ("left_out", POINTER(LeftOut)), ("left_out_count", c_uint64),
                ("ignored_count", c_uint64)]


class WriteProgress(ctypes.Structure):
    """struct pcr_write_progress"""

    __slots__ = ()
    _fields_ = [("size", c_uint32), ("reserved", c_uint32),
                ("sample_count", c_uint64), ("samples_done", c_uint64),
                ("samples_bad", c_uint64), ("record_count", c_uint64),
                ("records_done", c_uint64), ("records_kept", c_uint64),
                ("source_nbytes", c_uint64), ("written_nbytes", c_uint64),
                ("records_source_nbytes", c_uint64), ("samples_reduced", c_uint64),
                ("samples_undecodable", c_uint64), ("samples_salvaged", c_uint64),
                ("samples_dropped", c_uint64), ("dropped_nbytes", c_uint64),
                ("samples_unrestorable", c_uint64), ("samples_duplicate", c_uint64),
                ("samples_across_splits", c_uint64), ("samples_encoded", c_uint64),
                ("samples_repeated", c_uint64), ("repeated_across_splits", c_uint64),
                ("samples_uncompared", c_uint64), ("samples_exact", c_uint64)]


PROGRESS_CALLBACK = CFUNCTYPE(c_int, c_void_p, POINTER(WriteProgress))
BAD_INPUT_CALLBACK = CFUNCTYPE(None, c_void_p, c_char_p, c_char_p, POINTER(Error))
LEFT_OUT_CALLBACK = CFUNCTYPE(None, c_void_p, c_char_p, c_char_p)
VERIFY_CALLBACK = CFUNCTYPE(c_int, c_void_p, c_uint32, c_char_p, c_uint64, POINTER(Error))


class WriteOptions(ctypes.Structure):
    """struct pcr_write_options"""

    __slots__ = ("handle",)  # the ladder's, which lives as long as the struct
    _fields_ = [("size", c_uint32), ("flags", c_uint32), ("ladder", c_void_p),
                ("seed", c_uint64), ("record_samples", c_uint32),
                ("thread_count", c_uint32), ("record_nbytes", c_uint64),
                ("bad_policy", c_uint32), ("opaque_policy", c_uint32), ("limits", POINTER(Limits)),
                ("max_memory_nbytes", c_uint64), ("progress", PROGRESS_CALLBACK),
                ("bad_input", BAD_INPUT_CALLBACK), ("context", c_void_p),
                ("max_side", c_uint32), ("quality", c_uint32), ("manifest_out", c_void_p),
                ("storage", POINTER(Storage)),
                ("coding", c_uint32), ("originals", c_uint32),
                ("pictures", c_uint32), ("target_nbytes", c_uint32),
                ("repeated", LEFT_OUT_CALLBACK)]


class FolderLayout(IntEnum):
    """enum pcr_folder_layout"""

    AUTO = 0
    SPLIT_CLASS = 1
    CLASS = 2
    SPLIT = 3
    FLAT = 4


class WriterOptions(ctypes.Structure):
    """struct pcr_writer_options"""

    __slots__ = ()
    _fields_ = [("size", c_uint32), ("flags", c_uint32), ("write", POINTER(WriteOptions)),
                ("class_count", c_uint32), ("split_count", c_uint32),
                ("class_names", POINTER(c_char_p)), ("split_names", POINTER(c_char_p)),
                ("spool_folder", c_char_p)]


class SourceOptions(ctypes.Structure):
    """struct pcr_source_options"""

    __slots__ = ()
    _fields_ = [("size", c_uint32), ("flags", c_uint32), ("format", c_char_p),
                ("root", c_char_p), ("left_out", LEFT_OUT_CALLBACK), ("context", c_void_p),
                ("layout", c_uint32), ("class_count", c_uint32),
                ("classes", POINTER(c_char_p)), ("noted", LEFT_OUT_CALLBACK),
                ("extensions", POINTER(c_char_p)), ("extension_count", c_uint32),
                ("annotation_count", c_uint32), ("target", c_char_p),
                ("spool_folder", c_char_p), ("image_field", c_char_p),
                ("label_field", c_char_p), ("key_field", c_char_p),
                ("annotations", POINTER(c_char_p)), ("lists", POINTER(c_char_p)),
                ("list_count", c_uint32), ("blob_count", c_uint32),
                ("blobs", POINTER(c_char_p))]


class ExportReport(ctypes.Structure):
    """struct pcr_export_report"""

    __slots__ = ()
    _fields_ = [("size", c_uint32), ("fidelity", c_uint32), ("sample_count", c_uint64),
                ("samples_done", c_uint64), ("written_count", c_uint64),
                ("written_nbytes", c_uint64), ("file_count", c_uint64),
                ("unsafe_count", c_uint64), ("damaged_count", c_uint64),
                ("degraded_count", c_uint64),
                ("unrestorable_count", c_uint64),
                ("lost_blob_count", c_uint64)]


EXPORT_PROGRESS_CALLBACK = CFUNCTYPE(c_int, c_void_p, POINTER(ExportReport))
EXPORT_LEFT_OUT_CALLBACK = CFUNCTYPE(None, c_void_p, c_uint32, c_uint64, c_char_p, c_char_p)
EXPORT_WRITE_CALLBACK = CFUNCTYPE(c_int, c_void_p, c_void_p, c_size_t, POINTER(Error))


class ExportOptions(ctypes.Structure):
    """struct pcr_export_options"""

    __slots__ = ()
    _fields_ = [("size", c_uint32), ("flags", c_uint32), ("format", c_char_p),
                ("fidelity", c_uint32), ("jpeg", c_uint32), ("damage", c_uint32),
                ("thread_count", c_uint32), ("indices", POINTER(c_uint64)),
                ("index_count", c_uint64), ("shard_nbytes", c_uint64),
                ("shard_samples", c_uint64), ("progress", EXPORT_PROGRESS_CALLBACK),
                ("left_out", EXPORT_LEFT_OUT_CALLBACK), ("write", EXPORT_WRITE_CALLBACK),
                ("context", c_void_p)]
