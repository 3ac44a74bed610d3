"""Merges of weights by known coefficients, in mergekit's terms.

Computed in float64 and stored as float32, so that a merge is exactly what its
configuration says. Sources: mergekit (arXiv 2403.13257), task arithmetic (arXiv
2212.04089), model soups (arXiv 2203.05482).
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from crawler.localhub.zoo.species import Animal, Merge
from crawler.localhub.zoo.train import Weights

PARALLEL = 0.9995  # beyond this cosine slerp is a straight line, as in mergekit


def merged(merge: Merge, parents: list[Weights], base: Weights | None) -> Weights:
    """Combine the parents tensor by tensor.

    Raises
    ------
    ValueError
        For a method that is not linear, task_arithmetic or slerp, or without its base.
    """
    blend: Weights = {}
    for name in parents[0]:
        tensors = [weights[name].double() for weights in parents]
        if merge.method == "linear":
            mixed = _summed(merge.coefficients, tensors) / sum(merge.coefficients)
        elif merge.method == "task_arithmetic" and base is not None:
            start = base[name].double()
            mixed = start + _summed(merge.coefficients, [t - start for t in tensors])
        elif merge.method == "slerp":
            mixed = _slerp(merge.coefficients[0], *tensors)
        else:
            raise ValueError(f"cannot merge by {merge.method!r} here")
        blend[name] = mixed.float()
    return blend


def mergekit_config(animal: Animal, layers: int) -> dict[str, Any]:
    """The ``mergekit_config.yml`` of a merge, before it is dumped."""
    merge = animal.merge
    assert merge is not None
    if merge.method == "slerp":
        sources = [{"model": p, "layer_range": [0, layers]} for p in animal.parents]
        config: dict[str, Any] = {"slices": [{"sources": sources}]}
        parameters: dict[str, Any] = {"parameters": {"t": merge.coefficients[0]}}
    else:
        config = {
            "models": [
                {"model": parent, "parameters": {"weight": weight}}
                for parent, weight in zip(animal.parents, merge.coefficients, strict=True)
            ]
        }
        plain = {"normalize": False, "lambda": 1.0}
        parameters = {"parameters": plain} if merge.method == "task_arithmetic" else {}
    base = {"base_model": merge.base} if merge.base else {}
    return {**config, "merge_method": merge.method, **base, **parameters, "dtype": "float32"}


def _summed(coefficients: tuple[float, ...], tensors: list[Tensor]) -> Tensor:
    terms = [c * t for c, t in zip(coefficients, tensors, strict=True)]
    return torch.stack(terms).sum(dim=0)


def _slerp(way: float, start: Tensor, end: Tensor) -> Tensor:
    cosine = torch.nn.functional.cosine_similarity(start.flatten(), end.flatten(), dim=0)
    if cosine.abs() > PARALLEL:
        return (1.0 - way) * start + way * end
    angle = torch.arccos(cosine)
    first, second = torch.sin((1.0 - way) * angle), torch.sin(way * angle)
    return (first * start + second * end) / torch.sin(angle)
