"""The kinds of charts that a report has: each draws a frame of rows onto axes.

Labels are names that strangers gave: they are drawn as plain text, never as markup or formulas.
"""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullFormatter

from atlas.palette import LIGHT, RELATIONS

Draw = Callable[[Axes, pd.DataFrame], None]
COLOURS = [LIGHT.relation[name] for name in RELATIONS]
TWINS = {
    "raw": LIGHT.ink,
    "owner_capped": LIGHT.relation["finetune"],
    "no_bulk": LIGHT.relation["quantized"],
    "dated": LIGHT.relation["adapter"],
    "other_owner": LIGHT.relation["merge"],
    "own_text": LIGHT.relation["unknown"],
    "study_counting": LIGHT.relation["unknown"],
}
LONGEST_LABEL = 32
UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "text.parse_math": False,
    "font.family": "sans-serif",
    "font.size": 9,
    "axes.edgecolor": LIGHT.line,
    "axes.labelcolor": LIGHT.faint,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid": True,
    "grid.color": LIGHT.line,
    "grid.linewidth": 0.6,
    "text.color": LIGHT.ink,
    "xtick.color": LIGHT.faint,
    "ytick.color": LIGHT.faint,
    "xtick.labelcolor": LIGHT.ink,
    "ytick.labelcolor": LIGHT.ink,
    "legend.frameon": False,
    "figure.facecolor": "white",
    "axes.facecolor": "white",
}


def render(draw: Draw, rows: pd.DataFrame, *, name: str, height: float) -> dict[str, bytes]:
    """A chart as ``svg`` and ``png``; the same rows give the same bytes.

    Parameters
    ----------
    height
        In inches; all charts are 7.2 inches wide.
    """
    with mpl.rc_context({**STYLE, "svg.hashsalt": name}), _whatever_the_glyphs():
        figure = Figure(figsize=(7.2, height), layout="constrained")
        draw(figure.subplots(), rows)
        svg = _saved(figure, format="svg", metadata={"Date": None, "Creator": None})
        figure.set_layout_engine("none")  # all has its place by now
        return {"svg": svg, "png": _saved(figure, format="png", dpi=160, metadata=UNSIGNED)}


def dots(axes: Axes, rows: pd.DataFrame, *, unit: str = "", share: bool = False) -> None:
    """Values with their intervals: a row a label, a colour a twin, a hollow diamond as published.

    Columns: label, twin, value, low, high, published; missing ones are not drawn.
    """
    rows = rows.dropna(subset=["value"])
    labels = list(dict.fromkeys(rows["label"]))
    twins = [twin for twin in TWINS if twin in set(rows["twin"])]
    for place, twin in enumerate(twins):
        own = rows[rows["twin"] == twin]
        y = np.array([labels.index(label) for label in own["label"]], float)
        y += (place - (len(twins) - 1) / 2) * 0.7 / max(len(twins), 1)
        axes.hlines(y, own["low"], own["high"], color=TWINS[twin], linewidth=1.6)
        axes.plot(own["value"], y, "o", color=TWINS[twin], markersize=4.5, label=told(twin))
    published = rows.dropna(subset=["published"]).drop_duplicates("label")
    if len(published):
        at = [labels.index(label) for label in published["label"]]
        axes.plot(published["published"], at, "D", **HOLLOW, label="published")
    _named_rows(axes, labels)
    _measured(axes, "x", unit, share=share)
    _legend(axes)


def curves(
    axes: Axes,
    rows: pd.DataFrame,
    *,
    x: str,
    y: str,
    log: str = "",
    share: bool = False,
    months: bool = False,
    marks: bool = False,
) -> None:
    """Curves with bands: columns line, x, y, low, high; ``log`` names the axes that are so."""
    for place, (line, own) in enumerate(rows.groupby("line", sort=False)):
        colour = colour_of(line, place)
        if marks:
            below, above = own["y"] - own["low"], own["high"] - own["y"]
            x_dodged = own["x"] + 0.01 * place * (0 if log else rows["x"].max() - rows["x"].min())
            axes.errorbar(x_dodged, own["y"], [below, above], color=colour, fmt="o-", ms=4, lw=0.8)
            axes.plot([], [], "o", color=colour, label=plain(line))
            continue
        axes.plot(own["x"], own["y"], color=colour, label=plain(line))
        if own["low"].notna().any():
            axes.fill_between(own["x"], own["low"], own["high"], color=colour, alpha=0.15, lw=0)
    for axis in log:
        getattr(axes, f"set_{axis}scale")("log")
    _measured(axes, "x", x, months=months)
    _measured(axes, "y", y, share=share)
    _legend(axes)


def tail(axes: Axes, rows: pd.DataFrame, *, data: str, x: str, y: str) -> None:
    """A complementary distribution as points, on logarithmic axes, and laws fitted to it as lines.

    Columns: line (``data`` for the points), x, y.
    """
    own = rows["line"] == data
    axes.plot(rows["x"][own], rows["y"][own], "o", color=LIGHT.ink, markersize=3, label=data)
    for place, (line, law) in enumerate(rows[~own].groupby("line", sort=False)):
        axes.plot(law["x"], law["y"], color=COLOURS[place % len(COLOURS)], label=plain(line))
    axes.set_xscale("log")
    axes.set_yscale("log")
    lowest = rows["y"][own & (rows["y"] > 0)].min()
    axes.set_ylim(lowest / 2, 1.5)  # laws fall for ever
    _measured(axes, "x", x)
    _measured(axes, "y", y)
    _legend(axes)


def bars(axes: Axes, rows: pd.DataFrame, *, unit: str, share: bool = False) -> None:
    """Lengths, one under another: columns label, y, low, high, and group for colours."""
    rows = rows.dropna(subset=["y"])
    groups = list(dict.fromkeys(rows["group"])) if "group" in rows else [""]
    labels = list(dict.fromkeys(rows["label"]))
    for place, group in enumerate(groups):
        own = rows[rows["group"] == group] if "group" in rows else rows
        y = np.array([labels.index(label) for label in own["label"]], float)
        size = 0.8 / len(groups)
        y += (place - (len(groups) - 1) / 2) * size
        axes.barh(y, own["y"], size * 0.9, color=colour_of(group, place), label=plain(group))
        if own["low"].notna().any():
            axes.hlines(y, own["low"], own["high"], color=LIGHT.ink, linewidth=1)
    _named_rows(axes, labels)
    _measured(axes, "x", unit, share=share)
    if len(groups) > 1:
        _legend(axes)


def heat(axes: Axes, rows: pd.DataFrame, *, x: str, y: str) -> None:
    """A matrix: columns row, column, value; each row is coloured by its shares."""
    table = rows.pivot_table(index="row", columns="column", values="value", sort=False)
    order = list(dict.fromkeys([*rows["row"], *rows["column"]]))
    table = table.reindex(index=order, columns=order)
    shares = table.div(table.sum(axis=1), axis=0).to_numpy(float)
    axes.imshow(shares, cmap=mpl.colormaps["YlGnBu"], vmin=0, vmax=1, aspect="auto")
    axes.set_xticks(range(len(order)), [plain(name) for name in order], rotation=60, ha="right")
    axes.set_yticks(range(len(order)), [plain(name) for name in order])
    axes.grid(visible=False)
    for (down, across), value in np.ndenumerate(table.to_numpy(float)):
        if value > 0:
            ink = "white" if shares[down, across] > 0.55 else LIGHT.ink
            text = f"{value:,.0f}" if value >= 1 else "<1"
            axes.text(across, down, text, ha="center", va="center", color=ink, fontsize=6.5)
    axes.set_xlabel(x)
    axes.set_ylabel(y)


def ladder(axes: Axes, rows: pd.DataFrame, *, forward: str, backward: str) -> None:
    """An order from first to last: columns label, forward, backward (traffic out of each step)."""
    y = np.arange(len(rows))
    axes.barh(y, rows["forward"], 0.7, color=LIGHT.relation["finetune"], label=forward)
    axes.barh(y, -rows["backward"], 0.7, color=LIGHT.relation["adapter"], label=backward)
    axes.axvline(0, color=LIGHT.ink, linewidth=0.8)
    _named_rows(axes, list(rows["label"]))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: _short(abs(value))))
    _legend(axes)


def colour_of(line: object, place: int) -> str:
    """A relation has its own colour everywhere; others take them in turn."""
    return LIGHT.relation.get(str(line), COLOURS[place % len(COLOURS)])


def plain(label: object) -> str:
    """A name as it can be drawn: short, on one line, without characters that hide or turn text."""
    text = UNSEEN.sub("·", str(label))
    return text if len(text) <= LONGEST_LABEL else text[: LONGEST_LABEL - 1] + "…"


def told(name: str) -> str:
    """A twin or kind in words."""
    return name.replace("_", " ")


UNSIGNED: dict[str, Any] = {"Software": None}
HOLLOW: dict[str, Any] = {"markerfacecolor": "white", "markeredgecolor": LIGHT.ink, "markersize": 7}


def _named_rows(axes: Axes, labels: list[str]) -> None:
    axes.set_yticks(range(len(labels)), [plain(told(label)) for label in labels])
    axes.set_ylim(len(labels) - 0.4, -0.6)
    axes.grid(visible=False, axis="y")


def _measured(
    axes: Axes, axis: str, label: str, *, share: bool = False, months: bool = False
) -> None:
    which = axes.xaxis if axis == "x" else axes.yaxis
    which.set_label_text(label)
    shown = _percent if share else _month if months else _short
    which.set_major_formatter(FuncFormatter(lambda value, _: shown(value)))
    which.set_minor_formatter(NullFormatter())


def _legend(axes: Axes) -> None:
    handles, labels = axes.get_legend_handles_labels()
    if len(labels) > 1 or (labels and labels[0] not in {"", "raw"}):
        axes.figure.legend(handles, labels, loc="outside lower center", ncols=4)


def _percent(value: float) -> str:
    return f"{value:.0%}"


def _month(value: float) -> str:
    return f"{int(value) // 12}-{int(value) % 12 + 1:02d}"


def _short(value: float) -> str:
    for size, unit in ((1e9, " G"), (1e6, " M"), (1e4, "")):
        if abs(value) >= size:
            return f"{value / size:g}{unit}" if unit else f"{value:,.0f}"
    return f"{value:g}"


def _saved(figure: Figure, **options: object) -> bytes:
    into = io.BytesIO()
    figure.savefig(into, **options)  # type: ignore[arg-type]
    return into.getvalue()


@contextmanager
def _whatever_the_glyphs() -> Iterator[None]:
    # Names are in all the world's scripts; a font that lacks some draws boxes, and that is all.
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing")
        warnings.filterwarnings("ignore", message="Matplotlib currently does not support")
        yield
