"""The largest families as a treemap: a tile a family, split and coloured by relation."""

from __future__ import annotations

from typing import Any

import pandas as pd

from atlas.marks import FONT, short_name, tooltip
from atlas.palette import RELATIONS, Palette


def families_option(mix: pd.DataFrame, *, colours: Palette) -> dict[str, Any]:
    """An ECharts option over the columns of `largest_families`; area is the number of members."""
    return {
        "backgroundColor": "transparent",
        "textStyle": {"fontFamily": FONT},
        "tooltip": tooltip(colours, "<b>{b}</b><br/>{c} models"),
        "series": [
            {
                "type": "treemap",
                "roam": False,
                "nodeClick": False,
                "selectedMode": "single",
                "breadcrumb": {"show": False},
                "animationDuration": 350,
                "top": 0,
                "bottom": 0,
                "left": 0,
                "right": 0,
                "squareRatio": 1.4,
                "itemStyle": {"gapWidth": 1, "borderColor": colours.paper, "borderWidth": 0},
                "upperLabel": {"show": False},
                "levels": [
                    {"itemStyle": {"gapWidth": 5, "borderWidth": 0}},
                    {
                        "itemStyle": {"gapWidth": 1, "borderColor": colours.paper},
                        "upperLabel": _upper_label(colours),
                    },
                    {"label": {"show": False}},
                ],
                "data": _tiles(mix, colours),
            }
        ],
    }


def selected_family(mix: pd.DataFrame, index: int) -> str | None:
    """The family behind a chart's data index: tiles are numbered from 1, each before its parts."""
    numbered: list[str] = []
    for family_id, parts in mix.groupby("family_id", sort=False):
        numbered += [str(family_id)] * (1 + len(parts))
    return numbered[index - 1] if 0 < index <= len(numbered) else None


def _upper_label(colours: Palette) -> dict[str, Any]:
    return {
        "show": True,
        "height": 20,
        "color": colours.ink,
        "fontSize": 12,
        "overflow": "truncate",
        "ellipsis": "…",
        "backgroundColor": "transparent",
    }


def _tiles(mix: pd.DataFrame, colours: Palette) -> list[dict[str, Any]]:
    return [
        {
            "name": str(family_id),
            "value": int(parts["member_count"].iloc[0]),
            "upperLabel": {"formatter": short_name(str(family_id), 40)},
            "itemStyle": {"color": colours.paper, "borderColor": colours.paper},
            "children": _parts(parts, colours),
        }
        for family_id, parts in mix.groupby("family_id", sort=False)
    ]


def _parts(parts: pd.DataFrame, colours: Palette) -> list[dict[str, Any]]:
    size = dict(zip(parts["relation"], parts["relation_count"], strict=True))
    ordered = [name for name in (*RELATIONS, "root") if name in size]
    return [
        {
            "name": f"{name} in {parts['family_id'].iloc[0]}",
            "value": int(size[name]),
            "itemStyle": {
                "color": colours.faint if name == "root" else colours.of(name),
                "opacity": 0.86,
            },
        }
        for name in ordered
    ]
