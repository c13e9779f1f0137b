# SPDX-License-Identifier: BSD-2-Clause
"""A C loader with its locks, and the iteration over one epoch."""

from __future__ import annotations

import ctypes
import json
import os
import threading
from ctypes import POINTER, byref, c_void_p
from typing import (TYPE_CHECKING, Any, Callable, Dict, Iterator, Mapping, Optional,
                    Sequence)

from . import _structs as st
from ._batch import Batch, Hooks, Memory, RawBatch
from ._boxes import Boxes
from ._dataset import Dataset
from ._library import Handle, call, lib
from .errors import FormatError

if TYPE_CHECKING:
    from ._loader import Loader
    from ._mix import Renumbering


class Core:
    """The C loader with its locks. `turn` is held by the one call that takes batches or
    begins epochs; `alive` for a moment by all that use the pointer beside it."""

    def __init__(self, pointer: c_void_p, datasets: Sequence[Dataset],
                 handles: Sequence[Handle], hooks: Optional[Hooks],
                 renumber: Optional[Renumbering], exact: bool,
                 columns: Mapping[str, str], boxes: Optional[Boxes]) -> None:
        self._pointer = pointer
        self._datasets = datasets
        self._handles = handles
        self._hooks = hooks
        self._renumber = renumber
        self._exact = exact
        self._columns = columns
        self._boxes = boxes
        self._turn = threading.RLock()
        self._alive = threading.RLock()
        self._pid = os.getpid()

    def pointer(self) -> c_void_p:
        """The C loader. Raises ValueError if it is closed, RuntimeError after fork()."""
        if not self._pointer:
            raise ValueError("the loader is closed")
        if os.getpid() != self._pid:
            raise RuntimeError("a loader's threads do not survive fork(): make the "
                               "loader in the process that uses it")
        return self._pointer

    def with_pointer(self, function: Callable[[c_void_p], Any]) -> Any:
        with self._alive:
            return function(self.pointer())

    def start_epoch(self, epoch: int) -> None:
        with self._turn:
            call(lib.pcr_loader_start_epoch, self.pointer(), epoch)

    def save(self) -> Dict[str, Any]:
        buffer = st.Buffer()
        try:
            self.with_pointer(
                lambda pointer: call(lib.pcr_loader_state_json, pointer, byref(buffer)))
            state: Dict[str, Any] = json.loads(ctypes.string_at(buffer.data, buffer.nbytes))
        finally:
            lib.pcr_buffer_free(byref(buffer))
        return state

    def resume(self, state: Mapping[str, Any]) -> None:
        try:
            text = json.dumps(dict(state)).encode()
        except (TypeError, ValueError) as exc:
            raise FormatError(f"loader state: {exc} in {state!r}") from exc
        with self._turn:
            call(lib.pcr_loader_resume, self.pointer(), text, len(text))

    def next(self, abandoned: Callable[[], bool]) -> Optional[Batch]:
        batch = POINTER(st.Batch)()
        with self._turn:
            if abandoned():
                return None
            code = int(st.Code.END)
            try:
                code = call(lib.pcr_loader_next, self.pointer(), byref(batch))
            finally:
                self.raise_from_hooks(batch)
            if code == st.Code.END:
                return None
        kind: Any = Batch if batch.contents.pixels else RawBatch
        made: Batch = kind(Memory(batch, self._hooks), batch.contents, self._datasets,
                           self._renumber, self._exact, self._columns, self._boxes)
        return made

    def raise_from_hooks(self, batch: Any = None) -> None:
        """Raises what the caller's functions for memory have raised, in place of a batch."""
        if self._hooks is None:
            return
        try:
            self._hooks.check()
        except BaseException:
            if batch:
                lib.pcr_batch_release(byref(batch))
            raise

    def cancel(self) -> None:
        with self._alive:
            if self._pointer and os.getpid() == self._pid:
                lib.pcr_loader_cancel(self._pointer)

    def close(self) -> None:
        self.cancel()
        if os.getpid() != self._pid:
            return
        with self._turn, self._alive:
            if self._pointer:
                lib.pcr_loader_destroy(byref(self._pointer))
                self._pointer = c_void_p()
                self._datasets = self._handles = ()


class Epoch(Iterator[Batch]):
    """One epoch's batches in order. Made by iterating over a loader. It begins with its
    first batch."""

    def __init__(self, loader: Loader) -> None:
        self._loader: Optional[Loader] = loader
        self._serial = 0
        #: The epoch's number; None before the first batch.
        self.number: Optional[int] = None

    def __next__(self) -> Batch:
        loader = self._loader
        if loader is None:
            raise StopIteration
        loader._core.pointer()
        if self.number is None:
            self.number = loader._begin()
            self._serial = loader._serial
        elif loader._serial != self._serial:
            self._loader = None
            raise RuntimeError(f"epoch {self.number} ended when epoch {loader._current} "
                               "of the same loader began")
        batch: Optional[Batch] = None
        try:
            batch = loader._next()
        finally:
            if batch is None:
                self._loader = None
        if batch is None:
            raise StopIteration
        loader._taken += 1
        return batch
