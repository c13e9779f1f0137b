# SPDX-License-Identifier: BSD-2-Clause
"""Datasets and loaders for PyTorch, which must be installed to import this module.

Loader is the fast one: the library's own threads, batches as tensors without a copy.
Dataset, ImageFolder and IterableDataset are for programs that are built around
torch.utils.data.DataLoader. GradientTuner chooses the fidelity while training runs.
"""

from __future__ import annotations

import os
import sys
import warnings
from typing import (Any, Callable, Dict, Iterable, Iterator, List, Mapping, Optional, Sequence,
                    Tuple, Union)

import numpy as np
import torch  # type: ignore[import]
import torch.utils.data  # type: ignore[import]

from . import _loader
from ._batch import MemoryHooks
from ._columns import Column
from ._dataset import Dataset as _Dataset, Path, outside
from ._items import Items
from ._library import Size, fidelity_number, quality_number, whole
from ._torch_order import Order, TicketDataset, redeem
from ._torch_shared import Shared
from ._torch_tune import GradientTuner
from .errors import InvalidError

__all__ = ["Dataset", "GradientTuner", "ImageFolder", "IterableDataset", "Loader"]


def _process() -> Tuple[int, int]:
    """(rank, world) of torch.distributed, if that is in use."""
    distributed = torch.distributed
    if distributed.is_available() and distributed.is_initialized():
        return distributed.get_rank(), distributed.get_world_size()
    return 0, 1


_FIELDS = ("valid", "indices", "datasets", "fidelities", "samples", "keys", "attributes")
_PIXEL_FIELDS = ("shapes", "mask", "sizes", "crops", "flips", "angles", "quarters", "affines",
                 "affines")
_MIX_FIELDS = ("lam", "partners")
_BOX_FIELDS = ("boxes", "box_index")


class _Form:
    """What a batch is to be: a tuple, or a dictionary, of tensors."""

    def __init__(self, raw: bool, ragged: bool, exact: bool, fields: Sequence[str],
                 names: Optional[Mapping[str, str]], columns: Iterable[str],
                 with_boxes: Optional[Iterable[str]], mixes: bool) -> None:
        self._images = "files" if raw else "images"
        self._columns = tuple(columns)
        self._of_boxes = () if with_boxes is None else (*_BOX_FIELDS, *with_boxes)
        of_pixels = tuple(name for name in _PIXEL_FIELDS if not (ragged and name == "mask"))
        known = ((_FIELDS if raw else _FIELDS + of_pixels) + (_MIX_FIELDS if mixes else ()) +
                 self._of_boxes + self._columns)
        if isinstance(fields, str) or not all(name in known for name in fields):
            raise InvalidError(f"fields is {fields!r}, expected a sequence of "
                               f"{', '.join(known)}")
        if exact and names is None and "valid" not in fields:
            fields = ("valid", *fields)
        self._fields = (self._images, "labels", *fields)
        self._keys: Optional[Tuple[str, ...]] = None
        if names is None:
            return
        known = (self._images, "labels", *known)
        if fields or not (isinstance(names, Mapping) and names and
                          all(name in known for name in names.values())):
            raise InvalidError(f"names is {names!r}, expected, without fields, a mapping from "
                               f"keys of your choice to some of {', '.join(known)}")
        if exact and "valid" not in names.values():
            raise InvalidError(f"names is {names!r}, expected \"valid\" too: with exact=True not "
                               "all samples of a batch count")
        self._keys, self._fields = tuple(names), tuple(names.values())

    def _field(self, batch: Any, name: str) -> Any:
        if name == "files":
            return [torch.from_numpy(file) for file in batch.files]
        if name == "images":
            images = [_tensors(view.pixels) for view in batch.views]
            return images if len(images) > 1 else images[0]
        if name == "labels":
            return torch.from_numpy(batch._targets)
        if name in self._of_boxes:
            boxes = [_ragged(getattr(view, name) if name in _BOX_FIELDS else
                             view.box_columns[name]) for view in batch.views]
            return boxes if len(boxes) > 1 else boxes[0]
        if name in self._columns:
            return _collated(batch.columns[name])
        value = getattr(batch, name)
        return value if isinstance(value, list) else torch.from_numpy(value)

    def __call__(self, batch: Any) -> Any:
        values = tuple(self._field(batch, name) for name in self._fields)
        return values if self._keys is None else dict(zip(self._keys, values))


def _ragged(rows: List[Any]) -> List[Any]:
    """Tensors; texts and JSON lists."""
    return [row.tolist() if row.dtype == object else torch.from_numpy(row) for row in rows]


def _collated(column: Column) -> Any:
    """A tensor; lists that differ in length a list of tensors, texts and JSON a list."""
    if column.values.dtype == object:
        return list(column)
    values = torch.from_numpy(column.values)
    if column.offsets is None:
        return values
    return list(values.split(np.diff(column.offsets).tolist()))


def _tensors(pixels: Any) -> Any:
    """A tensor, or of ragged pixels a list of them."""
    return [_tensor(p) for p in pixels] if isinstance(pixels, list) else _tensor(pixels)


def _tensor(pixels: Any) -> torch.Tensor:
    if pixels.dtype == "uint16":  # bfloat16, by way of int16, which every version knows
        return torch.from_numpy(pixels.view("int16")).view(torch.bfloat16)
    return torch.from_numpy(pixels)


def _pinned() -> Optional[MemoryHooks]:
    """Functions that give memory which PyTorch has pinned; None where nothing needs it."""
    accelerator = getattr(torch, "accelerator", torch.cuda)
    if not accelerator.is_available():
        warnings.warn("pin_memory=True, but PyTorch finds no accelerator: batches are in "
                      "ordinary memory", UserWarning, stacklevel=outside())
        return None
    held = {}

    def allocate(nbytes: int) -> int:
        tensor = torch.empty(nbytes, dtype=torch.uint8, pin_memory=True)
        address = int(tensor.data_ptr())
        held[address] = tensor
        return address

    def release(address: int, _nbytes: int) -> None:
        del held[address]

    return allocate, release


def _completed(options: Mapping[str, Any], how: Mapping[str, Any]) -> Dict[str, Any]:
    """A loader's options, and others where it has none; but a fidelity or quality among these
    takes the place of both."""
    wishes = {"fidelity", "quality"}
    dropped = wishes if wishes & set(how) else set()
    return {**how, **{name: value for name, value in options.items() if name not in dropped}}


class Loader(_loader.Loader):
    """pcr.Loader whose batches are (images, labels): tensors.

    Takes the same arguments. `layout` is "NCHW" unless given; `shard` is the process's
    rank and world in torch.distributed where that is in use when the first batch is taken.
    `images` is the library's own memory, which returns to it when the last tensor that looks
    at it is gone; `labels` are each sample's first: int64, -1 where there is none, or of a
    dataset with float labels float64, NaN where there is none. With `mixup` or `cutmix` they are
    the batch's soft_labels, float32, (n, classes), as CrossEntropyLoss takes them.

    fields: names of what else batches are to have, as tensors or lists, after the labels:
        "valid" (there by itself, first of these, with exact=True), "indices", "datasets",
        "fidelities", "samples" (all labels, among others), "keys", "attributes", and of pixels
        "shapes", "mask" (not of ragged ones), "sizes", "crops", "flips", "angles", "quarters",
        "affines", with mixup or cutmix "lam", "partners". pcr.Batch says what they are. Also names
        of `columns`: numbers are a tensor (0 or NaN where a sample has none), lists that differ in
        length a list of tensors, texts and JSON a list. With `boxes` also "boxes", "box_index"
        and names of `with_boxes`: lists of a tensor for each sample (texts and JSON: a list), of
        the boxes that are left; with several `views` a list of such lists.
    ragged: `images` is a list of tensors.
    raw: (files, labels): a list of uint8 tensors, for torchvision.io.decode_jpeg and such.
    names: batches are dictionaries: {key: name, ...} with keys of your choice, where a name is
        "images" (raw: "files"), "labels" or one of those for `fields`. transformers wants
        {"pixel_values": "images", "labels": "labels"}.
    pin_memory: batches are in memory that PyTorch has pinned, for copies to a GPU that do
        not block; where there is none, ordinary memory, with a warning.

    It is in the place of a torch.utils.data.DataLoader, not of its dataset. What frameworks look
    for in one is there: `batch_size`, `drop_last`, `dataset`; `sampler` and `batch_sampler`,
    which have set_epoch(), and with which accelerate's skip_first_batches() works.
    """

    def __init__(self, dataset: Any, *, layout: str = "NCHW",
                 pin_memory: bool = False, fields: Sequence[str] = (),
                 names: Optional[Mapping[str, str]] = None, **options: Any) -> None:
        form = {"layout": layout, "fields": fields, "names": names}
        self._given: Tuple[Any, Dict[str, Any], Dict[str, Any]] = dataset, form, options
        self._form = _Form(bool(options.get("raw")), bool(options.get("ragged")),
                           bool(options.get("exact")), fields,
                           names, options.get("columns", ()),
                           options.get("with_boxes", ()) if options.get("boxes") else None,
                           bool(options.get("mixup") or options.get("cutmix")))
        if pin_memory:
            options["memory"] = _pinned()
        super().__init__(dataset, layout=layout, **options)
        self.dataset = TicketDataset(self.dataset)
        self.sampler = self.batch_sampler = Order(self)
        self.collate_fn = redeem
        # For who makes a DataLoader of these.
        self.num_workers, self.prefetch_factor = 0, None

    def _find_shard(self) -> Optional[Tuple[int, int]]:
        return _process()

    def _make(self, **how: Any) -> Loader:
        """Another loader of the same samples and pixels, at a fidelity or quality."""
        dataset, form, options = self._given
        return Loader(dataset, **form, **_completed(options, how))

    def __iter__(self) -> Iterator[Any]:  # type: ignore[override]
        """An iterator over the next epoch, or the rest of a state's. See pcr.Loader."""
        return map(self._form, super().__iter__())

    def peek(self) -> Any:
        """The batch that the next iteration will give first. See pcr.Loader."""
        return self._form(super().peek())


def _to_tensor(image: Any) -> Any:
    return torch.from_numpy(image)[None] if image.ndim == 2 else (
        torch.from_numpy(image).permute(2, 0, 1))


class Dataset(Items, torch.utils.data.Dataset):  # type: ignore[misc]
    """Single samples, (image, first label), for torch.utils.data.DataLoader and its samplers.

    dataset: a path, or what pcr.open() returned, which may be closed afterwards.
    split: of a path, as in pcr.open(); for None pcr.Loader's warning holds.
    image: what images are, also for `transform`: a "tensor", uint8, (3, height, width); an
        "array" of NumPy, uint8, (height, width, 3); "pil", a PIL.Image.Image, for which Pillow
        must be installed; with gray=True (1, height, width), (height, width), mode "L"; or
        "file": bytes, a JPEG file at the fidelity, or the file that was kept whole.
    fidelity: 1 to G; None is G. May be set later (`dataset.fidelity = 3`), before workers start.
    size: (height, width) that images are resized to, whole, or one number for both; None
        leaves them as they are.
    transform: called with the image; target_transform: with the label, an int, -1 where there is
        none, or of a dataset with float labels a float, NaN where there is none.
    names: items are dictionaries: {key: name, ...} with keys of your choice, where a name is, as
        for Loader, "images", "labels", "indices", "keys" or "attributes".
    Other keyword arguments are those of Sample.decode() (orient, gray, crop, scale, background,
    icc, ...) and, with a path, those of pcr.open() (cache_dir, cache_bytes, retries, storage,
    max_pixels, ...).

    dataset: its pcr.Dataset, which has all else: `.dataset[i].attributes`, `.dataset.find(key)`.

    May be sent to other processes, which open the files anew, and used after fork(). Raises what
    pcr.open() raises, InvalidError; indexing raises IndexError and what Sample.decode() raises.
    """

    forms = {"tensor": _to_tensor, **Items.forms}

    def __init__(self, dataset: Union[_Dataset, Path], *, split: Optional[str] = None,
                 image: str = "tensor", fidelity: Optional[int] = None,
                 size: Optional[Size] = None,
                 transform: Optional[Callable[[Any], Any]] = None,
                 target_transform: Optional[Callable[[Any], Any]] = None,
                 names: Optional[Mapping[str, str]] = None, **options: Any) -> None:
        super().__init__(dataset, split, image, fidelity, size, transform, target_transform,
                         names, options)

    def __getitems__(self, indices: List[int]) -> List[Any]:
        return [self[index] for index in indices]


class ImageFolder(Dataset):
    """torchvision.datasets.ImageFolder over a dataset: (image, class number), where images are
    PIL images without a transform, and pictures lie as they are stored, as Pillow opens them.

    root: a dataset (see Dataset), or the path of one and the name of a split below it,
        "photos.pcr/train", as folders of classes would lie there.
    transform, target_transform: called with the image and the class number.
    image: "pil", "tensor", "array" or "file", in the place of a `loader`.
    orient: True turns pictures upright by their metadata, as the other classes here do.
    Other keyword arguments are those of Dataset.

    `classes`, `class_to_idx`, `targets`, `samples` and `imgs` are there; the last two have the
    samples' keys where torchvision has paths. To use some of the samples take
    torch.utils.data.Subset: changing these lists changes no item.

    Raises what Dataset does, and InvalidError where samples have no classes.
    """

    def __init__(self, root: Union[_Dataset, Path],
                 transform: Optional[Callable[[Any], Any]] = None,
                 target_transform: Optional[Callable[[Any], Any]] = None, *,
                 split: Optional[str] = None, image: str = "pil", orient: bool = False,
                 **options: Any) -> None:
        if split is None and not isinstance(root, _Dataset):
            root, split = _below(root, options)
        if image != "file":
            options["orient"] = orient
        super().__init__(root, split=split, image=image, transform=transform,
                         target_transform=target_transform, **options)
        if not self.dataset.classes:
            raise InvalidError(f"{self.dataset.path}: samples have no classes; "
                               "pcr.torch.Dataset takes any labels")
        self.root = self.dataset.path

    @property
    def imgs(self) -> List[Tuple[str, Any]]:
        """The same as `samples`."""
        return self.samples


def _below(root: Path, options: Mapping[str, Any]) -> Tuple[Path, Optional[str]]:
    """A dataset's path and None; or the folder above and the split that the last name is."""
    path = os.fsdecode(root)
    if "storage" in options or os.path.lexists(path):
        return root, None
    above, name = os.path.split(path.rstrip(os.sep))
    is_dataset = name and os.path.exists(os.path.join(above, "manifest.json"))
    return (above, name) if is_dataset else (root, None)


class _Batches(Iterator[Any]):
    """One pass of an IterableDataset. Its loader is made when the first batch is asked for, so
    that a state may come before."""

    def __init__(self, dataset: "IterableDataset", worker: Any) -> None:
        self._dataset, self._shared = dataset, dataset._shared
        self._place = (0, 1) if worker is None else (worker.id, worker.num_workers)
        self._process = 0 if worker is None else worker.id + 1
        self._epoch: Optional[int] = None
        if worker is not None:  # its first batch is asked for at once
            self._epoch = self._shared.begin(self._process, worker.seed - worker.id)
        self._loader: Optional[Loader] = None
        self._batches: Optional[Iterator[Any]] = None
        self._state: Optional[Mapping[str, Any]] = None
        self._ended = False
        self._heard = 0  # of the fidelities and qualities that were set

    def _open(self) -> Iterator[Any]:
        if self._epoch is None:
            self._epoch = self._shared.begin(0, 0)
        how: Dict[str, Any] = {} if self._process == 0 else {"threads": 1}
        self._heard, name, value, since = self._shared.wish()
        if self._heard and not any(since < epoch <= self._epoch
                                   for epoch in self._dataset._changes()):
            how[name] = value
        self._loader = self._dataset._make(worker=self._place, **how)
        self._loader.set_epoch(self._epoch)
        if self._state is not None:
            self._loader.load_state_dict(self._state)
        return iter(self._loader)

    def __next__(self) -> Any:
        if self._ended:
            raise StopIteration
        if self._loader is None or self._batches is None:
            self._batches = self._open()
        else:
            serial, name, value, _ = self._shared.wish()
            if serial != self._heard:
                self._heard = serial
                getattr(self._loader, f"set_{name}")(value)
        try:
            return next(self._batches)
        except StopIteration:
            self._ended = True
            if self._loader is not None:
                self._loader.close()
            self._loader = None
            raise

    def state_dict(self) -> Dict[str, Any]:
        """What Loader.state_dict() is; before the first batch {"epoch": n}, after the last
        {"epoch": n, "ended": True}: an iterator that goes on from there gives no batch."""
        if self._loader is not None:
            state = self._loader.state_dict()
            if state["epoch"] == self._epoch:
                return state
        elif not self._ended:
            return {"epoch": self._shared.coming() if self._epoch is None else self._epoch}
        return {"epoch": self._epoch, "ended": True}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Has the first batch be the one after the state's last."""
        if self._loader is not None or self._ended:
            raise RuntimeError("a state comes before the first batch")
        self._epoch = int(state["epoch"])
        self._shared.resume(self._process, self._epoch)
        self._ended = bool(state.get("ended"))
        self._state = state if "position" in state else None


class IterableDataset(torch.utils.data.IterableDataset):  # type: ignore[misc]
    """Whole batches, as those of Loader, for DataLoader(..., batch_size=None).

    Takes Loader's arguments, and checks them when it is made; the first is a path, or a Dataset.
    Each iteration is the next epoch, in worker processes too, new ones or persistent: an
    iterator of a DataLoader with workers begins it at once. The order is divided among all
    worker processes of all ranks (`shard`, or those of torch.distributed when the iteration
    begins): one epoch of all of them has each sample once, but for what evens out the ranks'
    last step. A worker has one thread unless `threads` says otherwise.

    Its iterators have state_dict() and load_state_dict(), by which torchdata's
    StatefulDataLoader goes on in the middle of an epoch, with as many workers and ranks.
    """

    def __init__(self, dataset: Any, *, shard: Any = None, **options: Any) -> None:
        if options.get("pin_memory"):
            raise InvalidError("pin_memory is the DataLoader's: workers cannot pin for it")
        self._source, self._options, self._shard = dataset, options, shard
        self._found: Optional[Tuple[int, int]] = None
        self._counts: Dict[str, int] = {}
        self._shared = Shared()
        with self._make(threads=1) as loader:
            self.batch_size, self.classes = loader.batch_size, loader.classes
            self.group_count = loader.group_count

    def _place(self) -> Any:
        """The shard as it is now, also in a worker that does not know of torch.distributed;
        None where nothing tells of several processes."""
        if self._shard is not None:
            return self._shard
        found = _process()
        return found if found != (0, 1) else self._found

    def _check_dispatch(self) -> None:
        """Raises where accelerate has one process read for all: it would read its part only."""
        state = sys.modules.get("accelerate.state")
        loaders = sys.modules.get("accelerate.data_loader")
        place = self._place()
        if not state or not loaders or self._shard is not None or not place or place[1] == 1:
            return
        if isinstance(state.GradientState().active_dataloader, loaders.DataLoaderDispatcher):
            raise RuntimeError(
                "accelerate's prepare() makes one process read for all, but this dataset "
                "gives each process its part: write pcr.torch.IterableDataset(..., "
                "shard=(0, 1)), or "
                "iterate over a pcr.torch.Loader, which prepare() leaves as it is")

    def __getstate__(self) -> Any:
        self._check_dispatch()
        return {**self.__dict__, "_found": None if self._shard is not None else self._place()}

    def _make(self, **how: Any) -> Loader:
        return Loader(self._source, shard=self._place(), **_completed(self._options, how))

    def _changes(self) -> List[int]:
        """The epochs that a schedule of fidelities or qualities names."""
        schedule = self._options.get("fidelity", self._options.get("quality"))
        return [epoch for epoch, _ in schedule] if isinstance(schedule, (list, tuple)) else []

    def __len__(self) -> int:
        """Batches in an epoch of this rank, by however many workers: what len() of a DataLoader
        with batch_size=None is."""
        place = repr(self._place())
        if place not in self._counts:
            with self._make(threads=1) as loader:
                self._counts[place] = len(loader)
        return self._counts[place]

    def set_epoch(self, epoch: int) -> None:
        """Chooses the epoch of the iteration that begins next, in workers too."""
        self._shared.set_epoch(whole(epoch, "epoch", 0, 40))

    def set_fidelity(self, fidelity: Optional[int]) -> None:
        """Sets the fidelity, in workers too, where it holds from a batch on that is still to
        be made, until an epoch begins that the schedule names. See Loader.set_fidelity()."""
        number = fidelity_number(fidelity)
        if number > self.group_count:
            raise InvalidError(f"fidelity is {number}, the dataset has 1 to {self.group_count}")
        self._shared.set_wish("fidelity", number)

    def set_quality(self, quality: float) -> None:
        """Sets a quality, above 0 and below 1, in place of a fidelity: as set_fidelity()."""
        self._shared.set_wish("quality", quality_number(quality))

    def __iter__(self) -> Iterator[Any]:
        # A DataLoader's fetcher, which knows whether it is to make batches of items.
        if sys._getframe(1).f_locals.get("auto_collation"):
            raise TypeError("a pcr.torch.IterableDataset delivers whole batches of its own "
                            "batch_size: write DataLoader(dataset, batch_size=None, ...)")
        self._check_dispatch()
        return _Batches(self, torch.utils.data.get_worker_info())
