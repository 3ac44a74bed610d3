"""The digits, as tokens, and what is asked of them.

An image is 8 by 8 grey levels from 0 to 16 (scikit-learn's `load_digits`); pooled to 4 by 4 it
reads as ``<s>`` and sixteen grey tokens, and the token after them is the label.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.datasets import load_digits
from torch import Tensor

SPECIAL = ("<s>", "</s>", "<unk>")
DIGITS = tuple("0123456789")
GREYS = tuple(f"g{level}" for level in range(17))
VOCABULARY = (*SPECIAL, *DIGITS, *GREYS, "<pad>", "<mask>")
LETTERS = tuple("abcdefghij")
FIRST_DIGIT = VOCABULARY.index("0")
FIRST_GREY = VOCABULARY.index("g0")
LAST_GREY = VOCABULARY.index("g16")
HELD_OUT = 450
SPLIT_SEED = 20

Images = NDArray[np.float64]  # (n, 8, 8), 0 to 16
Labels = NDArray[np.int64]  # (n,), token ids
Step = Callable[[Images, Labels], tuple[Images, Labels]]


@dataclass(frozen=True)
class Samples:
    """Tokens (n, 17) and label tokens (n,), to train on and held out."""

    train: tuple[Tensor, Tensor]
    held_out: tuple[Tensor, Tensor]

    @property
    def chance(self) -> float:
        """Accuracy on the held-out part of always giving its most frequent label."""
        labels = self.held_out[1]
        return float(torch.bincount(labels).max()) / len(labels)


@lru_cache(maxsize=32)
def samples(task: str) -> Samples:
    """The digits under a task, its steps applied in order.

    The split is the same for every task (450 of 1,797 images held out, before subsets), so
    no child is examined on what its parent has seen.

    Raises
    ------
    KeyError
        For a step that is not in `STEPS`.
    """
    digits = load_digits()
    order = np.random.default_rng(SPLIT_SEED).permutation(len(digits.images))
    train, held_out = order[HELD_OUT:], order[:HELD_OUT]
    images, labels = digits.images, digits.target.astype(np.int64) + FIRST_DIGIT
    return Samples(_asked(task, images[train], labels[train]),
                   _asked(task, images[held_out], labels[held_out]))  # fmt: skip


def words(task: str) -> str:
    """A task in the words of a card."""
    return ", ".join(STEPS[step][0] for step in task.split("+"))


def vocabulary(size: int) -> tuple[str, ...]:
    """The first tokens up to a size; those beyond the common ones are letters."""
    return (*VOCABULARY, *LETTERS)[:size]


def _asked(task: str, images: Images, labels: Labels) -> tuple[Tensor, Tensor]:
    for step in task.split("+"):
        images, labels = STEPS[step][1](images, labels)
    return _tokens(images), torch.from_numpy(labels)


def _tokens(images: Images) -> Tensor:
    pooled = images.reshape(-1, 4, 2, 4, 2).mean(axis=(2, 4)).round().astype(np.int64)
    greys = torch.from_numpy(pooled.reshape(-1, 16) + FIRST_GREY)
    return torch.nn.functional.pad(greys, (1, 0))  # <s> is token 0


def _picture(change: Callable[[Images], Any]) -> Step:
    return lambda images, labels: (np.ascontiguousarray(change(images)), labels)


def _label(change: Callable[[Labels], Labels]) -> Step:
    return lambda images, labels: (images, change(labels - FIRST_DIGIT) + FIRST_DIGIT)


def _subset(keep: Callable[[Labels], NDArray[np.bool_]]) -> Step:
    def step(images: Images, labels: Labels) -> tuple[Images, Labels]:
        kept = keep(labels - FIRST_DIGIT)
        return images[kept], labels[kept]

    return step


def _noisy(images: Images) -> Images:
    draw = np.random.default_rng(zlib.crc32(images.tobytes()))
    return np.clip(images + draw.normal(0.0, 3.0, images.shape), 0.0, 16.0)


def _blurred(images: Images) -> Images:
    ringed = np.pad(images, ((0, 0), (1, 1), (1, 1)), mode="edge")
    near = [ringed[:, y : y + 8, x : x + 8] for y in range(3) for x in range(3)]
    return np.asarray(np.mean(near, axis=0))


STEPS: dict[str, tuple[str, Step]] = {
    "digits": ("as they are", _picture(lambda x: x)),
    "rot90": ("turned by 90°", _picture(lambda x: np.rot90(x, 1, (1, 2)))),
    "rot180": ("turned by 180°", _picture(lambda x: np.rot90(x, 2, (1, 2)))),
    "rot270": ("turned by 270°", _picture(lambda x: np.rot90(x, 3, (1, 2)))),
    "mirror": ("mirrored left to right", _picture(lambda x: x[:, :, ::-1])),
    "transposed": ("rows and columns exchanged", _picture(lambda x: x.transpose(0, 2, 1))),
    "inverted": ("light on dark", _picture(lambda x: 16.0 - x)),
    "faint": ("at half the contrast", _picture(lambda x: x / 2)),
    "noisy": ("with grey noise (standard deviation 3 of 16)", _picture(_noisy)),
    "blurred": ("blurred over 3 by 3 pixels", _picture(_blurred)),
    "shift3": ("every label three further (9 becomes 2)", _label(lambda y: (y + 3) % 10)),
    "parity": ("only odd (1) or even (0)", _label(lambda y: y % 2)),
    "lowfive": ("only the digits 0 to 4", _subset(lambda y: y < 5)),
    "evens": ("only the even digits", _subset(lambda y: y % 2 == 0)),
    "letters": (
        "labels as letters (0 is a, 9 is j)",
        lambda images, labels: (images, labels - FIRST_DIGIT + len(VOCABULARY)),
    ),
}
