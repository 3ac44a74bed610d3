"""The card facet: each repo's README.md at the revision that the listing saw.

Every listed repo is asked, also one whose file list names no README: lists lag behind
(one of the 24,179 of early 2022 did). A 404 is an answer and is stored: this repo has no card.
"""

from __future__ import annotations

from concurrent.futures import Executor, ThreadPoolExecutor
from pathlib import Path
from urllib.parse import quote

from crawler.hub import CONNECTIONS, Hub
from crawler.raw import Envelope, envelope, read_raw, write_raw
from crawler.run import Run
from crawler.state import Wanted

FACET = "card"
BATCH_SIZE = 512


def fetch_cards(run: Run) -> None:
    """Fetch all queued cards in batches, one raw file each.

    Raises what `Hub.get` raises; what a broken-off batch had fetched is stored, the rest of it
    goes back to the queue.
    """
    total = run.state.open_count(FACET)
    with ThreadPoolExecutor(CONNECTIONS, thread_name_prefix="card") as pool:
        while batch := run.state.next_batch(FACET, BATCH_SIZE):
            run.report("cards", run.tally["cards"], total)
            batch_id, wanted = batch
            path = run.raw_path(FACET, f"{batch_id:07d}")
            try:
                if not path.exists():  # else a crash came between the file and the state
                    _fetch_batch(run, pool, wanted, path)
            finally:
                statuses = [card["status"] for card in read_raw(path)] if path.exists() else []
                run.state.finish_batch(batch_id, statuses)
                run.tally["cards"] += len(statuses)
    run.report("cards", run.tally["cards"], total)


def _fetch_batch(run: Run, pool: Executor, wanted: list[Wanted], path: Path) -> None:
    answered: list[Envelope] = []
    try:
        for card in pool.map(lambda want: _fetch(run.hub, want, run.run_id), wanted):
            answered.append(card)  # noqa: PERF402 - a broken-off batch keeps what it has
    except BaseException:
        run.hub.stop()  # else the pool would wait for those that wait for their turn
        raise
    finally:
        if answered:
            write_raw(path, answered)


def _fetch(hub: Hub, want: Wanted, run_id: int) -> Envelope:
    revision = quote(want.revision, safe="")
    answer = hub.get(f"/{want.repo_id}/resolve/{revision}/README.md")
    return envelope(
        answer.body,
        facet=FACET,
        run_id=run_id,
        repo_id=want.repo_id,
        revision=want.revision,
        **answer.provenance,
    )
