"""What the head of a weight file says of its tensors, and what may be wrong with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

MOST = 2**53


class HeaderBroken(Exception):
    """A weight file's header contradicts itself or its format; the message is one line."""


@dataclass(frozen=True)
class TensorEntry:
    """One tensor: ``shape`` row-major, ``byte_count`` None where its type has no known size."""

    tensor_name: str
    dtype: str
    shape: list[int]
    element_count: int
    byte_count: int | None


@dataclass(frozen=True)
class WeightHeader:
    """A header: its tensors, its metadata as JSON values, and how many bytes of it were read."""

    format: str
    tensors: list[TensorEntry]
    metadata: dict[str, Any]
    header_byte_count: int | None

    def __post_init__(self) -> None:
        if self.parameter_count > MOST:
            raise HeaderBroken(f"claims {self.parameter_count:,} parameters")

    @property
    def parameter_count(self) -> int:
        """Elements of all tensors."""
        return sum(tensor.element_count for tensor in self.tensors)


def element_count(shape: list[int], name: str) -> int:
    """The product of a shape; raises `HeaderBroken` where it is beyond any memory."""
    counted = 1
    for length in shape:
        counted *= length
        if max(length, counted) > MOST:
            raise HeaderBroken(f"tensor {name[:80]!r} has a shape beyond any memory")
    return counted
