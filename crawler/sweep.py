"""One pass over the listing, whole or since the last one, resumable at every page.

Raw JSON pages, never ``list_models()``: that hides the cursor and dies of one odd record. A whole
pass is sorted by createdAt because no other key stands still while one pages over it. What changed
since a time is asked twice: by lastModified down to it, then by createdAt for ids that are new.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from crawler.capabilities import listing_path, not_a_listing, out_of_order, probe
from crawler.facets import enqueue_of, next_path
from crawler.hub import Answer
from crawler.listed import is_safe_id, listed
from crawler.raw import Envelope, body_of, envelope, read_raw, write_raw
from crawler.run import Run
from crawler.sweeps import Sweep
from crawler.times import api_time

PAGE_SIZE = 1000
LEAST_PAGE_SIZE = 10
OVERLAP = timedelta(hours=1)  # replicas lag, clocks differ
LOST_CURSOR = frozenset({400, 404, 410, 422})
TOO_LARGE = frozenset({413, 422, 504})


def sweep_listing(
    run: Run, *, since: str | None = None, model_limit: int | None = None, queued: bool = True
) -> Sweep:
    """Fetch what is left of an open sweep, or a new one; queue the facets of each repo.

    An open sweep that would not list all that is asked for is superseded by a new one.

    Parameters
    ----------
    since
        None lists everything; a UTC time lists what changed since, with an overlap.
    queued
        Whether to queue facets at all: a sample queues its own.

    Raises
    ------
    `NotAHub` and what `Hub.get` raises; pages that were stored before stay stored.
    """
    facets = run.facets if queued else ()
    sweep = _gone_on_with(run, since, facets) or _begun(run, since, model_limit, facets)
    sweep.model_limit = model_limit
    with _pages_ahead(run) as ahead:
        while sweep.next_path is not None and not _limit_reached(sweep):
            run.report("listing", sweep.listed_count, sweep.model_limit)
            if ended_by := _take_page(run, sweep, ahead):
                run.state.sweeps.end(sweep, ended_by)
                break
    if sweep.outcome is None:
        run.state.sweeps.end(sweep, "limited" if sweep.next_path else "complete")
    say_notes(run, sweep)
    run.report("listing", sweep.listed_count, sweep.listed_count)
    return sweep


def say_notes(run: Run, sweep: Sweep) -> None:
    """Say what a sweep has noted, if this run has not yet."""
    for note in sweep.notes:
        run.say(note)


@dataclass
class _Ahead:
    """The next page, asked for while the present one is stored."""

    run: Run
    pool: ThreadPoolExecutor
    path: str | None = None
    coming: Future[Answer] | None = None

    def ask(self, path: str) -> None:
        self.path, self.coming = path, self.pool.submit(self.run.hub.get, path)

    def get(self, path: str) -> Answer:
        coming = self.coming if self.path == path else None
        self.path = self.coming = None
        return coming.result() if coming else self.run.hub.get(path)


@contextmanager
def _pages_ahead(run: Run) -> Iterator[_Ahead]:
    with ThreadPoolExecutor(1, thread_name_prefix="listing") as pool:
        try:
            yield _Ahead(run, pool)
        except BaseException:
            run.hub.stop()  # else leaving would wait for a page that waits for its turn
            raise


def _gone_on_with(run: Run, since: str | None, facets: tuple[str, ...]) -> Sweep | None:
    sweep = run.state.sweeps.latest()
    if sweep is None or sweep.outcome is not None:
        return None
    which = f"the {sweep.kind} listing begun at {sweep.begun_at}"
    if not _lists_since(sweep, since):
        run.say(f"{which} is given up: it would not list all that is asked for now")
        run.state.sweeps.end(sweep, "superseded")
        return None
    run.say(f"going on with {which}, {sweep.listed_count:,} models so far")
    say_notes(run, sweep)
    if missing := [name for name in facets if name not in sweep.facets]:
        run.state.sweeps.queue_listed(sweep, enqueue_of(missing, sweep.sweep_id))
    return sweep


def _lists_since(sweep: Sweep, since: str | None) -> bool:
    if sweep.since_at is None:
        return True
    return since is not None and sweep.since_at <= _with_overlap(since)


def _begun(run: Run, since: str | None, model_limit: int | None, facets: tuple[str, ...]) -> Sweep:
    told = len(run.notes)
    can = probe(run)
    since = since if can.sorts else None
    sort = "lastModified" if since else "createdAt"
    size = min(PAGE_SIZE, model_limit or PAGE_SIZE)
    return run.state.sweeps.start(
        "incremental" if since else "full",
        listing_path(size, can.expand, sort=sort),
        endpoint=run.hub.endpoint,
        watermark_at=can.hub_time,
        since_at=_with_overlap(since) if since else None,
        expand=can.expand,
        model_limit=model_limit,
        facets=facets,
        notes=run.notes[told:],
    )


def _note(run: Run, sweep: Sweep, sentence: str) -> None:
    """Say something of this listing, and keep it with the sweep."""
    run.say(sentence)
    if sentence not in sweep.notes:
        sweep.notes.append(sentence)


def _take_page(run: Run, sweep: Sweep, ahead: _Ahead) -> str | None:
    """Store one page and move past it; how the sweep has ended, where it has before its end."""
    path = str(sweep.next_path)
    if run.state.sweeps.seen_page(sweep, path):
        return _looped(run, sweep, sweep.page_count + 1, "is one already fetched")
    page, records = _stored_page(run, sweep, path, ahead)
    following = _following(sweep, path, page, records)
    if following and not _limit_reached(sweep, len(records)):
        ahead.ask(following)
    cut = following is None and _is_cut(run, sweep, path, len(records))
    enough = _limit_reached(sweep, len(records))
    if cut and not enough:
        _note(
            *(run, sweep),
            f"{run.hub.endpoint} sends no Link header: its listing ends after {len(records):,}"
            " models and there is no way to the others; those are stored",
        )
    if sweep.kind == "full" and out_of_order(records, "createdAt"):
        unsure = f"{run.hub.endpoint} lists out of order: models may be missing or listed twice"
        _note(run, sweep, unsure)
    taken = run.state.sweeps.record_page(
        sweep,
        run_id=run.run_id,
        next_path=following,
        listed=[listed(record) for record in records if is_safe_id(record.get("id"))],
        enqueue=enqueue_of(sweep.facets, sweep.sweep_id),
    )
    run.tally.update(taken._asdict())
    # A cursor may be new each time and yet lead in a circle, for ever.
    if sweep.kind == "full" and records and not taken.listed and following:
        return _looped(run, sweep, sweep.page_count, "has nothing but models of earlier pages")
    if cut:
        return "limited" if enough else "truncated"
    return None


def _looped(run: Run, sweep: Sweep, page: int, what: str) -> str:
    _note(
        *(run, sweep),
        f"{run.hub.endpoint} loops: page {page} of the listing {what};"
        f" {sweep.listed_count:,} models are stored, the others are missing",
    )
    return "looped"


def _stored_page(
    run: Run, sweep: Sweep, path: str, ahead: _Ahead
) -> tuple[Envelope, list[dict[str, Any]]]:
    target = run.raw_path("model", f"{sweep.sweep_id:05d}-{sweep.page_count:06d}")
    if target.exists():  # A crash came between the file and the state: take it as fetched.
        page = next(read_raw(target))
        return page, run.restraint.sifted(body_of(page))[1]
    answer = _asked(run, sweep, path, ahead)
    body, records, withheld = run.restraint.sifted(answer.body)
    page = envelope(
        body,
        facet="model",
        run_id=run.run_id,
        sweep_id=sweep.sweep_id,
        next_path=next_path(answer.headers.get("link", ""), run.hub.endpoint),
        withheld=withheld,
        **answer.provenance,
    )
    write_raw(target, [page])
    return page, records


def _asked(run: Run, sweep: Sweep, path: str, ahead: _Ahead) -> Answer:
    answer = ahead.get(path)
    while answer.status in TOO_LARGE and (smaller := _smaller(path)):
        smaller_pages = f"{run.hub.endpoint} cannot list so much at once: asking for smaller pages"
        _note(run, sweep, smaller_pages)
        path = smaller
        answer = run.hub.get(path)
    if answer.status == 200 and answer.body.lstrip().startswith(b"["):
        return answer
    failure = not_a_listing(run, answer)
    if answer.status in LOST_CURSOR:  # a sweep that can go no further must not be resumed
        sweep.notes.append(str(failure))
        run.state.sweeps.end(sweep, "refused")
    raise failure


def _smaller(path: str) -> str | None:
    size = _size(path)
    half = max(size // 2, LEAST_PAGE_SIZE)
    return re.sub(r"limit=\d+", f"limit={half}", path) if half < size else None


def _following(
    sweep: Sweep, path: str, page: Envelope, records: list[dict[str, Any]]
) -> str | None:
    """The next page; of an incremental sweep, only as far back as it has to look."""
    after: str | None = page["next_path"]
    if sweep.since_at is None:
        return after
    by_change = "sort=lastModified" in path
    key = "lastModified" if by_change else "createdAt"
    oldest = min((r[key] for r in records if isinstance(r.get(key), str)), default="")
    if after is not None and oldest >= sweep.since_at:
        return after
    return listing_path(_size(path), sweep.expand) if by_change else None


def _size(path: str) -> int:
    return int(re.search(r"limit=(\d+)", path)[1])  # type: ignore[index]


def _is_cut(run: Run, sweep: Sweep, path: str, count: int) -> bool:
    # A last page may be exactly full; but a page of one record of many must have a Link.
    if count < _size(path) or sweep.page_count > 0 or sweep.kind != "full":
        return False
    return "link" not in run.hub.get(listing_path(1, sweep.expand)).headers


def _limit_reached(sweep: Sweep, more: int = 0) -> bool:
    return sweep.model_limit is not None and sweep.listed_count + more >= sweep.model_limit


def _with_overlap(since: str) -> str:
    return api_time(datetime.fromisoformat(since) - OVERLAP)
