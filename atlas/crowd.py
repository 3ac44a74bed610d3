"""Trees around one centre, by own coordinates, also where a tidy tree could not hold them.

Each generation has its ring. A model's wedge grows slower than the number of its leaves, so that
one large star leaves the others room; leaves that would touch are staggered in rows outwards.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from atlas.branches import Branch
from atlas.marks import Option, mark, short_name
from atlas.palette import Palette
from atlas.pruning import most_notable, walk

DAMPING = 0.82
RING = 105.0
ROW = 7.5
LABELS = 16
LABELS_ALL = 110  # up to this many models, each may have its label where there is room


@dataclass
class Wedge:
    """One model's share of the circle: angles in radians, ``row`` its stagger on the ring."""

    branch: Branch
    depth: int
    start: float
    width: float
    row: int = 0
    below: list[Wedge] = field(default_factory=list)


def crowd_series(trees: list[Branch], colours: Palette) -> Option:
    """An ECharts graph series with a fixed place for each model, in the order of `walk`."""
    wedges = _share_out(trees)
    radii = _ring_radii(wedges)
    place = {id(w.branch): _point(w, radii) for w in wedges}
    number = {id(branch): at for at, branch in enumerate(walk(trees))}
    notable = most_notable(trees, most=len(number) if len(number) <= LABELS_ALL else LABELS)
    return {
        "type": "graph",
        "layout": "none",
        "roam": True,
        "selectedMode": "single",
        "animation": False,
        "preserveAspect": "contain",
        "top": 24,
        "bottom": 24,
        "left": 24,
        "right": 24,
        "nodes": [
            _node(branch, place[id(branch)], colours, labelled=branch.repo_id in notable)
            for branch in walk(trees)
        ],
        "edges": [
            _edge(number[id(branch)], number[id(below)], below, colours)
            for branch in walk(trees)
            for below in branch.branches
        ],
        "labelLayout": {"hideOverlap": True},
        "emphasis": {"focus": "adjacency", "lineStyle": {"width": 1.6, "opacity": 0.9}},
        "select": {"itemStyle": {"borderColor": colours.ink, "borderWidth": 3}},
    }


def _node(branch: Branch, at: tuple[float, float], colours: Palette, *, labelled: bool) -> Option:
    return {
        **mark(branch, colours, scale=0.9 if branch.branches else 0.6),
        "x": at[0],
        "y": at[1],
        "label": {
            "show": labelled,
            "formatter": short_name(branch.repo_id, 28),
            # A parent's fan lies outside of it, so its label goes inwards; a leaf's goes outwards.
            "position": "left" if (at[0] > 0) == bool(branch.branches) else "right",
            "color": colours.ink,
            "fontSize": 12.5,
            "fontWeight": 600,
            "textBorderColor": colours.paper,
            "textBorderWidth": 3,
        },
    }


def _edge(source: int, target: int, below: Branch, colours: Palette) -> Option:
    line = {"color": colours.of(below.relation), "width": 0.7, "opacity": 0.38, "curveness": 0.06}
    return {"source": source, "target": target, "lineStyle": line}


def _share_out(trees: list[Branch]) -> list[Wedge]:
    weight = _weights(trees)
    alone = len(trees) == 1
    first = _split(trees, -math.pi / 2, 2 * math.pi, 0 if alone else 1, weight)
    done, left = [], list(first)
    while left:
        at = left.pop()
        done.append(at)
        at.below = _split(at.branch.branches, at.start, at.width, at.depth + 1, weight)
        left += at.below
    return done


def _weights(trees: list[Branch]) -> dict[int, float]:
    weight: dict[int, float] = {}
    for branch in reversed(list(walk(trees))):
        inner = sum(weight[id(below)] for below in branch.branches)
        weight[id(branch)] = max(1.0, inner) ** (DAMPING if branch.branches else 1.0)
    return weight


def _split(
    branches: list[Branch], start: float, width: float, depth: int, weight: dict[int, float]
) -> list[Wedge]:
    # Those with children stand together, so that the leaves make one quiet band.
    ordered = sorted(branches, key=lambda branch: (not branch.branches, -weight[id(branch)]))
    total = sum(weight[id(branch)] for branch in ordered)
    wedges = []
    for branch in ordered:
        share = width * weight[id(branch)] / total
        wedges.append(Wedge(branch, depth, start, share))
        start += share
    return wedges


def _ring_radii(wedges: list[Wedge]) -> list[float]:
    """Radius of each generation's ring, wide enough for the staggered rows inside of it."""
    radii, edge = [0.0], 0.0
    for depth in range(1, 1 + max(wedge.depth for wedge in wedges)):
        radii.append(edge + RING)
        leaves = [w for w in wedges if w.depth == depth and not w.branch.branches]
        edge = radii[-1] + (_stagger(leaves, radii[-1]) - 1) * ROW
    return radii


def _stagger(leaves: list[Wedge], radius: float) -> int:
    most = 1
    for at, wedge in enumerate(leaves):
        rows = max(1, min(9, math.ceil(ROW / max(wedge.width * radius, 0.1))))
        wedge.row = at % rows
        most = max(most, rows)
    return most


def _point(wedge: Wedge, radii: list[float]) -> tuple[float, float]:
    if wedge.depth == 0:
        return 0.0, 0.0
    angle = wedge.start + wedge.width / 2
    radius = radii[wedge.depth] + wedge.row * ROW
    return round(radius * math.cos(angle), 1), round(radius * math.sin(angle), 1)
