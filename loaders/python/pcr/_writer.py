# SPDX-License-Identifier: BSD-2-Clause
"""Writing datasets: from image folders and lists, and from samples in memory."""

from __future__ import annotations

import os
import re
from ctypes import POINTER, byref, c_char_p, c_void_p
from typing import (Any, Callable, Dict, Iterable, List, Mapping, NamedTuple, Optional, Sequence,
                    Tuple, Union)

from . import _structs as st
from ._dataset import Dataset, Path, open as open_dataset
from ._keywords import keywords
from ._library import (Handle, c_path, c_string, call, choice, lib, limits_of, text,
                       to_exception, whole)
from ._label import warn_of_numbers
from ._pillow import Decoding
from ._source import NewSample, Source, class_list, strings
from ._waiter import interruptible
from .errors import CancelledError, InvalidError, PcrError

Progress = Callable[["WriteProgress"], None]
Ladder = Union[str, "os.PathLike[str]"]
Inputs = Union[Path, Iterable[Path], Mapping[str, Union[Path, Iterable[Path]]]]


class WriteProgress(NamedTuple):
    """How far a conversion is. Sizes are in bytes."""

    sample_count: int  #: in all
    samples_done: int  #: packed or kept from an earlier run
    samples_bad: int  #: skipped
    record_count: int
    records_done: int
    records_kept: int  #: found complete from an earlier run
    source_nbytes: int  #: of the samples done
    written_nbytes: int  #: of the records done
    records_source_nbytes: int  #: of the samples of the records done
    samples_reduced: int  #: by max_side or target_nbytes; not those of records kept
    samples_undecodable: int  #: kept whole, though no decoder here can show them
    samples_salvaged: int  #: of damaged files, coded as far as they decode
    samples_dropped: int  #: whose files had bytes after the image, which were not kept
    dropped_nbytes: int  #: those bytes
    samples_unrestorable: int  #: kept whole, as it would take too much to restore their files
    samples_duplicate: int  #: left out by dedupe, and not in sample_count
    samples_across_splits: int  #: of these, those that are kept in another split
    samples_encoded: int  #: of other formats, that became JPEGs
    samples_repeated: int  #: whose file is that of a sample before, too; they are kept
    repeated_across_splits: int  #: of these, those whose first is in another split
    samples_uncompared: int  #: of an earlier run's records, of whose files too little is known
    samples_exact: int  #: of other formats, whose pixels are kept by a JPEG and a residual


class BadInput(NamedTuple):
    """An input that was not packed as an intact image, and why."""

    path: str
    reason: PcrError
    #: what its bytes begin like ("WebP", "HTML", "JPEG"; "unknown"); None: it has none
    format: Optional[str] = None


class WriteReport(NamedTuple):
    """What a conversion did."""

    progress: WriteProgress
    bad: Tuple[BadInput, ...]  #: skipped, or kept whole though bad; as threads found them
    #: (path, reason) of images without a place, and of links and the like that are passed over
    left_out: Tuple[Tuple[str, str], ...]
    ignored_count: int = 0  #: files that are no images
    #: (path, what) of files that were not understood as a whole, such as a metadata.csv that has
    #: no row for some images of its folder; nothing is left out for it
    notes: Tuple[Tuple[str, str], ...] = ()
    #: (path, path of the first with this file) of files that are there more than once, and kept
    repeated: Tuple[Tuple[str, str], ...] = ()
    #: (format, count) of files that Pillow decoded
    decoded: Tuple[Tuple[str, int], ...] = ()


def input_list(src: Inputs) -> List[bytes]:
    """The inputs of convert() as the library takes them."""
    if isinstance(src, Mapping):
        for split in src:
            if not isinstance(split, str) or not split or set(split) & set("=/*?[{"):
                raise InvalidError(f"src has {split!r:.100} as the name of a split")
        return [split.encode() + b"=" + path for split, part in src.items()
                for path in input_list(part)]
    if isinstance(src, (str, bytes, os.PathLike)):
        return [c_path(src)]
    return [c_path(path) for path in src]


def choose_dot(key_dot: str) -> bool:
    """Whether it is the last one."""
    if key_dot not in ("first", "last"):
        raise InvalidError(f"key_dot is {key_dot!r:.100}, expected 'first' or 'last'")
    return key_dot == "last"


def source_options(format: Optional[str], root: Optional[Path], layout: Optional[str],
                   all_files: bool, on_bad: str, image_field: Optional[str],
                   label_field: Optional[str], key_field: Optional[str], key_dot: str,
                   segmentations: bool, zero_based: bool,
                   spool: Optional[Path]) -> st.SourceOptions:
    """Those that convert() hands on."""
    def name(value: Optional[str], what: str) -> Optional[bytes]:
        return None if value is None else c_string(value, what)

    return st.sized(
        st.SourceOptions,
        format=name(format, "a format"),
        root=None if root is None else c_path(root),
        flags=(st.SOURCE_ALL_FILES if all_files else 0)
        | (st.SOURCE_SKIP_DAMAGED if on_bad != "fail" else 0)
        | (st.SOURCE_LAST_DOT if choose_dot(key_dot) else 0)
        | (st.SOURCE_SEGMENTATIONS if segmentations else 0)
        | (st.SOURCE_ZERO_BASED if zero_based else 0),
        layout=0 if layout is None else choice(st.FolderLayout, layout.replace("-", "_"),
                                               "layout"),
        image_field=name(image_field, "image_field"),
        label_field=name(label_field, "label_field"),
        key_field=name(key_field, "key_field"),
        spool_folder=None if spool is None else c_path(spool))


def gathered() -> Tuple[List[Tuple[str, str]], Any]:
    """A list, and a callback that puts there what a source tells of a path."""
    told: List[Tuple[str, str]] = []

    def tell(_context: Any, path: Optional[bytes], what: Optional[bytes]) -> None:
        told.append((text(path), text(what)))

    return told, st.LEFT_OUT_CALLBACK(tell)


def take_names(options: st.SourceOptions, classes: Optional[Iterable[str]],
               extensions: Optional[Iterable[str]], blobs: Optional[Iterable[str]]) -> None:
    """Hands lists of names on."""
    def given(names: Iterable[str], what: str) -> Tuple[int, Any]:
        found = class_list(names)
        return len(found), strings(found, what)

    if classes is not None:
        options.class_count, options.classes = given(classes, "a class name")
    if extensions is not None:
        options.extension_count, options.extensions = given(extensions, "an extension")
    if blobs is not None:
        options.blob_count, options.blobs = given(blobs, "a blob's name")
        options.flags |= st.SOURCE_CHOOSE_BLOBS


def annotate(options: st.SourceOptions, annotations: Inputs, lists: Optional[Inputs],
             max_side: Optional[int], target_nbytes: Optional[int]) -> None:
    """Hands annotations on."""
    if max_side is not None:
        raise InvalidError("max_side does not go with annotations: boxes would not follow")
    if target_nbytes is not None:
        raise InvalidError("target_nbytes does not go with annotations: it turns pictures upright")
    files, of = input_list(annotations), [] if lists is None else input_list(lists)
    options.annotations, options.annotation_count = (c_char_p * len(files))(*files), len(files)
    options.lists, options.list_count = (c_char_p * len(of))(*of), len(of)


CODINGS = {"packed": st.Coding.PACKED, "scans": st.Coding.SCANS}


@keywords(num_workers="write threads=", workers="write threads=")
def convert(src: Inputs, dst: Path, *, coding: Optional[str] = None,
            ladder: Optional[Ladder] = None, seed: int = 0, shuffle: bool = True,
            record_samples: int = 1024, record_nbytes: int = 0, threads: Optional[int] = None,
            on_bad: str = "fail", opaque: str = "keep", dedupe: bool = False,
            keep_originals: Optional[bool] = None, format: Optional[str] = None,
            root: Optional[Path] = None, layout: Optional[str] = None,
            classes: Optional[Iterable[str]] = None, extensions: Optional[Iterable[str]] = None,
            all_files: bool = False, image_field: Optional[str] = None,
            label_field: Optional[str] = None, key_field: Optional[str] = None,
            key_dot: str = "first", annotations: Optional[Inputs] = None,
            segmentations: bool = False, lists: Optional[Inputs] = None,
            zero_based: bool = False, blobs: Optional[Iterable[str]] = None,
            spool: Optional[Path] = None, dry_run: bool = False,
            progress: Optional[Progress] = None, max_side: Optional[int] = None,
            target_nbytes: Optional[int] = None, quality: Optional[int] = None,
            pictures: str = "opaque", max_pixels: Optional[int] = None,
            max_scans: Optional[int] = None, max_sample_nbytes: Optional[int] = None,
            max_memory_nbytes: Optional[int] = None, pillow: bool = False) -> WriteReport:
    """Converts a folder of images, a CSV or JSONL list of them, or archives, into a dataset.

    src: a tree split/class/file, class/file or file; a .csv, .tsv or .jsonl list; tar and zip
        archives (docs/formats.md): a path or a pattern ("a-{000..127}.tar"), several, or a
        mapping from splits to such.
    dst: the dataset's folder, made if need be.
    coding: how coefficients are stored, both without loss: "packed", or "scans", progressive
        JPEG, a tenth larger. None is "packed", or "scans" with a ladder that packed cannot use.
    ladder: a built-in's name ("packed", "bitplane", "classic"), the path of a ladder file (a
        PathLike), or a ladder's text; None is the coding's own, "packed" or "bitplane".
    seed, shuffle: the order of the samples.
    record_samples: samples a record; record_nbytes: or about so many source bytes (0: by count).
    threads: None is one for each CPU that this process may use.
    on_bad: what to do with an input that is damaged, or that no decoder here can show (HEIC,
        arithmetic-coded JPEG, HTML): "fail" stops; "skip" leaves it out; "opaque" keeps its
        bytes whole, and notes what does not decode (Dataset.notes()); "salvage", which is
        lossy, codes what decodes of a truncated or damaged JPEG, as libjpeg shows it after its
        warnings, marks the sample by an attribute "salvaged" with the reason, and skips others.
    opaque: images that decode but are not JPEG, or that JPEG scans cannot hold: "keep" them
        whole, or "refuse" them as bad inputs.
    dedupe: keep one of the samples whose files are equal: of several splits that of the
        smallest, of one split the first (docs/guide.md). errors.jsonl lists the others. Where
        labels differ: InvalidError, or, unless on_bad is "fail", all copies are bad inputs.
    keep_originals: files can be restored (Sample.original()). None: if that costs at most 1.0%.
    format: an importer's name; None: by the path. root: where a list's relative paths start.
    layout: for folders, what they are: "split-class", "class", "split" (no labels) or "flat"
        (neither). None: as names and contents show; in doubt InvalidError shows the readings.
    classes: the classes in their order, where they are not to be the names that there are,
        sorted. Labels are these names, or integers from 0 on. Without it single integers that
        are together 0 to n - 1 are classes called "0" to "n - 1"; empty: they are not.
    extensions: for folders, take the files whose names end so (["jpg", "jpeg"], in any case);
        None: those that are images by name or by their first bytes. all_files: take all that are
        not hidden; what is no image is then a bad input.
    image_field, label_field, key_field: for containers, the parts of a sample that are these
        (docs/formats.md). blobs: those that become blobs; None: all that are neither image nor
        text. key_dot: for archives, the dot, "first" or "last", that ends a key. spool: a folder
        for unnamed files, of compressed archives and pipes and of what is known of many samples;
        None: $TMPDIR, or /tmp.
    annotations: COCO's files, such as "instances_train2017.json", or VOC's folder: boxes become
        attributes (docs/formats.md#coco), and src is the folder of the images; or both are mappings
        from splits. segmentations: COCO's are kept, too. lists: VOC's, such as {"train":
        "ImageSets/Main/train.txt"}. zero_based: VOC's corners count so, not from 1. Does not go
        with `classes`, `max_side` and `target_nbytes`.
    dry_run: do everything but write.
    progress: called at least every 200 ms with a WriteProgress. An exception that it raises stops
        the work and passes through, and so does Ctrl-C.
    max_side, quality: lossy: images with a side of more than max_side pixels are reduced to that,
        upright, and encoded as 4:2:0 JPEG of this quality (1 to 100; None is 90) before they are
        packed. Of their metadata the ICC profile stays, and no alpha.
    target_nbytes: lossy: images in larger files are encoded so, in the highest quality up to
        `quality` in which the JPEG has at most so many bytes; a bad input if none has.
    pictures: intact images that are no JPEGs: "opaque", whole; "progressive" or "progressive:Q",
        pixels, as JPEG of quality Q (90) and residual, if that is smaller; or lossy, "jpeg:Q".
    max_pixels, max_scans, max_sample_nbytes: images of more pixels (2**28 if None), JPEG files
        of more scans (64), larger files (2**30 bytes) are bad inputs. Where larger ones are
        taken, the dataset says so, and readers with default limits take them too.
    max_memory_nbytes: what the pictures that are at work may take together (2 GiB if None): a
        JPEG takes about 14 bytes a pixel while it is packed, 7 where chroma is halved both ways.
        Those that do not fit wait for each other; one that by itself takes more is a bad input.
    pillow: decode HEIC, AVIF and JPEG XL by Pillow and its plugins, and take PNGs of their
        pictures for the files, of which `pictures` says what becomes (docs/python.md).

    Every image is packed without loss and proven so, after such a reduction. A call that
    was killed is continued by the same call. Raises InvalidError, IoError (BusyError: another
    writer; ENOSPC: finished records stay), under "fail" the bad input's error, LimitError,
    OutOfMemory.
    """
    settings = write_options(coding, ladder, seed, shuffle, record_samples, record_nbytes,
                             threads, on_bad, opaque, dedupe, keep_originals, dry_run, max_side,
                             target_nbytes, quality, pictures, max_memory_nbytes,
                             limits_of(max_pixels, max_scans, max_sample_nbytes))
    options = source_options(format, root, layout, all_files, on_bad, image_field, label_field,
                             key_field, key_dot, segmentations, zero_based, spool)
    if annotations is not None or lists is not None:
        annotate(options, annotations or (), lists, max_side, target_nbytes)
    left_out, options.left_out = gathered()
    notes, options.noted = gathered()
    take_names(options, classes, extensions, blobs)
    if classes is not None and not options.class_count:
        settings.flags |= st.WRITE_NO_CLASSES
    job = Job(settings, progress)
    level = 1 if pictures.startswith("jpeg:") else 6  # a PNG that is not kept
    done, ignored, names, decoded = import_all(job, options, src, dst, lambda source: Decoding(
        source, max_pixels, level) if pillow else None)
    if classes is None:
        warn_of_numbers(names)
    return WriteReport(done, tuple(job.bad), tuple(left_out), ignored, tuple(notes),
                       tuple(job.repeated), decoded)


def import_all(job: Job, options: st.SourceOptions, src: Inputs, dst: Path,
               decoder: Callable[[st.Source], Optional[Decoding]]
               ) -> Tuple[WriteProgress, int, List[str], Tuple[Tuple[str, int], ...]]:
    """Writes a dataset of all inputs. Also gives how many files were passed over, the names of
    classes, and what was decoded."""
    inputs, target = input_list(src), c_path(dst)
    origins = (c_char_p * len(inputs))(*inputs)
    options.target = target

    def run() -> Tuple[WriteProgress, int, List[str], Tuple[Tuple[str, int], ...]]:
        source = POINTER(st.Source)()
        call(lib.pcr_source_open_all, origins, len(inputs), byref(options), byref(source))
        try:
            found = source.contents
            ignored, names = int(found.ignored_count), [
                text(found.class_names[i]) for i in range(found.class_count)]
            decoding = decoder(found)
            done = job.run(lambda report: call(lib.pcr_dataset_write, target, source,
                                               byref(job.settings), report))
            return done, ignored, names, decoding.counts() if decoding else ()
        finally:
            lib.pcr_source_close(byref(source))

    return interruptible(run, job.stop)


@keywords(num_workers="write threads=", workers="write threads=")
def write(dst: Path, samples: Iterable[Union[NewSample, Sequence[Any]]], *,
          classes: Optional[Iterable[str]] = None, coding: Optional[str] = None,
          ladder: Optional[Ladder] = None, seed: int = 0, shuffle: bool = True,
          record_samples: int = 1024,
          record_nbytes: int = 0, threads: Optional[int] = None, on_bad: str = "fail",
          opaque: str = "keep", dedupe: bool = False, keep_originals: Optional[bool] = None,
          dry_run: bool = False,
          progress: Optional[Progress] = None, max_side: Optional[int] = None,
          target_nbytes: Optional[int] = None, quality: Optional[int] = None,
          pictures: str = "opaque", max_pixels: Optional[int] = None,
          max_scans: Optional[int] = None,
          max_sample_nbytes: Optional[int] = None,
          max_memory_nbytes: Optional[int] = None,
          spool_folder: Optional[Path] = None) -> WriteReport:
    """Writes a dataset of samples that this process has or makes.

    samples: NewSample or tuples (key, data[, label[, attributes[, split]]]), see there.
        They are gathered before anything is written: in memory the bytes of a list or tuple, and
        functions; in files without a name in `spool_folder` those of an iterator, such as a
        generator, and once they are more than some MB all keys, labels and attributes. There must
        be room for them; None is the folder that `dst` is in. Functions as `data` are called when
        the bytes are needed.
    classes: names of the classes that integer labels are indices into, in their order. Labels
        that are strings are class names; without `classes` they are numbered in sorted order.
        Without any names, single integers that are together 0 to n - 1 are classes called
        "0" to "n - 1"; an empty `classes` leaves them integers.

    The other arguments, the result and the exceptions are those of convert(); wrong types are
    a TypeError that names key and type. An exception in a `data` function, in `samples` or in
    `progress` stops the work and passes through, and nothing is published. With on_bad "skip"
    or "opaque" a `data` function's OSError or PcrError makes its sample a bad input instead.
    """
    folder = os.path.dirname(os.path.abspath(os.fsdecode(dst)))
    source = Source(samples, classes, bad_may_pass=on_bad != "fail",
                    spool_folder=folder if spool_folder is None else os.fsdecode(spool_folder))
    settings = write_options(coding, ladder, seed, shuffle, record_samples, record_nbytes,
                             threads, on_bad, opaque, dedupe, keep_originals, dry_run, max_side,
                             target_nbytes, quality, pictures, max_memory_nbytes,
                             limits_of(max_pixels, max_scans, max_sample_nbytes))
    if classes is not None and not source.struct.class_count:
        settings.flags |= st.WRITE_NO_CLASSES
    if classes is None:
        warn_of_numbers(source.classes)
    job, target = Job(settings, progress, source), c_path(dst)

    def run(report: Any) -> None:
        call(lib.pcr_dataset_write, target, byref(source.struct), byref(settings), report)

    done = interruptible(lambda: job.run(run), job.stop)
    return WriteReport(done, tuple(job.bad), (), repeated=tuple(job.repeated))


@keywords(num_workers="write threads=", workers="write threads=")
def recode(src: Union[Path, Dataset], dst: Path, *, coding: str, ladder: Optional[Ladder] = None,
           threads: Optional[int] = None, dry_run: bool = False,
           progress: Optional[Progress] = None,
           max_memory_nbytes: Optional[int] = None) -> WriteReport:
    """Writes a dataset anew in another coding, without loss and without making pixels.

    src: the dataset's folder, or a whole dataset that is open. It is not changed.
    dst: the new dataset's folder, made if need be.
    coding: "scans" or "packed", as for convert().
    ladder: as for convert(); None is the coding's own where the dataset has that of a coding,
        and else the dataset's.

    Each record becomes one, with the same samples in their order, their keys, labels,
    attributes, splits, classes, metadata and notes. Samples that were kept whole stay so. Every
    other is proven to have the same coefficients. threads, dry_run, progress, max_memory_nbytes,
    the result, and how a call that was killed is continued are those of convert(). Raises
    InvalidError, IoError (BusyError), LimitError, OutOfMemory, and CorruptError and others where a
    sample cannot be read, which ends the work.
    """
    settings = _run_options(coding, ladder, threads, dry_run, max_memory_nbytes)
    job, target = Job(settings, progress), c_path(dst)

    def run() -> WriteProgress:
        dataset = src if isinstance(src, Dataset) else open_dataset(src)
        try:
            handle = dataset._handle
            return job.run(lambda report: call(lib.pcr_dataset_recode, handle.pointer, target,
                                               byref(settings), report))
        finally:
            if dataset is not src:
                dataset.close()

    return WriteReport(interruptible(run, job.stop), (), ())


def write_options(coding: Optional[str], ladder: Optional[Ladder], seed: int, shuffle: bool,
                  record_samples: int, record_nbytes: int, threads: Optional[int],
                  on_bad: str, opaque: str, dedupe: bool, keep_originals: Optional[bool],
                  dry_run: bool, max_side: Optional[int], target_nbytes: Optional[int],
                  quality: Optional[int], pictures: str, max_memory_nbytes: Optional[int],
                  limits: Any) -> st.WriteOptions:
    settings = _run_options(coding, ladder, threads, dry_run, max_memory_nbytes)
    settings.flags |= 0 if shuffle else st.WRITE_NO_SHUFFLE
    settings.flags |= st.WRITE_DEDUPE if dedupe else 0
    settings.seed = whole(seed, "seed", 0, 64)
    settings.record_samples = whole(record_samples, "record_samples")
    settings.record_nbytes = whole(record_nbytes, "record_nbytes", 0, 64)
    settings.bad_policy = choice(st.BadPolicy, on_bad, "on_bad")
    settings.opaque_policy = choice(st.OpaquePolicy, opaque, "opaque")
    settings.originals = (st.Originals.DEFAULT if keep_originals is None else
                          st.Originals.ON if keep_originals else st.Originals.OFF)
    settings.max_side = 0 if max_side is None else whole(max_side, "max_side")
    settings.target_nbytes = 0 if target_nbytes is None else whole(target_nbytes,
                                                                   "target_nbytes")
    settings.quality = 0 if quality is None else whole(quality, "quality")
    settings.pictures, of_pictures = pictures_choice(pictures)
    if of_pictures and settings.quality not in (0, of_pictures):
        raise InvalidError(f"pictures is {pictures!r} and quality is {quality}: a conversion "
                           "makes JPEGs of one quality")
    settings.quality = settings.quality or of_pictures
    settings.limits = limits
    return settings


def pictures_choice(pictures: str) -> Tuple[st.Pictures, int]:
    """What becomes of pictures, and a quality; 0: none."""
    if pictures == "opaque":
        return st.Pictures.OPAQUE, 0
    if pictures == "progressive":
        return st.Pictures.PROGRESSIVE, 0
    found = (re.fullmatch("(jpeg|progressive):([1-9][0-9]?|100)", pictures)
             if isinstance(pictures, str) else None)
    if not found:
        raise InvalidError(f"pictures is {pictures!r:.100}, expected 'opaque', 'progressive', "
                           "'progressive:Q' or 'jpeg:Q' with a quality Q of 1 to 100")
    return st.Pictures[found[1].upper()], int(found[2])


def _run_options(coding: Optional[str], ladder: Optional[Ladder], threads: Optional[int],
                 dry_run: bool, max_memory_nbytes: Optional[int]) -> st.WriteOptions:
    """Those of any run of the writer."""
    if coding is not None and coding not in CODINGS:
        raise InvalidError(f"coding is {coding!r}, expected one of {', '.join(CODINGS)}")
    settings = st.sized(
        st.WriteOptions,
        flags=st.WRITE_DRY_RUN if dry_run else 0,
        coding=0 if coding is None else CODINGS[coding],
        thread_count=0 if threads is None else whole(threads, "threads"),
        max_memory_nbytes=0 if max_memory_nbytes is None
        else whole(max_memory_nbytes, "max_memory_nbytes", 1, 64))
    if ladder is not None:
        handle = _ladder(ladder)
        settings.ladder = handle.pointer
        settings.handle = handle
    return settings


def _ladder(ladder: Ladder) -> Handle:
    pointer = c_void_p()
    if isinstance(ladder, str) and "\n" not in ladder:
        call(lib.pcr_ladder_create, c_string(ladder, "a ladder's name"), byref(pointer))
        return Handle(pointer, lib.pcr_ladder_destroy)
    if isinstance(ladder, str):
        data = ladder.encode("utf-8")
    else:
        with open(ladder, "rb") as file:
            data = file.read()
    call(lib.pcr_ladder_parse, data, len(data), byref(pointer))
    return Handle(pointer, lib.pcr_ladder_destroy)


def ladders() -> Tuple[str, ...]:
    """Names of the built-in ladders, the default first."""
    names: List[str] = []
    while True:
        name = lib.pcr_ladder_name(len(names))
        if name is None:
            return tuple(names)
        names.append(text(name))


def _counters(struct: st.WriteProgress) -> WriteProgress:
    return WriteProgress(*(int(getattr(struct, name)) for name in WriteProgress._fields))


class Job:
    """One run of the writer. Exceptions in callbacks stop it, and are raised at last."""

    def __init__(self, settings: st.WriteOptions, progress: Optional[Progress],
                 source: Optional[Source] = None) -> None:
        self.settings = settings
        self._progress = progress
        self._source = source
        self._raised: List[BaseException] = []  # by progress
        self._stopped = False
        self.bad: List[BadInput] = []
        settings.progress = st.PROGRESS_CALLBACK(self._report)
        settings.bad_input = st.BAD_INPUT_CALLBACK(self._note)
        self.repeated, settings.repeated = gathered()

    def stop(self) -> None:
        """Makes run() return soon."""
        self._stopped = True

    def run(self, write: Callable[[Any], Any]) -> WriteProgress:
        """Has `write`, which is given a place for the report, write the dataset."""
        result = st.sized(st.WriteProgress)
        try:
            write(byref(result))
        except CancelledError as exc:
            raised = (self._raised[0] if self._raised else
                      self._source.exception_of(exc) if self._source else None)
            if raised is None:
                raise
            raise raised from None
        return _counters(result)

    def _report(self, _context: Any, counters: Any) -> int:
        try:
            if self._progress is not None and not self._stopped:
                self._progress(_counters(counters.contents))
        except BaseException as exc:
            self._raised.append(exc)
        return int(self._stopped or bool(self._raised))

    def _note(self, _context: Any, path: Optional[bytes], format: Optional[bytes],
              err: Any) -> None:
        self.bad.append(BadInput(text(path), to_exception(err.contents),
                                 None if format is None else text(format)))
