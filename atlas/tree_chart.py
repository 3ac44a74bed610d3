"""A drawn tree as an Apache ECharts option: plain values, no code."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from atlas.branches import Branch
from atlas.crowd import crowd_series
from atlas.marks import FONT, Option, mark, short_name, tooltip
from atlas.palette import Palette
from atlas.pruning import count_leaves, tree_depth, walk

Shape = Literal["radial", "left to right"]

RADIAL_FROM = 60
ROW_PIXELS = 30
MIN_PIXELS = 130
MAX_PIXELS = 8_000
CROWD_PIXELS = 860
LABEL_PIXELS = 190
PAGE_PIXELS = 950


def usual_shape(drawn_count: int) -> Shape:
    """Small trees read best from left to right, large ones need the circle."""
    return "left to right" if drawn_count <= RADIAL_FROM else "radial"


@dataclass(frozen=True)
class Drawing:
    """A chart's option, its height in pixels, and the model behind each of its data indices."""

    option: Option
    height: int
    names: list[str | None]


@dataclass(frozen=True)
class Paint:
    """How to draw: ``upwards`` has the model at the right and its ancestors to the left of it.

    ``here`` is the model that the page is about, which needs no name.
    """

    shape: Shape
    colours: Palette
    upwards: bool = False
    here: str | None = None


def draw(trees: list[Branch], paint: Paint) -> Drawing:
    """Draw trees side by side, or around one centre."""
    names: list[str | None] = [branch.repo_id for branch in walk(trees)]
    if paint.shape == "radial":
        series = crowd_series(trees, paint.colours)
        return Drawing(_framed(series, paint.colours), CROWD_PIXELS, names)
    # ECharts numbers a tree's items from 1, each before those below it; the hub is one of them.
    before: list[str | None] = [None] if len(trees) == 1 else [None, None]
    option = _framed(_tree_series(trees, paint), paint.colours)
    # One row a leaf.
    height = min(MAX_PIXELS, max(MIN_PIXELS, 60 + ROW_PIXELS * count_leaves(trees)))
    return Drawing(option, height, before + names)


def _framed(series: Option, colours: Palette) -> Option:
    return {
        "backgroundColor": "transparent",
        "textStyle": {"fontFamily": FONT},
        "tooltip": tooltip(colours, "<b>{b}</b><br/>{c}"),
        "series": [series],
    }


def _tree_series(trees: list[Branch], paint: Paint) -> Option:
    # Inner labels stand between two generations and must not run into the next.
    between = max(60, min(LABEL_PIXELS, PAGE_PIXELS // (1 + tree_depth(trees))))
    top = _item(_under_hub(trees), paint, between)
    # The first model stands at the canvas's edge: its label must not reach beyond it.
    top["label"] |= {"align": "right" if paint.upwards else "left"}
    return {
        "type": "tree",
        "layout": "orthogonal",
        "orient": "RL" if paint.upwards else "LR",
        "data": [top],
        "roam": True,
        "expandAndCollapse": False,
        "initialTreeDepth": -1,
        "selectedMode": "single",
        "animationDuration": 350,
        "animationDurationUpdate": 350,
        "lineStyle": {"width": 1.3, "curveness": 0.55},
        "labelLayout": {"hideOverlap": True},
        "emphasis": {"focus": "ancestor", "lineStyle": {"width": 2.4}},
        "select": {"itemStyle": {"borderColor": paint.colours.ink, "borderWidth": 3}},
        **_margins(trees, paint),
        **_label_places(paint),
    }


HUB = ""


def _under_hub(trees: list[Branch]) -> Branch:
    if len(trees) == 1:
        return trees[0]
    return Branch(HUB, None, [], True, None, -1, branches=trees)


def _item(branch: Branch, paint: Paint, between: int) -> Option:
    seen = _seen_upwards(branch) if paint.upwards else branch
    edge = branch.relation
    item: Option = {
        **mark(seen, paint.colours),
        "lineStyle": {"color": paint.colours.line if edge is None else paint.colours.of(edge)},
        "label": _label(seen, paint, between),
        "children": [_item(below, paint, between) for below in branch.branches],
    }
    if branch.repo_id == HUB:
        item |= {"name": "several roots", "value": f"{len(branch.branches):,} trees of one family"}
        item |= {"symbolSize": 5, "itemStyle": {"color": paint.colours.line}}
        item |= {"label": {"show": False}}
    return item


def _seen_upwards(branch: Branch) -> Branch:
    # Walking up, a branch names its relation to the model below it; its mark tells, as everywhere,
    # how it was itself made from those that hang on it.
    if branch.again:
        return branch
    parents = branch.branches
    return replace(
        branch,
        relation=parents[0].relation if parents else None,
        others=[parent.repo_id for parent in parents[1:]],
    )


def _label(branch: Branch, paint: Paint, between: int) -> Option:
    return {
        "formatter": "this model" if branch.repo_id == paint.here else short_name(branch.repo_id),
        "color": paint.colours.ink if branch.known else paint.colours.faint,
        "fontSize": 12,
        "overflow": "truncate",
        "width": between if branch.branches else LABEL_PIXELS,
        "textBorderColor": paint.colours.paper,
        "textBorderWidth": 3,
    }


def _margins(trees: list[Branch], paint: Paint) -> Option:
    # Leaves carry their label outside; a lone generation must not run to the far edge.
    wide = "30%" if tree_depth(trees) < 2 else "22%"
    near, far = ("5%", wide)
    sides = {"left": far, "right": near} if paint.upwards else {"left": near, "right": far}
    return {"top": 30, "bottom": 20, **sides}


def _label_places(paint: Paint) -> Option:
    leaf = "left" if paint.upwards else "right"
    return {
        "label": {"position": "top", "align": "center", "distance": 6},
        "leaves": {
            "label": {
                "position": leaf,
                "align": "right" if paint.upwards else "left",
                "verticalAlign": "middle",
                "distance": 8,
            }
        },
    }
