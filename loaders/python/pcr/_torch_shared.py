# SPDX-License-Identifier: BSD-2-Clause
"""What the processes that iterate over a pcr.torch.IterableDataset know of each other."""

from __future__ import annotations

from multiprocessing.context import get_spawning_popen
from typing import Any, List, NamedTuple, Optional, Tuple, Union

import torch  # type: ignore[import]

#: Worker processes of one DataLoader.
MOST_WORKERS = 4096
#: Cells: what was set, then one of the process itself and one of each worker.
_HEAD, _WISH, _WISH_EPOCH, _FIRST = 0, 1, 2, 3
#: A wish from here on is a quality in millionths, below a fidelity.
_QUALITY = 1 << 31
_KEY_BITS, _OFFSET_BITS, _EPOCH_BITS = 20, 31, 40
_GENERATIONS = 1 << 12
_MIDDLE = 1 << (_OFFSET_BITS - 1)


class _Begun(NamedTuple):
    """An iteration that one process has begun: what tells it from others, and its epoch,
    counted from the epoch that was set."""

    key: int
    offset: int


class Shared:
    """Numbers in memory that a dataset's copies in worker processes share.

    A DataLoader tells nobody in its own process that an iteration begins: its workers, new
    ones or the same, call iter() on their copies. So each worker notes which iteration it has
    begun, and which epoch that is. An iteration is told from others by the seed that its
    workers share (key). A worker that finds its iteration in another's note joins it;
    the first begins the epoch after the last of all notes. Two that come at once find the same
    notes, and say the same. A note is one word, written at once: no lock is needed.
    """

    def __init__(self) -> None:
        self._adopt(torch.zeros(_FIRST + 1 + MOST_WORKERS, dtype=torch.int64).share_memory_())

    def _adopt(self, memory: Any) -> None:
        self._memory = memory
        self._cells = memory.numpy()

    def __getstate__(self) -> Any:
        # A new process of multiprocessing gets the same memory; what is kept gets a copy.
        return self._memory if get_spawning_popen() is not None else self._memory.clone()

    def __setstate__(self, memory: Any) -> None:
        self._adopt(memory if memory.is_shared() else memory.share_memory_())

    def _head(self) -> Tuple[int, int]:
        """How often an epoch was set, and which was the last."""
        value = int(self._cells[_HEAD])
        return value >> _EPOCH_BITS, value & ((1 << _EPOCH_BITS) - 1)

    def _notes(self, generation: int) -> List[Optional[_Begun]]:
        """Each process's note, None where it has begun nothing since the epoch was set."""
        notes: List[Optional[_Begun]] = []
        for value in self._cells[_FIRST:].tolist():
            offset = value & ((1 << _OFFSET_BITS) - 1)
            key = value >> _OFFSET_BITS & ((1 << _KEY_BITS) - 1)
            valid = value and value >> (_OFFSET_BITS + _KEY_BITS) == generation
            notes.append(_Begun(key, offset - _MIDDLE) if valid else None)
        return notes

    def _write(self, process: int, generation: int, note: _Begun) -> None:
        if not -_MIDDLE <= note.offset < _MIDDLE:
            raise ValueError(f"epoch {note.offset} from the one that was set")
        self._cells[_FIRST + process] = ((generation << _KEY_BITS | note.key) << _OFFSET_BITS |
                                         note.offset + _MIDDLE)

    def set_epoch(self, epoch: int) -> None:
        """Has the iteration that begins next be this epoch."""
        if not 0 <= epoch < 1 << _EPOCH_BITS:
            raise ValueError(f"epoch {epoch}, expected 0 to 2^{_EPOCH_BITS} - 1")
        generation = (self._head()[0] + 1) % _GENERATIONS
        self._cells[_HEAD] = generation << _EPOCH_BITS | epoch

    def begin(self, process: int, seed: int) -> int:
        """Begins an iteration, or joins it; returns its epoch.

        process: 0 is the process itself, 1 the first worker.
        seed: what the workers of an iteration share, if not with others, then with earlier
            ones of the same workers.
        """
        if process > MOST_WORKERS:
            raise ValueError(f"{process} workers, but at most {MOST_WORKERS} can share a "
                             "dataset")
        key = seed * 0x9E3779B97F4A7C15 >> 40 & ((1 << _KEY_BITS) - 1)
        generation, base = self._head()
        notes = self._notes(generation)
        own = notes[process]
        joined = own.offset if own is not None and own.key == key else -_MIDDLE - 1
        same = [note.offset for i, note in enumerate(notes)
                if note is not None and note.key == key and note.offset > joined and i]
        last = max((note.offset for note in notes if note is not None), default=-1)
        offset = max(same) if same and process else last + 1
        self._write(process, generation, _Begun(key, offset))
        return base + offset

    def coming(self) -> int:
        """The epoch of an iteration of the process itself that would begin now."""
        generation, base = self._head()
        return base + 1 + max((note.offset for note in self._notes(generation)
                               if note is not None), default=-1)

    def resume(self, process: int, epoch: int) -> None:
        """Says that the iteration that a process has begun, or begins, is this epoch's."""
        if not process:
            self.set_epoch(epoch + 1)
            return
        generation, base = self._head()
        own = self._notes(generation)[process]
        self._write(process, generation, _Begun(own.key if own else 0, epoch - base))

    def set_wish(self, name: str, value: float) -> None:
        """Sets a "fidelity", 0 for the full one, or a "quality", in the epoch that stands now."""
        ppm = min(max(round(value * 1e6), 1), 999_999)
        wish = int(value) if name == "fidelity" else _QUALITY + ppm
        generation, base = self._head()
        last = max((note.offset for note in self._notes(generation) if note is not None),
                   default=-1)
        serial = int(self._cells[_WISH]) >> 32
        self._cells[_WISH_EPOCH] = base + last
        self._cells[_WISH] = serial + 1 << 32 | wish

    def wish(self) -> Tuple[int, str, Union[None, int, float], int]:
        """How often one was set, the last ("fidelity", None for the full one, or "quality"), and
        in which epoch."""
        value = int(self._cells[_WISH])
        serial, wish, epoch = value >> 32, value & 0xFFFFFFFF, int(self._cells[_WISH_EPOCH])
        if wish >= _QUALITY:
            return serial, "quality", (wish - _QUALITY) / 1e6, epoch
        return serial, "fidelity", wish or None, epoch
