"""The command ``study``: analyses of the whole hub, as tables, figures and a report."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from app.asking import AsOf, parse_time
from app.terminal import progress_bars, say


class Subject(StrEnum):
    """What can be studied."""

    ANATOMY = "anatomy"


def study(
    ctx: typer.Context,
    subject: Annotated[Subject, typer.Argument(help="Which study.")],
    as_of: AsOf = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", help="Folder to write to; HOME/study/anatomy if unset.", file_okay=False
        ),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of all random draws.")] = 0,
) -> None:
    """Study the ecosystem: families, traits, drift, licences, risk.

    Writes tables (Parquet and CSV), figures (SVG and PNG) and one HTML report, and puts the tables
    into the warehouse for SQL; a study as of a time is written to its folder alone.
    """
    from analysis.anatomy import OPENED_WITH, study_anatomy
    from analysis.study.publishing import publish_tables, write_tables
    from atlas.report.writing import write_report
    from warehouse.read import open_warehouse

    folder = out or ctx.obj / "study" / subject.value
    moment = None if as_of is None else parse_time(as_of)
    with progress_bars() as report, open_warehouse(ctx.obj, OPENED_WITH) as db:
        folder.mkdir(parents=True, exist_ok=True)  # now, not after minutes of work
        made = study_anatomy(db.cursor(), as_of=moment, seed=seed, report=report)
        files = write_tables(made, folder / "tables")
        page = write_report(made.db, folder)
    if moment is None:
        publish_tables(ctx.obj, files)
    say(f"the report is {page}; its tables and figures lie beside it")
