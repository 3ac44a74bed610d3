"""How one model looks in any chart: its mark, its short name, what its tooltip says."""

from __future__ import annotations

import math
from typing import Any

from atlas.branches import Branch
from atlas.palette import Palette

Option = dict[str, Any]

FONT = '"Source Sans", "Source Sans Pro", sans-serif'


def mark(branch: Branch, colours: Palette, *, scale: float = 1.0) -> Option:
    """An ECharts item: a disc coloured by relation, a ring for a ghost, a diamond for a merge."""
    return {
        "name": branch.repo_id,
        "value": told(branch),
        "symbol": "diamond" if branch.others else "circle",
        "symbolSize": round(scale * _pixels(branch), 1),
        "itemStyle": _disc(branch, colours, scale),
    }


def told(branch: Branch) -> str:
    """What a tooltip says under a model's name."""
    parts = ["drawn elsewhere as well" if branch.again else branch.relation or "root"]
    if not branch.known:
        parts.append("ghost: nobody listed it")
    elif branch.downloads_30d is not None:
        parts.append(f"{branch.downloads_30d:,} downloads")
    if branch.others:
        parts.append(f"also of {', '.join(branch.others[:4])}")
    if branch.cut:
        parts.append(f"{branch.cut:,} below are not drawn")
    return " · ".join(parts)


def short_name(repo_id: str, most: int = 34) -> str:
    """The name after the owner, shortened in its middle; no braces, which a label would read."""
    name = repo_id.rsplit("/", 1)[-1].replace("{", "(").replace("}", ")")
    if len(name) <= most:
        return name
    head = (most - 1) * 3 // 5
    return f"{name[:head]}…{name[head + 1 - most :]}"


def tooltip(colours: Palette, template: str) -> Option:
    """A tooltip on the page's own paper; ECharts escapes what it puts into the template."""
    return {
        "trigger": "item",
        "confine": True,
        "formatter": template,
        "backgroundColor": colours.paper,
        "borderColor": colours.line,
        "textStyle": {"color": colours.ink, "fontSize": 13, "fontFamily": FONT},
        # A long list of parents wraps instead of running off the page.
        "extraCssText": "max-width: 26rem; white-space: normal; overflow-wrap: anywhere;",
    }


def _disc(branch: Branch, colours: Palette, scale: float) -> Option:
    if not branch.known:
        return {"color": colours.paper, "borderColor": colours.ghost, "borderWidth": 2 * scale}
    colour = colours.line if branch.again else colours.of(branch.relation)
    return {"color": colour, "borderColor": colour, "borderWidth": 1.2 * scale}


def _pixels(branch: Branch) -> float:
    """7 pixels, and 1.6 more for every power of ten of downloads."""
    reach = math.log10(1 + (branch.downloads_30d or 0))
    return 7 + 1.6 * reach + (2 if branch.others else 0)
