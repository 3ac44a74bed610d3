"""Cutting trees down to what a screen can show, and numbering what is left."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass

from atlas.branches import Branch, count_models


@dataclass(frozen=True)
class Cut:
    """Trees fit to draw: ``drawn_count`` of ``total_count`` models are in them."""

    trees: list[Branch]
    drawn_count: int
    total_count: int


DEEPEST = 120


def prune(trees: list[Branch], *, most: int, total_count: int) -> Cut:
    """Keep the ``most`` most downloaded models, each with all on its way to its root.

    A branch that lost others says in ``cut`` how many hung directly below it. Trees are changed in
    place. Below `DEEPEST` generations nothing is drawn: charts are nested values, which readers
    and writers of JSON bound.
    """
    _shorten(trees)
    if sum(count_models(tree) for tree in trees) > most:
        kept = _worth_keeping(trees, most)
        trees = [tree for tree in trees if id(tree) in kept]
        for branch in walk(trees):
            left = [below for below in branch.branches if id(below) in kept]
            branch.cut += len(branch.branches) - len(left)
            branch.branches = left
    return Cut(trees, sum(count_models(tree) for tree in trees), total_count)


def walk(trees: list[Branch]) -> Iterator[Branch]:
    """Every branch, each before those below it, in the order in which a chart numbers them."""
    left = list(reversed(trees))
    while left:
        at = left.pop()
        yield at
        left.extend(reversed(at.branches))


def tree_depth(trees: list[Branch]) -> int:
    """Edges on the longest way down from a root."""
    deepest, left = 0, [(tree, 0) for tree in trees]
    while left:
        at, depth = left.pop()
        deepest = max(deepest, depth)
        left += [(below, depth + 1) for below in at.branches]
    return deepest


def count_leaves(trees: list[Branch]) -> int:
    """Number of models with none drawn below."""
    return sum(not branch.branches for branch in walk(trees))


def most_notable(trees: list[Branch], *, most: int) -> set[str]:
    """Names worth a label where not all fit: the widest branches and the most downloaded."""
    ranked = heapq.nlargest(
        most,
        walk(trees),
        key=lambda branch: (len(branch.branches) > 0, len(branch.branches), _downloads(branch)),
    )
    return {branch.repo_id for branch in ranked}


def _shorten(trees: list[Branch]) -> None:
    level = trees
    for _ in range(DEEPEST):
        level = [below for branch in level for below in branch.branches]
    for branch in level:
        branch.cut += len(branch.branches)
        branch.branches = []


def _worth_keeping(trees: list[Branch], most: int) -> set[int]:
    above = {id(below): branch for branch in walk(trees) for below in branch.branches}
    kept: set[int] = set()
    for branch in sorted(walk(trees), key=lambda branch: -_downloads(branch)):
        way: list[Branch] = []
        at: Branch | None = branch
        while at is not None and id(at) not in kept:
            way.append(at)
            at = above.get(id(at))
        if len(kept) + len(way) <= most:
            kept.update(map(id, way))
    return kept


def _downloads(branch: Branch) -> int:
    return -1 if branch.downloads_30d is None else branch.downloads_30d
