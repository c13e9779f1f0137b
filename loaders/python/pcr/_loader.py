# SPDX-License-Identifier: BSD-2-Clause
"""Training batches: shuffled, decoded, cropped, at a fidelity set at run time."""

from __future__ import annotations

import re
import warnings
import weakref
from ctypes import byref, c_void_p
from types import TracebackType
from typing import (Any, Dict, Iterable, List, Mapping, NoReturn, Optional, Sequence,
                    Tuple, Type, Union)

import numpy as np

from . import _structs as st
from ._batch import Batch, Hooks, MemoryHooks
from ._boxes import Boxes, boxes_of
from ._dataset import Dataset, Path, open as open_dataset, outside, warn_of_splits
from ._epoch import Core, Epoch
from ._keywords import keywords
from ._image import Background, color_bytes, color_flags
from ._library import (Size, call, choice, fidelity_number, height_width, is_baseline, lib,
                       limits_of, quality_number, whole)
from ._mix import Fidelity, Mix, PerSample, Quality, Renumbering
from ._mixing import mix_options
from ._stats import BadSample, LoaderStats
from ._source import strings
from ._views import ELSEWHERE, Jitter, RandAugment, View, set_views
from ._waiter import Waiter
from ._world import world_around
from .errors import InvalidError

_SHUFFLES: Dict[Any, Any] = {True: "block", False: "none"}

#: Arguments of other loaders, and what to write instead.
_ELSEWHERE = {
    "num_workers": "the work is done by threads= of the library, by default one a CPU",
    "workers": "the work is done by threads= of the library, by default one a CPU",
    "num_threads": "write threads=",
    "persistent_workers": "there are no worker processes",
    "worker_init_fn": "there are no worker processes; seed= is all that order and crops go by",
    "multiprocessing_context": "there are no worker processes",
    "prefetch_factor": "write batches_ahead=",
    "pin_memory": "pcr.torch.Loader has it; here write memory=(allocate, release)",
    "fields": "pcr.torch.Loader has it; here batches have all of them",
    "names": "pcr.torch.Loader has it",
    "sampler": "write indices= or weights=",
    "batch_sampler": "write batch_size= and indices= or weights=",
    "generator": "write seed=",
    "random_seed": "write seed=",
    "collate_fn": "batches are made by the library; change them in the loop",
    "rank": "write shard=(rank, world)",
    "world_size": "write shard=(rank, world)",
    "num_replicas": "write shard=(rank, world)",
    "image_size": "write size=",
    "resolution": "write size=",
    "normalize": "write dtype=\"float32\", mean= and std=",
    "transforms": "write transform=, flip=, jitter= and such",
    "mixup_alpha": "write mixup=",
    "cutmix_alpha": "write cutmix=",
    "mix_prob": "write mix_chance=",
    "switch_prob": "write cutmix_chance=",
    "device": "batches are in memory of the CPU: move them, for example images.to(device)",
}


class Loader:
    """An iterable of batches of a dataset, or several; each iteration is the next epoch.

    dataset: a Dataset or the path of one, or a list of such.
    split: only with paths: the split to open. Without it all splits are taken, and a warning
        names them, once for each dataset; "all" says that this is meant.
    batch_size: samples in a batch.
    seed: of order and augmentation.
    bad_sample: "error": the iteration raises it; "skip": another sample of the epoch takes its
        place, so that all batches keep their size, and it is counted; "degrade": delivered at
        the highest fidelity that verifies, counted, else skipped. Bad is what is damaged, or a
        record that is not there; where the disk or the machine fails, the iteration raises.

    Order: which samples an epoch has, and when.

    shuffle: "block": slices in random order, mixed in a window, for large reads; "full":
        a true permutation, each sample a read of its own; "none": dataset order. True is
        "block", False "none".
    block_samples, window_samples: "block": samples a slice, and mixed together.
    window_nbytes: bound on encoded bytes held.
    indices: the samples to use, as indices in the dataset; in any order, each counts once.
    classes: the classes to use, by name or first label; the first use of a dataset's
        labels reads all heads.
    renumber: batches' labels are the classes' places in `classes`, 0 to len(classes) - 1,
        instead of the dataset's indices. Datasets that number their classes differently
        then have the same labels; names that only some of them have are left to those.
    weights: how often each sample is taken, in proportion. It is taken as often as that makes
        on average in an epoch, rounded up or down at random in each epoch.
    replacement: False: an epoch has no sample twice; they are drawn one after another, by
        weight, from those that are left.
    epoch_samples: samples in an epoch; None is the number of samples to use. Without weights,
        each comes as often as that makes, rounded up or down at random.
    repeat: instead, how often an epoch has each sample on average (2, 0.5); for several
        datasets a number, or one for each.
    proportions: how much of an epoch is of which dataset. None: all samples count alike.

    Shard: which of them this loader has.

    shard: (rank, world): this process is number `rank` of `world` that share each epoch; None
        is all of it, with a warning where the environment or torch.distributed tell of several;
        "env": as the environment says, RANK and WORLD_SIZE, else SLURM_PROCID and
        SLURM_NTASKS, else OMPI_COMM_WORLD_RANK and OMPI_COMM_WORLD_SIZE, else one process; as
        they are when the first batch is taken.
        All ranks have as many batches, of the same sizes, whatever samples are bad.
    worker: (number, count): one of `count` loaders of this process that take turns, such as
        those of a framework's worker processes. Together they have as many batches as one
        loader, and the same samples.
    drop_last: no short batch at the end of an epoch.
    drop_uneven: with several processes, a last, short step that does not divide by their
        number loses the samples left over rather than repeating as few.
    exact: for validation: over all processes each sample is `valid` exactly once. The last
        batches are filled up with repeats, so that all batches of all processes have
        batch_size samples; they unpack as ``images, labels, valid``, and sums take in those
        that are valid alone. Not with drop_last or drop_uneven.

    Fidelity.

    fidelity: 1 to G; None is G. Or a mixture, {fidelity: chance, ...}, drawn for each sample
        and epoch. Or a schedule, [(epoch, fidelity or mixture), ...]: each holds from its
        epoch on. set_fidelity() changes it at any time.
    fidelities: the samples' own fidelities; 0 where `fidelity` or `quality` is to hold.
    quality: in place of a fidelity: how good pixels must be, above 0 and below 1. Each sample is
        then read at the least fidelity whose predicted SSIM of luma, against full fidelity and
        at the size of the output, reaches it; that depends on the sample and on its crop, which
        is drawn before anything is read. 0.95 is a good beginning. Mixtures and schedules as
        with fidelity; set_quality() changes it at any time. Not with `fidelity`.
    qualities: the samples' own qualities; 0 where `fidelity` or `quality` is to hold.
    fidelity_min, fidelity_max: bounds of what a quality chooses; None is 1 and G.

    Output: what a batch's pixels are.

    size: (height, width) of the output in pixels, or one number for both; None is 224. Not with
        transform "resize" and "none", which give each picture a size of its own.
    gray: one channel, luma, instead of RGB.
    layout: "NHWC" or "NCHW".
    dtype: "uint8"; or (pixel / 255 - mean) / std as "float32", "float16" or "bfloat16". None
        is "uint8", with a mean or std "float32".
    mean, std: one number, or one for each channel; only for the latter types, whose defaults
        are 0 and 1.
    background: (R, G, B), or one number for all, that transparent pixels of PNG files are laid
        over; None drops the alpha channel.
    icc: "srgb" converts pictures that have an ICC profile to sRGB. stats() count those that
        were converted (a profile that is sRGB's anyway costs nothing), and those whose profile
        cannot be used: their colours are as they would be without it.
    orient: pictures stand upright, as their EXIF or XMP metadata say; False leaves them as
        they are stored.
    raw: batches of JPEG files at the fidelity instead of pixels, each a RawBatch, for
        decoders elsewhere, such as a GPU's. All options of pixels are without effect.
    jpeg: of raw files, "progressive", or "baseline": sequential, with restart markers, which
        decoders in hardware take, such as nvJPEG's. Samples that were kept whole are their files.

    ragged: where pictures have sizes of their own, a batch's are a list of arrays. False pads
        them to the largest height and width in the batch: each is at the top left, batch.shapes
        are their heights and widths, batch.mask is True where they are.
    pad_zero: the padding is 0 in the batch's type, which after normalisation is the mean, in place
        of `fill`.

    columns: names of attributes that batches have as arrays: batch.columns["score"] is a
        Column. Datasets that have one must agree about its type.
    boxes: the name of an attribute that is a list of boxes, [x0, y0, x1, y1] in pixels of the
        picture at its full size: upright, or as it is stored with orient=False. batch.boxes are
        where they lie in the delivered pictures: see Batch. Not with `raw`.
    with_boxes: names of attributes that are lists with an item for each box: batch.box_columns
        has of these what belongs to the boxes that are left. They and the boxes are then among
        the columns, too.
    box_min_size: boxes of which a side, after clipping, is shorter than so many pixels are left
        out, as by torchvision's SanitizeBoundingBoxes; above 0.
    box_min_part: so are those of which less than this part of the area is left, 0 to 1.

    Transform: how a picture becomes them.

    transform: "random_crop": random area and aspect ratio; "center_crop": the shorter
        side to resize_px pixels, then the centre, to the pixel as torchvision's
        Resize(resize_px) and CenterCrop(size); "stretch": the whole image; "letterbox": the
        whole image in proportion, in the middle, with `fill` around it, to the pixel as
        Pillow's ImageOps.pad(); "resize": the whole image in proportion, in a size of its own, as
        torchvision's Resize(resize_px, max_size=longest_px) has it; "none": as it is.
    area: random_crop: least and largest part of the image's area, above 0, up to 1.
    ratio: random_crop: least and largest width / height.
    resize_px: center_crop: None is the height * 8 / 7. resize: the shorter side; None: as
        longest_px says.
    longest_px: resize: the longer side at most; without resize_px it is the longer side.
    multiple: of which the sides of padded batches are to be multiples. letterbox: of which each
        picture's sides are to be, with no more `fill` than that takes: pictures then have sizes of
        their own, of at most `size`, which is such a multiple.
    filter: how pixels are resized: "bilinear" or "bicubic", both antialiased, or "nearest".
    scaled_decoding: a JPEG that shrinks to a quarter or less is decoded to 4/8, 2/8 or 1/8 of
        its size and resized from there, with an SSIM of 0.999 on average, 0.995 at worst,
        against what False gives: decoding all of its pixels first.
    augment: True where a sample is to be augmented; where it is not, "random_crop" becomes
        "center_crop", and nothing is random.
    flip: chance of a mirror image, 0 to 1.
    jitter: (brightness, contrast, saturation, hue): colours change at random, as by
        torchvision's ColorJitter: factors between 1 - x and 1 + x, x up to 2.9, and hue by
        up to x of its circle, 0.5 at most; in a random order.
    rotate: the delivered picture turns about its centre by up to so many degrees, to either
        side; bilinear, or by the nearest pixel with filter="nearest".
    fill: what shows where a turned or letterboxed picture has nothing, and in erased places:
        one value for all channels, or (R, G, B).
    flip_down: chance to stand on its head.
    turn: chance to be turned by 90, 180 or 270 degrees; squares only, unless pictures have sizes
        of their own.
    jitter_chance: chance that `jitter` has effect.
    grayscale: chance to lose its colours.
    blur: chance of a Gaussian blur, with a sigma between those of blur_sigma, in pixels up to
        16; at edges with mirrored pixels, as torchvision's.
    solarize: chance that values from 128 on are inverted.
    erase: chance that a rectangle is filled, of between those parts of the picture
        (erase_area), and those ratios of width to height (erase_ratio), as by torchvision's
        RandomErasing, but before pixels are normalised.
    randaugment: (operations, magnitude) or (operations, magnitude, bins): so many operations of
        fourteen at a strength of 0 to bins - 1 (30), as torchvision's RandAugment: none, shear,
        translation, rotation, brightness, colour, contrast, sharpness, posterisation,
        solarisation, autocontrast, equalisation. Results are Pillow's, byte for byte; moved
        pixels are interpolated as with `rotate` (within a level; byte for byte with
        filter="nearest"). (2, 9) is usual.
    trivialaugment: True: instead one operation at a random one of 31 strengths, as torchvision's
        TrivialAugmentWide; or a number of strengths.
    geometric_only: of these operations only those are made that move pixels, for a loader of
        masks beside one of pictures.
    These are made in this order: flips and turns, RandAugment's operations, colours, gray, blur,
    solarisation, rotation, erasing.

    Mixing of the pictures of a batch with each other, once they are made. A sample's partner is
    the one before it in the batch, as in torchvision's MixUp and CutMix. Batches then unpack as
    ``images, soft_labels``, and tell of it: see Batch. Drawn from (seed, epoch, sample), as all
    else. Not with `raw`, `exact` or `boxes`, and only where all pictures have one size.

    mixup: 0, or above it: a picture becomes lam of itself and 1 - lam of its partner, where lam is
        from the distribution Beta(mixup, mixup). 0.2 is usual.
    cutmix: 0, or above it: a rectangle of 1 - lam of the picture, cut off at its edges, is its
        partner's, with lam from Beta(cutmix, cutmix). 1 is usual. With both one of them is drawn.
    mix_chance: chance of a batch to be mixed, above 0.
    cutmix_chance: with both, chance that it is by cutmix, above 0.
    mix_each: whether, how and by how much is drawn for each sample, not for each batch.
    num_classes: columns of soft_labels; None: as many as there are classes. 0: there are none, and
        `labels`, `lam` and `partners` are left to the loss. Otherwise a sample without label, or
        with one that is no column, raises InvalidError.

    views: several pictures of each sample from one read and one decode, each a View with its own
        size and transform, drawn independently: two for SimCLR; two large and eight small
        ones for DINO. Batches then unpack as ``(first, second, ...), labels``. The size and
        transform of Loader itself are then not given. A quality holds for the view that
        needs most.

    Threads.

    threads: threads that decode; None is one for each CPU that this process may use.
    readers: threads that only read, beside those; 0: the same threads do both. None begins
        with 8 and has more, up to 128, while the others wait for them and it helps.
    read_ahead: once an epoch has followed the one before, the first window of the next is read
        while the last of this one is decoded, up to 32 MiB (an eighth of window_nbytes);
        until that epoch begins stats() counts its bytes apart, as ahead_nbytes.

    Memory and limits.

    batches_ahead: batches made before they are asked for.
    ring_nbytes: bound on the bytes of batches made ahead; lowers batches_ahead.
    memory: (allocate, release): functions that give batches their memory, for example
        pinned: allocate(nbytes) returns an address that is a multiple of 64, or 0;
        release(address, nbytes) takes it back. Called from the loader's threads; an exception
        in one of them is raised by the iteration. There are
        batches_ahead + 1 batches, and as many as you hold.
    huge_pages: batches are in huge pages, where the kernel has some.
    max_pixels, max_scans, max_sample_nbytes: limits of decoding, see pcr.decode(); None is what
        the dataset has (pcr.open()).

    `fidelities`, `augment`, `indices` and `weights` are arrays (all but `indices` with an
    entry for each sample of the dataset), or a function that is called with the dataset and
    returns such an array. For a list of datasets they are a list of these, None where a
    dataset needs none, or one function that is called with each. A batch's `datasets` tell
    which dataset a sample is of, its `indices` and `labels` are that dataset's own.

    With several processes and shuffle="block", each reads a part of the slices that a window
    mixes: to mix as many slices in a batch of one process as one process alone would, give
    `window_samples` and `window_nbytes` the size of all processes' windows together.

    The library's threads do all the work; the interpreter's lock is not held meanwhile.
    Order and pixels depend on (dataset, seed, epoch, options) alone, not on `threads`,
    `batch_size` or `shard`; what is mixed, also on which samples meet in a batch.
    One thread at a time iterates; set_fidelity() and stats() may be called from any.
    Make a loader in the process that uses it: its threads do not survive fork().

    Raises InvalidError for options that cannot be right, OutOfMemory, IoError. Iterating
    raises what Sample.decode() raises; the epoch is then over.
    """

    @keywords(**ELSEWHERE, **_ELSEWHERE)
    def __init__(self, dataset: Union[Dataset, Path, Sequence[Union[Dataset, Path]]], *,
                 split: Optional[str] = None,
                 batch_size: int = 64, size: Optional[Size] = None,
                 fidelity: Fidelity = None, quality: Quality = None,
                 shuffle: Union[str, bool] = "block", seed: int = 0,
                 threads: Optional[int] = None, transform: str = "random_crop",
                 area: Tuple[float, float] = (0.08, 1.0),
                 ratio: Tuple[float, float] = (3 / 4, 4 / 3), flip: float = 0.0,
                 resize_px: Optional[int] = None, gray: bool = False,
                 layout: str = "NHWC", drop_last: bool = False,
                 bad_sample: str = "error", block_samples: int = 64,
                 window_samples: int = 4096, window_nbytes: int = 256 << 20,
                 batches_ahead: int = 4, drop_uneven: bool = False, exact: bool = False,
                 shard: Union[None, str, Tuple[int, int]] = None,
                 indices: PerSample = None,
                 classes: Optional[Iterable[Union[int, str]]] = None, renumber: bool = False,
                 dtype: Optional[str] = None, mean: Union[None, float, Sequence[float]] = None,
                 std: Union[None, float, Sequence[float]] = None,
                 filter: str = "bilinear", fidelities: PerSample = None,
                 qualities: PerSample = None, fidelity_min: Optional[int] = None,
                 fidelity_max: Optional[int] = None,
                 augment: PerSample = None, weights: PerSample = None,
                 replacement: bool = True, epoch_samples: Optional[int] = None,
                 repeat: Union[None, float, Sequence[float]] = None,
                 proportions: Optional[Sequence[float]] = None,
                 readers: Optional[int] = None, raw: bool = False, jpeg: str = "progressive",
                 huge_pages: bool = False,
                 memory: Optional[MemoryHooks] = None,
                 ring_nbytes: Optional[int] = None,
                 jitter: Jitter = None,
                 rotate: float = 0.0, fill: Union[int, Sequence[int]] = 0,
                 read_ahead: bool = True, worker: Tuple[int, int] = (0, 1),
                 orient: bool = True, max_pixels: Optional[int] = None,
                 max_scans: Optional[int] = None,
                 max_sample_nbytes: Optional[int] = None, background: Background = None,
                 icc: Optional[str] = None, scaled_decoding: bool = True,
                 views: Optional[Sequence[View]] = None,
                 columns: Iterable[str] = (), boxes: Optional[str] = None,
                 with_boxes: Iterable[str] = (), box_min_size: float = 1.0,
                 box_min_part: float = 0.0, flip_down: float = 0.0, turn: float = 0.0,
                 jitter_chance: float = 1.0, grayscale: float = 0.0, blur: float = 0.0,
                 blur_sigma: Tuple[float, float] = (0.1, 2.0), solarize: float = 0.0,
                 erase: float = 0.0, erase_area: Tuple[float, float] = (0.02, 1 / 3),
                 erase_ratio: Tuple[float, float] = (0.3, 3.3), mixup: float = 0.0,
                 cutmix: float = 0.0, mix_chance: float = 1.0, cutmix_chance: float = 0.5,
                 mix_each: bool = False, num_classes: Optional[int] = None,
                 longest_px: Optional[int] = None, multiple: Optional[int] = None,
                 ragged: bool = False, pad_zero: bool = False,
                 randaugment: RandAugment = None, trivialaugment: Union[bool, int] = False,
                 geometric_only: bool = False) -> None:
        view = View(size, transform=transform, area=area, ratio=ratio, resize_px=resize_px,
                    filter=filter, flip=flip, jitter=jitter, rotate=rotate, fill=fill,
                    flip_down=flip_down, turn=turn, jitter_chance=jitter_chance,
                    grayscale=grayscale, blur=blur, blur_sigma=blur_sigma, solarize=solarize,
                    erase=erase, erase_area=erase_area, erase_ratio=erase_ratio,
                    longest_px=longest_px, multiple=multiple, randaugment=randaugment,
                    trivialaugment=trivialaugment, geometric_only=geometric_only)
        options = st.sized(
            st.LoaderOptions,
            flags=_flags(drop_last=drop_last, drop_uneven=drop_uneven, exact=exact,
                         once=not replacement, raw=raw, huge_pages=huge_pages, ragged=ragged,
                         baseline=is_baseline(jpeg), no_read_ahead=not read_ahead,
                         keep_orientation=not orient, pad_zero=pad_zero,
                         full_size_decoding=not scaled_decoding),
            seed=whole(seed, "seed", 0, 64),
            batch_size=whole(batch_size, "batch_size"),
            bad_sample=choice(st.SamplePolicy, bad_sample, "bad_sample"),
            limits=limits_of(max_pixels, max_scans, max_sample_nbytes),
            order=_order(shuffle, block_samples, window_samples, window_nbytes),
            shard=st.LoaderShard(worker=whole(worker[0], "worker", 0),
                                 worker_count=whole(worker[1], "worker's count")),
            output=_output(layout, dtype, mean, std, gray),
            mix=mix_options(mixup, cutmix, mix_chance, cutmix_chance, mix_each, num_classes,
                            renumber, boxes is not None),
            threads=_threads(threads, readers),
            memory=st.LoaderMemory(
                batches_ahead=whole(batches_ahead, "batches_ahead"),
                ring_nbytes=(0 if ring_nbytes is None else
                             whole(ring_nbytes, "ring_nbytes", 1, 64))))
        kept = set_views(options, view, views, gray)
        self._views, self._layout = views or [view], int(options.output.layout)
        options.flags |= color_flags(options.output, background, icc, st.LOADER_BACKGROUND,
                                     st.LOADER_TO_SRGB)
        self._given_shard = shard
        _set_shard(options, shard)
        self.datasets = _datasets(dataset, split)
        if indices is None:
            warn_of_splits(self.datasets)
        chosen = _listed(classes)
        mix = Mix(self.datasets, isinstance(dataset, (list, tuple)))
        mix.set_samples(options, weights, fidelities, qualities, augment)
        mix.set_indices(options, indices, chosen)
        mix.set_length(options, epoch_samples, repeat, proportions)
        mix.set_fidelity(options, fidelity, quality, (fidelity_min, fidelity_max))
        follow = boxes_of(boxes, with_boxes, box_min_size, box_min_part)
        kinds, names = _set_columns(options, self.datasets, columns, follow, bool(raw))
        hooks = None if memory is None else Hooks(memory, options)
        renumbering = Renumbering(self.datasets, chosen) if renumber else None
        self._renumbered = None if renumbering is None else renumbering.names
        pointer = c_void_p()
        handles = [d._handle for d in self.datasets]
        call(lib.pcr_loader_create_mix,
             (c_void_p * len(handles))(*(handle.pointer for handle in handles)),
             len(handles), byref(options), byref(pointer))
        del kept, names
        self._core = Core(pointer, self.datasets, handles, hooks, renumbering, bool(exact),
                          kinds, follow)
        self.dataset = self.datasets[0]  #: the first of datasets
        self.batch_size, self.drop_last = int(options.batch_size), bool(drop_last)
        self._window_samples = int(window_samples) if shuffle in ("block", True) else 0
        self._next_epoch, self._current = 0, -1
        self._resumed = False  # _current is begun, by load_state_dict()
        self._taken = 0  # batches of _current given out
        self._told = False  # that an epoch was left after one
        self._serial = 0  # of the epoch object that may take batches
        self._shard = self._resumed_shard = (0, 1)  # where it was not given
        self._settled = False  # they are, for good
        self._told_alone = False  # that all samples go to each of several processes
        self._next = Waiter(self._core.next, self._core.cancel)
        self._finalizer = weakref.finalize(self, _finish, self._core, self._next)

    def __len__(self) -> int:
        """Batches in an epoch, on each rank: of as many as there are now, before the first
        batch was taken."""
        self._place()
        return int(self._core.with_pointer(lib.pcr_loader_batch_count))

    def __iter__(self) -> Epoch:
        """An iterator over the next epoch, which begins when its first batch is taken: until
        then set_epoch() and load_state_dict() still hold for it, and an iterator that is
        dropped uses nothing up. What was left of the epoch before is dropped.

        After load_state_dict() the first one is the rest of the state's epoch.
        """
        self._core.pointer()
        return Epoch(self)

    def _start(self) -> None:
        """Has the C loader begin the next epoch, if it does not stand there already."""
        self._place()
        self._warn_if_alone()
        self._settled = self._settled or self._shard[1] > 1
        if not self._resumed:
            self._core.start_epoch(self._next_epoch)
        elif self._shard != self._resumed_shard:
            self._core.resume(self._core.save())

    def _find_shard(self) -> Optional[Tuple[int, int]]:
        """Rank and world as they are now, where `shard` was not given; None: as in C. For
        subclasses that know of processes."""
        return None

    def _place(self) -> None:
        """Tells the C loader which of how many processes this is, as long as that is not
        settled, which it is by the first batch that is taken as one of several."""
        shard = None if self._settled or self._given_shard is not None else self._find_shard()
        if shard is None or shard == self._shard:
            return
        rank, world = shard
        self._core.with_pointer(
            lambda pointer: call(lib.pcr_loader_set_shard, pointer, rank, world))
        self._shard = shard

    def _warn_if_alone(self) -> None:
        """Warns once where this process takes all samples although it is one of several."""
        if self._told_alone or self._given_shard is not None or self._shard[1] > 1:
            return
        world, found_by = world_around()
        if world > 1:
            self._told_alone = True
            warnings.warn(f"{found_by} says that there are {world} processes, but this loader "
                          "gives all samples to each of them: write shard=\"env\" or "
                          "shard=(rank, world) for a part each (pcr.torch.Loader: begin "
                          "torch.distributed's process group before the first batch), "
                          "shard=(0, 1) for all to each", UserWarning, stacklevel=outside())

    def _begin(self) -> int:
        """Begins the next epoch; returns its number."""
        epoch = self._next_epoch
        if (self._taken == 1 and epoch == self._current + 1 and len(self) > 1 and
                not self._told):
            self._told = True
            warnings.warn(f"epoch {self._current} was left after 1 of {len(self)} batches, "
                          f"and epoch {epoch} begins: loader.peek() shows a batch without "
                          "using an epoch up", RuntimeWarning, stacklevel=outside())
        self._start()
        self._resumed = False
        self._taken = 0
        self._serial += 1
        self._current = epoch
        self._next_epoch = epoch + 1
        return epoch

    def peek(self) -> Batch:
        """The batch that the next iteration will give first, which begins no epoch: order,
        states and epochs' numbers are as without it, also in the middle of an epoch.

        It is made for this call, and once more later. Raises InvalidError where the epoch
        has no batch, and what iterating raises.
        """
        state, settled = self._core.save(), self._settled
        try:
            self._start()
            batch = self._next()
        finally:
            self._core.resume(state)
            self._settled = settled
        if batch is None:
            raise InvalidError("peek() at an epoch that has no batch")
        return batch

    def _skip(self, count: int) -> None:
        """Has the next iteration leave out so many batches, at least one less than there are
        to come, without making them all."""
        if not count:
            return
        self._start()
        state = self._core.save()
        self._next()  # its samples, times the world, are a step's
        step = self._core.save()["position"] - state["position"]
        self.load_state_dict({**state, "position": state["position"] + count * step})

    @property
    def classes(self) -> Tuple[str, ...]:
        """Class names by label, of the first dataset or, with `renumber`, as they were given;
        empty where labels are not classes."""
        return self.dataset.classes if self._renumbered is None else self._renumbered

    @property
    def group_count(self) -> int:
        """The highest fidelity, G, of its datasets."""
        return max(dataset.group_count for dataset in self.datasets)

    def free_axes(self, view: int) -> Tuple[int, ...]:
        """The axes of a view's pixels whose length differs from batch to batch: height and width,
        where pictures have sizes of their own."""
        sides = (2, 3) if self._layout == st.Layout.NCHW else (1, 2)
        return sides if self._views[view].sizes_differ else ()

    def __getitem__(self, index: Any) -> NoReturn:
        raise TypeError("a loader delivers whole batches: iterate over it in place of a "
                        "torch.utils.data.DataLoader, and do not put it into one. For a "
                        "DataLoader there are pcr.torch.IterableDataset (with "
                        "batch_size=None) and "
                        "pcr.torch.Dataset")

    def __reduce__(self) -> NoReturn:
        raise TypeError("a loader has threads and cannot be pickled or sent to another process: "
                        "send its arguments, and make the loader there. For a DataLoader's "
                        "workers there is pcr.torch.IterableDataset")

    def set_epoch(self, epoch: int) -> None:
        """Chooses the number of the next epoch that begins. It starts at 0.

        After load_state_dict() the state's epoch goes on if it is the one chosen.
        """
        number = whole(epoch, "epoch", 0, 64)
        self._resumed = self._resumed and number == self._current
        self._next_epoch = number
        self._taken = 0  # whoever chooses knows that an epoch was left

    def state_dict(self) -> Dict[str, Any]:
        """Where training stands: a small dict that JSON can hold.

        It counts the batches that the iteration has given out, not those made ahead. After
        an epoch's last batch it is the beginning of the next. Of several processes that
        have taken as many batches each has the same state: save one.

        version, epoch; position: samples of the epoch's order given out, by all processes;
        sample_count: of an epoch; seed, dataset, order: what must be the same to go on;
        fidelity: that set_fidelity() has set, or None; fidelity_changes: those on the way,
        [position, fidelity].
        """
        state = self._core.save()
        begun = self._current >= 0
        if not begun or (not state["position"] and state["epoch"] != self._current):
            state["epoch"] = self._next_epoch
        return state

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Goes on from a state: the next iter() gives the rest of its epoch, the samples
        not yet given out, with the same pixels, at the fidelity that was set_fidelity()'s, or
        this loader's `fidelity` where it was not set.

        `threads`, `batch_size` and `shard` may differ from those of the loader that the
        state is of. Raises InvalidError for the state of another dataset, seed or order
        (shuffle, block_samples, window_samples, window_nbytes, indices, classes, weights,
        replacement, epoch_samples, repeat, proportions),
        UnsupportedError for one of a newer version, FormatError.
        """
        self._place()
        self._core.resume(state)
        self._resumed_shard = self._shard
        self._serial += 1
        self._current = self._next_epoch = state["epoch"]
        self._resumed = True
        self._taken = 0

    def set_fidelity(self, fidelity: Optional[int]) -> None:
        """Sets the fidelity from the first sample on that is batches_ahead batches behind the
        last one given out; between epochs, from the next one's first sample on.

        In processes that call this after as many batches it is the same sample. It holds
        until an epoch begins that the schedule names, or for ever. Samples with fidelities
        of their own keep them. Each batch's `fidelities` tell. Raises InvalidError above G.
        """
        number = fidelity_number(fidelity)
        self._core.with_pointer(
            lambda pointer: call(lib.pcr_loader_set_fidelity, pointer, number))

    def set_quality(self, quality: float) -> None:
        """Sets a quality, above 0 and below 1, in place of a fidelity: as set_fidelity()."""
        number = quality_number(quality)
        self._core.with_pointer(
            lambda pointer: call(lib.pcr_loader_set_quality, pointer, number))

    def stats(self) -> LoaderStats:
        """Counters since the loader was made, and how it stands."""
        found = st.sized(st.LoaderStats)
        self._core.with_pointer(
            lambda pointer: call(lib.pcr_loader_stats, pointer, byref(found)))
        return LoaderStats(found)

    def bad_samples(self) -> List[BadSample]:
        """The last samples, 64 at most, that bad_sample="skip" has replaced by others or
        "degrade" delivered at a lower fidelity, the latest last. stats() counts them all."""
        found: List[BadSample] = []
        f = st.sized(st.BadSample)
        while self._core.with_pointer(
                lambda pointer: call(lib.pcr_loader_bad_sample, pointer, len(found),
                                     byref(f))) != st.Code.END:
            other = (None if f.replacement == st.NO_OFFSET else
                     (f.replacement_dataset, f.replacement))
            found.append(BadSample(f.epoch, f.dataset, f.index, f.fidelity, f.delivered or None,
                               other, f.message.decode("utf-8", "replace")))
        return found[::-1]

    def close(self) -> None:
        """Stops the threads within the decoding time of one image. Batches stay valid. Raises
        what a function of `memory` has raised since the last batch."""
        self._finalizer()
        self._core.raise_from_hooks()

    def __enter__(self) -> Loader:
        return self

    def __exit__(self, kind: Optional[Type[BaseException]],
                 value: Optional[BaseException], trace: Optional[TracebackType]) -> None:
        if kind is None:
            self.close()
        else:  # whose exception is the one to see
            self._finalizer()

    def __repr__(self) -> str:
        state = "open" if self._finalizer.alive else "closed"
        of = self.dataset if len(self.datasets) == 1 else self.datasets
        return f"<pcr.Loader of {of!r}, {state}>"


def _flags(**wanted: Any) -> int:
    """Those of the library's flags, PCR_LOADER_..., that are wanted."""
    return sum(getattr(st, f"LOADER_{name.upper()}") for name, value in wanted.items() if value)


def _finish(core: Core, waiter: Waiter[Optional[Batch]]) -> None:
    core.close()
    waiter.close()


def _listed(classes: Optional[Iterable[Union[int, str]]]) -> Any:
    """Classes that can be gone through again; a string, which is an error, as it is."""
    return classes if classes is None or isinstance(classes, (str, bytes)) else list(classes)


def _datasets(given: Any, split: Optional[str]) -> Tuple[Dataset, ...]:
    several = given if isinstance(given, (list, tuple)) else [given]
    if split is not None and any(isinstance(d, Dataset) for d in several):
        raise InvalidError("split applies to a path; this dataset is already open")
    if not several:
        raise InvalidError("a loader without datasets")
    return tuple(d if isinstance(d, Dataset) else open_dataset(d, split=split)
                 for d in several)


def _set_columns(options: st.LoaderOptions, datasets: Sequence[Dataset],
                 columns: Iterable[str], boxes: Optional[Boxes],
                 raw: bool) -> Tuple[Dict[str, str], Any]:
    """Gives the types of the columns that batches are to have, "" for one that no dataset has,
    and what must live until the loader is made."""
    if isinstance(columns, (str, bytes)):
        raise InvalidError(f"columns is {columns!r}, expected several names, as a list")
    if boxes is not None and raw:
        raise InvalidError("boxes of raw files, which are not cropped: write columns=")
    found: Dict[str, str] = {}
    for name, kind in (item for dataset in datasets for item in dataset.columns.items()):
        if found.setdefault(name, kind) != kind:  # lists of other lengths
            found[name] = re.sub(r"\[\d*\]", "[]", found[name], count=1)
    every = columns if boxes is None else (*columns, boxes.name, *boxes.others)
    kinds = {name: found.get(name, "") for name in every}
    if boxes is not None:
        boxes.check(kinds)
    names = strings(list(kinds), "columns")
    options.output.columns = names if kinds else None
    options.output.column_count = len(kinds)
    return kinds, names


def _order(shuffle: Union[str, bool], block_samples: int, window_samples: int,
           window_nbytes: int) -> st.LoaderOrder:
    return st.LoaderOrder(
        shuffle=choice(st.Shuffle, _SHUFFLES.get(shuffle, shuffle), "shuffle"),
        block_samples=whole(block_samples, "block_samples"),
        window_samples=whole(window_samples, "window_samples"),
        window_nbytes=whole(window_nbytes, "window_nbytes", 1, 64))


def _threads(threads: Optional[int], readers: Optional[int]) -> st.LoaderThreads:
    return st.LoaderThreads(
        count=0 if threads is None else whole(threads, "threads"),
        reader_count=0 if readers is None else whole(readers, "readers", 0) or st.NO_READERS)


def _output(layout: str, dtype: Optional[str], mean: Union[None, float, Sequence[float]],
            std: Union[None, float, Sequence[float]], gray: bool) -> st.LoaderOutput:
    normalised = mean is not None or std is not None
    out = st.LoaderOutput(
        layout=choice(st.Layout, layout.lower(), "layout"),
        dtype=choice(st.Dtype, dtype or ("float32" if normalised else "uint8"), "dtype"),
        color=int(st.Color.GRAY if gray else st.Color.RGB))
    if out.dtype != st.Dtype.UINT8 or normalised:
        out.mean[:] = _channels(0.0 if mean is None else mean, "mean", gray)
        out.std[:] = _channels(1.0 if std is None else std, "std", gray)
    return out


def _channels(value: Union[float, Sequence[float]], what: str,
              gray: bool) -> Tuple[float, ...]:
    count = 1 if gray else 3
    values: Any = (value,) * count if np.ndim(value) == 0 else value
    given = tuple(float(x) for x in values)
    if len(given) != count:
        raise InvalidError(f"{what} is {given!r}, expected {count} numbers")
    if what == "std" and not all(x > 0 for x in given):
        raise InvalidError(f"std is {given!r}, expected numbers above 0")
    return given + given[-1:] * (3 - count)


def _set_shard(options: st.LoaderOptions,
               shard: Union[None, str, Tuple[int, int]]) -> None:
    if shard is None:
        return
    if isinstance(shard, str):
        if shard != "env":
            raise InvalidError(f"shard is {shard!r}, expected (rank, world) or 'env'")
        options.flags |= st.LOADER_RANK_FROM_ENVIRONMENT
        return
    rank, world = shard
    options.shard.rank = whole(rank, "rank", 0)
    options.shard.world = whole(world, "world")
