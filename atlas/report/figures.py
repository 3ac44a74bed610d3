"""A figure: what it shows, by which query, and how its rows are drawn."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import duckdb
import pandas as pd

from atlas.report.charts import Draw, render


@dataclass(frozen=True)
class Figure:
    """A figure of the report.

    Attributes
    ----------
    name
        Stem of its files.
    section
        The analysis that it belongs to, as in ``study_measure``.
    title, method
        What it shows; how it was found, in a sentence.
    sql
        Its rows, out of the study's own tables, as anybody can ask for them.
    draw
        Draws these rows.
    caveat
        What to beware of.
    """

    name: str
    section: str
    title: str
    method: str
    sql: str
    draw: Draw
    caveat: str = ""


@dataclass(frozen=True)
class Drawn:
    """A figure with its rows; ``files`` are empty where there is nothing to draw."""

    figure: Figure
    rows: pd.DataFrame
    files: dict[str, bytes]


def draw_figures(db: duckdb.DuckDBPyConnection, figures: Iterable[Figure]) -> list[Drawn]:
    """Draw figures from a study's tables on this connection."""
    return [_drawn(db, figure) for figure in figures]


def _drawn(db: duckdb.DuckDBPyConnection, figure: Figure) -> Drawn:
    rows = db.execute(figure.sql).df()
    own = rows.drop(columns="published", errors="ignore").select_dtypes("number")
    if not own.notna().any(axis=None):
        return Drawn(figure, rows, {})
    height = _height(rows)
    return Drawn(figure, rows, render(figure.draw, rows, name=figure.name, height=height))


def _height(rows: pd.DataFrame) -> float:
    """Inches: so much for each label, and for each twin or group of one."""
    if "row" in rows:
        return 6.0
    if "line" in rows:
        return 3.6
    value = next(name for name in ("value", "y", "forward") if name in rows)
    told = rows.dropna(subset=[value])
    parts = max(told[name].nunique() if name in told else 1 for name in ("twin", "group"))
    return 1.3 + (0.15 + 0.11 * parts) * told["label"].nunique()
