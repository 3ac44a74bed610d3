"""Writing a study's figures and its page to a folder."""

from __future__ import annotations

from pathlib import Path

import duckdb

from atlas.report.catalogue import FIGURES
from atlas.report.figures import draw_figures
from atlas.report.page import report_page


def write_report(db: duckdb.DuckDBPyConnection, folder: Path) -> Path:
    """Write ``figures/NAME.svg`` and ``.png`` and ``report.html``; returns the page's path.

    Parameters
    ----------
    db
        A connection on which the study's tables are.
    """
    drawn = draw_figures(db, FIGURES)
    figures = folder / "figures"
    figures.mkdir(parents=True, exist_ok=True)
    for one in drawn:
        for kind, image in one.files.items():
            (figures / f"{one.figure.name}.{kind}").write_bytes(image)
    page = folder / "report.html"
    page.write_text(report_page(db, drawn), "utf-8")
    return page
