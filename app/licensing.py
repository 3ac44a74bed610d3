"""The command ``licenses``: where a model's licence comes from, and what was dropped on the way."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import orjson
import typer

from app.terminal import printable, say


class LicenseStyle(StrEnum):
    """How an explanation is written."""

    TEXT = "text"
    JSON = "json"


def licenses(
    ctx: typer.Context,
    model: Annotated[str | None, typer.Argument(help="A repo_id.")] = None,
    style: Annotated[LicenseStyle, typer.Option("--format")] = LicenseStyle.TEXT,
    datasets: Annotated[
        Path | None,
        typer.Option(
            help="CSV of datasets' licences to put into the warehouse first: "
            "dataset_id,license[,source].",
            exists=True,
            dir_okay=False,
        ),
    ] = None,
) -> None:
    """Explain what licences ask of a model, hop by hop.

    All its ancestors along every path, what their licences ask of it, where that was first dropped,
    and what is unknown. It is advice from declared licences, no legal judgement. Datasets' licences
    are known only where they are given with --datasets; a build from scratch forgets them.
    """
    from analysis.licenses.datasets import publish_dataset_licenses
    from app import words

    if model is None and datasets is None:
        raise typer.BadParameter("name a model, or a file with --datasets")
    if datasets is not None:
        told = publish_dataset_licenses(ctx.obj, datasets)
        say(f"licences of {words.count(told, 'dataset')} from {datasets}")
    if model is not None:
        _explain(ctx.obj, model, style)


def _explain(home: Path, model: str, style: LicenseStyle) -> None:
    from analysis.licenses.chain import explain
    from app.license_text import ADVICE, license_text
    from atlas.branches import check_known
    from warehouse.read import open_warehouse

    with open_warehouse(home) as db:
        check_known(db, model)
        chain = explain(db, model)
    if style is LicenseStyle.JSON:
        told = {**chain.as_json(), "advice": ADVICE}
        sys.stdout.buffer.write(orjson.dumps(told, option=orjson.OPT_INDENT_2) + b"\n")
    else:
        sys.stdout.write("".join(printable(line) + "\n" for line in license_text(chain)))
