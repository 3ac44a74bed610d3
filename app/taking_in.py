"""The commands that take in what lies on this machine: import."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from app.terminal import progress_bars, say

HUB = "https://huggingface.co"
Source = Annotated[Path, typer.Argument(help="What to take in.")]
Hub = Annotated[str, typer.Option(help="The hub that the records are of.")]
AsOf = Annotated[
    str | None,
    typer.Option(help="UTC time that the records tell of; the file's own where not given."),
]

taking_in = typer.Typer(
    name="import",
    help="Take in records and models that lie on this machine, by other doors than a crawl.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@taking_in.command(name="hub-stats")
def import_hub_stats(
    ctx: typer.Context, source: Source, as_of: AsOf = None, hub: Hub = HUB
) -> None:
    """Take in models.parquet of the public hub-stats dataset: a whole listing at once."""
    from crawler.importing import import_hub_stats as run_import

    with progress_bars() as report:
        _taken(run_import(ctx.obj, source, as_of=as_of, hub_name=hub, report=report, tell=say))


@taking_in.command(name="records")
def import_records(
    ctx: typer.Context,
    source: Source,
    as_of: AsOf = None,
    hub: Hub = HUB,
) -> None:
    """Take in API records (.jsonl, .jsonl.zst), bare or as {"model": …, "card": …}."""
    from crawler.importing import import_records as run_import

    with progress_bars() as report:
        _taken(run_import(ctx.obj, source, as_of=as_of, hub_name=hub, report=report, tell=say))


@taking_in.command(name="folder")
def import_folder(
    ctx: typer.Context,
    source: Source,
    owner: Annotated[str, typer.Option(help="Owner that the models are listed under.")] = "local",
) -> None:
    """Take in folders of models: configs, cards, and the headers of their weights."""
    from crawler.importing import import_folder as run_import

    with progress_bars() as report:
        _taken(run_import(ctx.obj, source, owner=owner, report=report, tell=say))


@taking_in.command(name="hf-cache")
def import_hf_cache(
    ctx: typer.Context,
    source: Annotated[
        Path | None, typer.Argument(help="The cache's folder; huggingface_hub's own if not given.")
    ] = None,
    hub: Annotated[str, typer.Option(help="The hub that the models are from.")] = HUB,
) -> None:
    """Take in what huggingface_hub has downloaded on this machine."""
    from crawler.importing import import_hf_cache as run_import

    with progress_bars() as report:
        _taken(run_import(ctx.obj, source, hub_name=hub, report=report, tell=say))


def _taken(taken: object) -> None:
    say(str(taken))
