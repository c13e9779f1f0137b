# SPDX-License-Identifier: BSD-2-Clause
"""A tuner that compares gradients."""

from __future__ import annotations

import contextlib
import itertools
import math
from typing import TYPE_CHECKING, Any, Callable, Dict, Iterator, List, Optional, Sequence, Union

import torch  # type: ignore[import]

from ._library import whole
from ._tune import Candidate, Tuner, checked, named
from ._world import over_ranks
from .errors import InvalidError

if TYPE_CHECKING:
    from .torch import IterableDataset, Loader


def _random_states() -> List[Any]:
    cuda = torch.cuda.is_available() and torch.cuda.is_initialized()
    return [torch.get_rng_state(), torch.cuda.get_rng_state_all() if cuda else None]


@contextlib.contextmanager
def _untouched(model: Any) -> Iterator[None]:
    """Has the model's buffers and modes and the random states be afterwards what they were."""
    held = [(module, dict(module._buffers)) for module in model.modules()]
    values = [(buffer, buffer.detach().clone()) for _, buffers in held
              for buffer in buffers.values() if buffer is not None]
    modes = [(module, module.training) for module in model.modules()]
    random, cuda = _random_states()
    try:
        yield
    finally:
        for module, buffers in held:  # they may have been replaced
            module._buffers.clear()
            module._buffers.update(buffers)
        with torch.no_grad():
            for buffer, value in values:
                buffer.copy_(value)
        for module, mode in modes:
            module.training = mode
        torch.set_rng_state(random)
        if cuda is not None:
            torch.cuda.set_rng_state_all(cuda)


def _gradient(loss: Any, parameters: Sequence[Any]) -> List[Any]:
    """By parameter: float32, dense, zeros where the loss does not depend on it. `.grad` of the
    parameters, and the hooks that fill it, have no part in this."""
    found = torch.autograd.grad(loss, parameters, allow_unused=True)
    return [torch.zeros_like(p, dtype=torch.float32) if g is None else
            (g.to_dense() if g.is_sparse else g).float() for p, g in zip(parameters, found)]


def _dot(a: Sequence[Any], b: Sequence[Any]) -> float:
    return math.fsum(float((x * y).sum(dtype=torch.float64)) for x, y in zip(a, b))


def _cosine(a: Sequence[Any], b: Sequence[Any]) -> float:
    """NaN where one of them is zero or not finite."""
    square = _dot(a, a) * _dot(b, b)
    return _dot(a, b) / math.sqrt(square) if 0 < square < math.inf else math.nan


class GradientTuner(Tuner):
    """Chooses the lowest fidelity or quality whose gradients point where full fidelity's do.

    ::

        def loss(model, batch):
            images, labels = batch
            return cross_entropy(model(images.to(device)), labels.to(device))

        tuner = pcr.torch.GradientTuner(loader, model, loss)
        for epoch in range(90):
            tuner.step(epoch)
            for batch in loader: ...

    This is the rule of Kuchnik, Amvrosiadis and Smith, "Progressive Compressed Records" (2021).
    At epoch `start` and then every `every` epochs, the first batches of the epoch that comes
    are read at full fidelity and at the candidates, from the lowest on, with the same samples
    and crops. The first candidate whose gradient, summed over these batches, has a cosine
    above `threshold` with full fidelity's holds from then on; if none has, full fidelity does.

    loader: a pcr.torch.Loader or pcr.torch.IterableDataset. Until epoch `start` it delivers what
        it was made with.
    model: any module, in the mode in which its gradients are wanted: model.train(), as a
        rule. Of DistributedDataParallel the module inside is taken. Not one with sharded
        parameters (FSDP).
    loss: called as loss(model, batch), returns a scalar tensor: a batch's loss.
    candidates: fidelities (whole numbers) or qualities (above 0 and below 1), rising; without
        them, all fidelities. Full fidelity is one in any case.
    batches: of each process, at each candidate.

    A step costs what training on (1 + candidates looked at) * batches batches does, and memory
    for two gradients in float32. The optimiser, the parameters' .grad, the model's buffers
    (statistics of batch normalisation among them) and modes, and the random states of PyTorch
    are afterwards what they were; so is the loader's order. Each candidate is measured with the
    same random numbers, so that dropout does not tell them apart.

    A decision's step is the epoch; its figures are the cosines by candidate.
    """

    def __init__(self, loader: Union[Loader, IterableDataset], model: Any,
                 loss: Callable[[Any, Any], Any],
                 candidates: Optional[Sequence[Candidate]] = None, *, start: int = 5,
                 every: int = 15, batches: int = 10, threshold: float = 0.8) -> None:
        given = checked(candidates, loader.group_count)
        lower = tuple(c for c in given if c not in (None, loader.group_count))
        super().__init__(loader, (*lower, None))
        if not -1 <= threshold <= 1:
            raise InvalidError(f"threshold is {threshold!r}, expected a cosine, -1 to 1")
        self.start, self.every = whole(start, "start", 0), whole(every, "every")
        self.batches, self.threshold = whole(batches, "batches"), float(threshold)
        self._model, self._loss = model, loss

    def step(self, epoch: int) -> Candidate:
        """Decides, if that is due before this epoch; returns what then holds.

        Where torch.distributed is in use, all processes call it, and the mean of their cosines
        counts. What the loss raises is raised, and nothing has changed. Raises InvalidError for
        a model without parameters to train.
        """
        epoch = whole(epoch, "epoch", 0, 64)
        last = self.history[-1].step if self.history else None
        if epoch < self.start or (epoch - self.start) % self.every or epoch == last:
            return self.chosen
        reference = self._measure(epoch, None)
        cosines: Dict[str, float] = {}
        for at, candidate in enumerate(self._candidates[:-1]):
            cosine = over_ranks(_cosine(self._measure(epoch, candidate), reference))
            cosines[str(candidate)] = cosine
            if cosine > self.threshold:
                self._decide(at, epoch, f"its gradients' cosine with full fidelity's is "
                             f"{cosine:.4f}, above {self.threshold:g}", **cosines)
                return self.chosen
        found = ", ".join(f"{cosine:.4f} at {name}" for name, cosine in cosines.items())
        self._decide(len(self._candidates) - 1, epoch, "no candidate's gradients have a cosine "
                     f"with full fidelity's above {self.threshold:g}: {found or 'none given'}",
                     **cosines)
        return self.chosen

    def _measure(self, epoch: int, candidate: Candidate) -> List[Any]:
        """The sum of the gradients of the epoch's first batches at a candidate."""
        model = self._model
        if isinstance(model, torch.nn.parallel.DistributedDataParallel):
            model = model.module  # whose backward pass does not wait for the other processes
        parameters = [p for p in model.parameters() if p.requires_grad]
        if not parameters:
            raise InvalidError("GradientTuner needs a model with parameters that are trained")
        kind = "quality" if isinstance(candidate, float) else "fidelity"
        total: List[Any] = []
        with _untouched(model), self._loader._make(**{kind: candidate}) as probe:
            probe.set_epoch(epoch)
            for batch in itertools.islice(probe, self.batches):
                with torch.enable_grad():
                    gradient = _gradient(self._loss(model, batch), parameters)
                total = [a.add_(b) for a, b in zip(total, gradient)] if total else gradient
        if not total:
            raise InvalidError(f"epoch {epoch} has no batch at {named(candidate)}")
        return total
