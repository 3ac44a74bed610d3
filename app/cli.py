"""The command line: one verb a command, data on stdout, everything else on stderr."""

from __future__ import annotations

import errno
import sqlite3
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import orjson
import typer

from analysis import AnalysisError
from app import (
    AppError,
    asking,
    describing,
    impacting,
    keeping,
    licensing,
    mining,
    queries,
    studying,
)
from app.building import built
from app.terminal import progress_bars, say
from atlas import AtlasError
from crawler import CrawlError
from warehouse import WarehouseError

ERRORS = (CrawlError, WarehouseError, AnalysisError, AtlasError, AppError)
STATE_ERRORS = ("SQLITE_FULL", "SQLITE_IOERR", "SQLITE_READONLY", "SQLITE_CANTOPEN")
DISK_ERRORS = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.EFBIG}
cli = typer.Typer(
    name="hubatlas",
    help="Mine a model hub into DuckDB, read its family trees, and walk them in an atlas.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


class TreeStyle(StrEnum):
    """How a tree is written."""

    TEXT = "text"
    JSON = "json"


Home = Annotated[
    Path,
    typer.Option(
        "--home",
        envvar="HUBATLAS_HOME",
        help="Folder of the crawl and the warehouse.",
        file_okay=False,
    ),
]


def main() -> None:
    """Run the command line; a failure that the user can act on is one line and exit code 1."""
    try:
        cli()
    except ERRORS as failure:
        say(f"hubatlas: {failure}")
        sys.exit(1)
    except OSError as failure:  # the disk is full, the home cannot be written, …
        if failure.filename is None and failure.errno not in DISK_ERRORS:
            raise
        say(f"hubatlas: {failure.filename or 'the disk'}: {failure.strerror}")
        sys.exit(1)
    except RuntimeError as failure:
        # So DuckDB tells that Ctrl-C came amid a query.
        if "Query interrupted" not in str(failure):
            raise
        say("stopped")
        sys.exit(130)
    except sqlite3.OperationalError as failure:
        if not failure.sqlite_errorname.startswith(STATE_ERRORS):
            raise
        say(f"hubatlas: the crawl's state cannot be written: {failure}")
        sys.exit(1)


@cli.callback()
def _home(ctx: typer.Context, home: Home = Path("hub")) -> None:
    ctx.obj = home


cli.command()(mining.crawl)
cli.add_typer(mining.taking_in)


@cli.command()
def build(
    ctx: typer.Context,
    from_scratch: Annotated[
        bool, typer.Option("--from-scratch", help="Read all raw files again.")
    ] = False,
) -> None:
    """Build the warehouse from the raw files and publish it."""
    with progress_bars() as report:
        told = built(ctx.obj, from_scratch=from_scratch, report=report)
    say(told)


cli.command()(asking.sql)


@cli.command()
def status(ctx: typer.Context) -> None:
    """Show runs, failures, counts, rejects, freshness."""
    from app.status import print_status

    print_status(ctx.obj)


@cli.command()
def tree(
    ctx: typer.Context,
    model: Annotated[str, typer.Argument(help="A repo_id.")],
    up: Annotated[bool, typer.Option("--up", help="Its ancestors only.")] = False,
    down: Annotated[bool, typer.Option("--down", help="Its descendants only.")] = False,
    depth: Annotated[int, typer.Option(min=1, help="Edges to walk at most.")] = 50,
    style: Annotated[TreeStyle, typer.Option("--format")] = TreeStyle.TEXT,
) -> None:
    """Show where a model comes from and what was made of it."""
    from app.tree_text import tree_text
    from atlas.branches import Branch, lineage
    from warehouse.read import open_warehouse

    shown: dict[str, Branch] = {}
    with open_warehouse(ctx.obj) as db:
        if up or not down:
            shown["ancestors"] = lineage(db, model, direction="up", depth=depth)
        if down or not up:
            shown["descendants"] = lineage(db, model, direction="down", depth=depth)
    if style is TreeStyle.JSON:
        plain = {name: branch.as_json() for name, branch in shown.items()}
        sys.stdout.buffer.write(orjson.dumps(plain, option=orjson.OPT_INDENT_2) + b"\n")
    else:
        sys.stdout.write(tree_text(shown))


@cli.command()
def serve(
    source: Annotated[
        Path, typer.Argument(help="A recording (.jsonl, .jsonl.zst) or a hub folder.")
    ],
    port: Annotated[int, typer.Option(help="0 takes a free one.")] = 8090,
) -> None:
    """Serve a hub on loopback, to be crawled.

    This is the other end of a crawl; the pages to look at are `hubatlas app`.
    """
    from crawler.localhub.running import serve as run_hub

    run_hub(
        source,
        port=port,
        on_ready=lambda endpoint: say(
            f"serving {source} on {endpoint}; try: hubatlas crawl --endpoint {endpoint}"
        ),
    )


@cli.command()
def app(
    ctx: typer.Context, port: Annotated[int, typer.Option(help="Port of the atlas.")] = 8501
) -> None:
    """Open the atlas, pages in a browser.

    They are on http://localhost:PORT.
    """
    from app.serve import serve_app

    serve_app(ctx.obj, port=port)


@cli.command()
def demo(
    folder: Annotated[Path, typer.Option(help="Where the demo lives.")] = Path("demo"),
    port: Annotated[int, typer.Option(help="Port of the atlas.")] = 8501,
    no_app: Annotated[bool, typer.Option("--no-app", help="Stop before serving pages.")] = False,
    keep_hub: Annotated[
        bool, typer.Option("--keep-hub", help="Leave the embedded hub up beside the atlas.")
    ] = False,
) -> None:
    """Show it all on a zoo of small models.

    Trains the zoo, serves it as a hub, crawls it, builds the warehouse and opens the atlas; what
    is there from an earlier run is used again.
    """
    from app.demo import run_demo

    run_demo(folder, port=port, open_app=not no_app, keep_hub=keep_hub)


cli.command()(describing.describe)
cli.command()(queries.query)
cli.command()(studying.study)
cli.command()(impacting.impact)
cli.command()(licensing.licenses)
cli.command()(mining.schedule)
cli.command()(mining.forget)
cli.command()(keeping.check)
cli.command()(keeping.export)
cli.command()(keeping.attach)

if __name__ == "__main__":
    main()
