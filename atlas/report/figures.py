"""The figures of the anatomy, as a table: what each shows, by which query, drawn how."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import duckdb
import pandas as pd

from atlas.report.charts import Draw, dots, render


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


def draw_figures(db: duckdb.DuckDBPyConnection) -> list[Drawn]:
    """Draw all figures from a study's tables on this connection."""
    return [_drawn(db, figure) for figure in FIGURES]


def measured(analysis: str, measure: str) -> str:
    """A query for the values of one measure, all subjects and twins."""
    return (
        "select subject as label, twin, value, low, high, published\n"
        "from study_measure\n"
        f"where analysis = '{analysis}' and measure = '{measure}'\n"
        "order by subject, twin"
    )


def _drawn(db: duckdb.DuckDBPyConnection, figure: Figure) -> Drawn:
    rows = db.execute(figure.sql).df()
    own = rows.drop(columns="published", errors="ignore").select_dtypes("number")
    if not own.notna().any(axis=None):
        return Drawn(figure, rows, {})
    height = _height(rows)
    return Drawn(figure, rows, render(figure.draw, rows, name=figure.name, height=height))


def _height(rows: pd.DataFrame) -> float:
    if "row" in rows:
        return 6.0
    if "line" in rows:
        return 3.6
    per_label = 0.22 + (0.11 * rows["twin"].nunique() if "twin" in rows else 0.05)
    return 1.2 + per_label * rows["label"].nunique()


KIN = (
    "Up to 10,000 pairs of a kind, one for each edge; cosine of TF-IDF over 512 words and pairs of"
    " words; 95 % intervals resample owners or families, whichever is wider."
)
FIGURES = (
    Figure(
        "likeness_metadata",
        "similarity",
        "How alike relatives are in their metadata",
        KIN,
        measured("similarity", "metadata_tfidf"),
        partial(dots, unit="cosine"),
    ),
    Figure(
        "likeness_cards",
        "similarity",
        "How alike relatives are in their cards",
        KIN + " The first 512 characters of a card below its front matter.",
        measured("similarity", "card_tfidf"),
        partial(dots, unit="cosine"),
    ),
)
