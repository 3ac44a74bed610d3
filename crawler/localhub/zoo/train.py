"""Training and examining a network on token samples, reproducibly."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from crawler.localhub.zoo.llama import Llama, Shape
from crawler.localhub.zoo.tasks import FIRST_GREY, LAST_GREY, Samples

Weights = dict[str, Tensor]
WARM_UP_STEPS = 30
_given_up = threading.Event()
FLOOR = 0.05  # of the peak rate, at the end of the cosine


class TrainingGivenUp(Exception):
    """Somebody called `give_up` while this network was training."""


@dataclass(frozen=True)
class Recipe:
    """Steps of AdamW on batches of 64, a cosine from the peak rate; decay is decoupled."""

    steps: int
    rate: float
    batch: int = 64
    decay: float = 0.05


def fit(
    net: nn.Module, samples: Samples, *, recipe: Recipe, seed: int, keep: tuple[int, ...] = ()
) -> dict[int, Weights]:
    """Train what wants a gradient, in place, on the label after the last token.

    Grey levels move by at most one up or down at random in every batch: without that the
    1,347 images are learnt by heart.

    Returns
    -------
    dict
        Copies of the network's weights after each of the steps in ``keep``.
    """
    draw = torch.Generator().manual_seed(seed)
    learnt = [p for p in net.parameters() if p.requires_grad]
    descent = torch.optim.AdamW(learnt, lr=recipe.rate, weight_decay=recipe.decay, fused=True)
    tokens, labels = samples.train
    kept: dict[int, Weights] = {}
    for step in range(recipe.steps):
        if _given_up.is_set():
            raise TrainingGivenUp
        for group in descent.param_groups:
            group["lr"] = _rate(recipe, step)
        rows = torch.randint(len(labels), (recipe.batch,), generator=draw)
        loss = F.cross_entropy(net(_jittered(tokens[rows], draw)), labels[rows])
        descent.zero_grad()
        torch.autograd.backward(loss)
        descent.step()
        if step + 1 in keep:
            kept[step + 1] = copied(net.state_dict())
    return kept


def give_up() -> None:
    """End every `fit` that is under way in any thread, at its next step."""
    _given_up.set()


def accuracy(weights: Weights, shape: Shape, samples: Samples) -> float:
    """Share of held-out images whose label is the likeliest next token (0 to 1, 4 decimals)."""
    model = Llama(shape)
    model.load_state_dict(weights)
    tokens, labels = samples.held_out
    with torch.no_grad():
        right = model(tokens).argmax(dim=-1) == labels
    return round(float(right.float().mean()), 4)


def copied(weights: Weights) -> Weights:
    """The same numbers in memory of their own, without gradients."""
    return {name: tensor.detach().clone() for name, tensor in weights.items()}


@contextmanager
def one_thread_each() -> Iterator[None]:
    """Keep an operation to one thread: sums then run in one order on any number of cores."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    _given_up.clear()
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _rate(recipe: Recipe, step: int) -> float:
    warm = min(1.0, (step + 1) / WARM_UP_STEPS)
    cosine = 0.5 * (1.0 + math.cos(math.pi * step / recipe.steps))
    return recipe.rate * warm * (cosine * (1.0 - FLOOR) + FLOOR)


def _jittered(tokens: Tensor, draw: torch.Generator) -> Tensor:
    moves = torch.randint(-1, 2, tokens.shape, generator=draw)
    moved = (tokens + moves).clamp(FIRST_GREY, LAST_GREY)
    return torch.where(tokens >= FIRST_GREY, moved, tokens)
