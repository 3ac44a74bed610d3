"""The commands that keep a warehouse: check it, export it, make SQL over an export."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from app.terminal import print_table, progress_bars, say


class People(StrEnum):
    """What becomes of the authors of commits and discussions."""

    PSEUDONYM = "pseudonym"
    KEEP = "keep"
    DROP = "drop"


Folder = Annotated[Path, typer.Argument(help="Folder of the export.", file_okay=False)]


def export(
    ctx: typer.Context,
    folder: Folder,
    authors: Annotated[
        People, typer.Option(help="What becomes of the authors of commits and discussions.")
    ] = People.PSEUDONYM,
    no_card_text: Annotated[
        bool, typer.Option("--no-card-text", help="Leave out the text of cards.")
    ] = False,
    local: Annotated[
        bool, typer.Option("--local", help="Models imported from this machine come along.")
    ] = False,
    replace: Annotated[
        bool, typer.Option("--replace", help="Replace an export that is there.")
    ] = False,
) -> None:
    """Write the warehouse as Parquet files with a manifest.

    DuckDB, pandas, Polars and Spark read them without hubatlas. Pseudonyms of authors stay the same
    in all exports of a home.
    """
    from warehouse.export import Authors
    from warehouse.export import export as write

    with progress_bars() as report:
        manifest = write(
            ctx.obj,
            folder,
            authors=Authors(authors.value),
            card_text=not no_card_text,
            local=local,
            replace=replace,
            report=report,
        )
    say(f"{manifest} tells what is there")


def attach(
    folder: Folder,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="A DuckDB file to be made of the export.", dir_okay=False),
    ] = None,
) -> None:
    """Print SQL that makes the relations over an export.

    Run it in any client of DuckDB. With --out, one file is written that needs nothing else.
    """
    from warehouse.attach import attach_statements, attach_to

    if out is not None:
        say(f"{attach_to(folder, out)} holds the export")
        return
    for statement in attach_statements(folder):
        sys.stdout.write(f"{statement.rstrip()};\n")


def check(
    ctx: typer.Context,
    deep: Annotated[
        bool, typer.Option("--deep", help="Read every block and every raw file, with checksums.")
    ] = False,
    of_export: Annotated[
        Path | None,
        typer.Option("--export", help="Check this export instead, file by file.", file_okay=False),
    ] = None,
) -> None:
    """Check the warehouse: grains, references, counts against raw files, the file itself.

    Exit code 1 and one line for each thing that is broken.
    """
    from warehouse.attach import check_export
    from warehouse.check import check as run_check
    from warehouse.finding import BEHIND, BROKEN

    with progress_bars() as report:
        if of_export is not None:
            findings = list(check_export(of_export))
        else:
            findings = list(run_check(ctx.obj, deep=deep, report=report))
    rows = [(found.check, found.outcome, found.detail) for found in findings]
    print_table(["check", "outcome", "detail"], rows)
    for found in findings:
        if found.outcome in {BROKEN, BEHIND}:
            say(f"{found.outcome}: {found.check}: {found.detail}")
    if any(found.outcome == BROKEN for found in findings):
        raise typer.Exit(1)
