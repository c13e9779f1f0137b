# SPDX-License-Identifier: BSD-2-Clause
"""What frameworks find where they look into a pcr.torch.Loader for a DataLoader's parts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Iterator, List, Optional, Union

from ._dataset import Dataset

if TYPE_CHECKING:
    from .torch import Loader


class _Run:
    """One iteration by tickets. It begins with the first that is redeemed, so that those
    before it are skipped, not made."""

    def __init__(self, loader: Loader) -> None:
        self._loader = loader
        self._batches: Optional[Iterator[Any]] = None

    def batch(self, number: int) -> Any:
        if self._batches is None:
            self._loader._skip(number)
            self._batches = iter(self._loader)
        return next(self._batches)


class Ticket:
    """The right to a run's batch `number`, to be redeemed in order, in the run's process."""

    def __init__(self, run: Optional[_Run], number: int) -> None:
        self._run, self._number = run, number

    def __reduce__(self) -> Any:
        # A queue to a worker process drops what cannot be pickled, and its reader waits.
        return Ticket, (None, self._number)

    def batch(self) -> Any:
        """The batch."""
        if self._run is None:
            raise TypeError("a pcr.torch.Loader's batches are made by threads of its own "
                            "process: write num_workers=0, or use pcr.torch.IterableDataset")
        return self._run.batch(self._number)


class Order:
    """Stands for a loader's sampler and batch sampler: set_epoch(), len(), and a ticket for each
    batch, which the loader's `dataset` and `collate_fn` turn into the batch."""

    def __init__(self, loader: Loader) -> None:
        self._loader = loader
        self.batch_size = loader.batch_size
        self.drop_last = loader.drop_last

    def set_epoch(self, epoch: int) -> None:
        """Chooses the epoch of the loader that begins next."""
        self._loader.set_epoch(epoch)

    def __len__(self) -> int:
        """Batches in an epoch."""
        return len(self._loader)

    def __iter__(self) -> Iterator[List[Ticket]]:
        run = _Run(self._loader)
        return ([Ticket(run, number)] for number in range(len(self._loader)))


class TicketDataset(Dataset):
    """A dataset that hands tickets through, for what fetches samples by a sampler's indices."""

    def __init__(self, dataset: Dataset) -> None:
        self.__dict__.update(dataset.__dict__)

    def __getitem__(self, index: Any) -> Any:
        return index if isinstance(index, Ticket) else super().__getitem__(index)


def redeem(tickets: Union[List[Any], Any]) -> Any:
    """The batch that a ticket is for: a loader's collate_fn."""
    if not (isinstance(tickets, list) and len(tickets) == 1 and isinstance(tickets[0], Ticket)):
        raise TypeError("a pcr.torch.Loader's collate_fn goes with its batch_sampler and its "
                        "dataset; for another sampler use pcr.torch.Dataset")
    return tickets[0].batch()
