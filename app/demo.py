"""The demo: a zoo, its hub, a crawl, a warehouse and the atlas, each reused when it is there."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from analysis.lineage import derive_lineage
from app.terminal import Report, progress_bars
from crawler.crawl import crawl
from crawler.localhub.running import running
from crawler.runs import past_runs
from warehouse.build import build, is_current

HUB_NAME = "zoo"


def run_demo(folder: Path, *, port: int, open_app: bool, keep_hub: bool) -> None:
    """Make what is missing under ``folder`` (``zoo/`` and the home ``hub/``), then open the atlas.

    Ports are looked at first, so that a busy one does not cost the user the wait.
    """
    from app.serve import check_port, serve_app

    if open_app:
        check_port(port)
    zoo, home = folder / "zoo", folder / "hub"
    with ExitStack() as running_hub:
        with progress_bars() as report, _told_when_stopped():
            _grow_zoo(zoo, report)
            if keep_hub or not _is_crawled(home):
                endpoint = running_hub.enter_context(running(zoo / "hub"))
                if keep_hub:
                    _say(f"the embedded hub stays up on {endpoint}")
            if not _is_crawled(home):
                crawl(home, endpoint=endpoint, hub_name=HUB_NAME, report=report)
            if not keep_hub:
                running_hub.close()
            if not is_current(home):
                build(home, derive=derive_lineage, report=report)
        _say(f"try: {sys.argv[0]} --home {home} tree digitlab/glyph-tiny")
        if open_app:
            serve_app(home, port=port)


@contextmanager
def _told_when_stopped() -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt:
        _say("stopped; the next run uses what is finished (a zoo in training begins anew)")
        raise


def _grow_zoo(zoo: Path, report: Report) -> None:
    if zoo.exists():
        return
    from crawler.localhub.zoo import build_zoo

    build_zoo(zoo, on_step=lambda done, total, label: report("training the zoo", done, total))


def _is_crawled(home: Path) -> bool:
    runs = past_runs(home, most=1)
    return bool(runs) and runs[0]["outcome"] == "complete"


def _say(sentence: str) -> None:
    sys.stderr.write(sentence + "\n")
