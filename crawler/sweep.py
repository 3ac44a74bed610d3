"""One pass over the whole listing, sorted by creation, resumable at every page.

Raw JSON pages, never ``list_models()``: that hides the cursor and dies of one odd record.
Sorted by createdAt because no other key stands still while one pages over it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import orjson

from crawler import CrawlError
from crawler.facets import next_path, wanted_facets
from crawler.hub import NotAHub
from crawler.raw import Envelope, body_of, envelope, read_raw, write_raw
from crawler.run import Run
from crawler.state import Sweep

PAGE_SIZE = 1000
EXPAND = [
    *("author", "cardData", "config", "createdAt", "disabled", "downloads", "downloadsAllTime"),
    *("gated", "gguf", "lastModified", "library_name", "likes", "pipeline_tag", "private"),
    *("safetensors", "sha", "siblings", "tags", "trendingScore"),
]
REFUSED_AT_TIMES = ["usedStorage", "baseModels"]
LOST_CURSOR = frozenset({400, 404, 410, 422})
SAFE_ID = re.compile(r"[\w.\-]+(/[\w.\-]+)?", re.ASCII)


class CursorLoops(CrawlError):
    """The endpoint's next page is one that this sweep has fetched already."""


class ListingTruncated(CrawlError):
    """The endpoint sends full pages without a Link to the next one."""


def sweep_listing(run: Run, *, model_limit: int | None) -> Sweep:
    """Fetch what is left of the open sweep, or a whole new one; queue the facets of each repo.

    Raises `NotAHub`, `CursorLoops`, `ListingTruncated` and what `Hub.get` raises; pages that
    were stored before stay stored.
    """
    sweep = run.state.open_sweep(run.facets) or _new_sweep(run, model_limit)
    sweep.model_limit = model_limit
    while sweep.next_path is not None and not _limit_reached(sweep):
        run.report("listing", sweep.listed_count, sweep.model_limit)
        _take_page(run, sweep, sweep.next_path)
    run.state.end_sweep(sweep, "limited" if sweep.next_path else "complete")
    run.report("listing", sweep.listed_count, sweep.listed_count)
    return sweep


def is_safe_id(repo_id: object) -> bool:
    """Whether a listed id may stand in a URL: one or two plain segments, 300 characters at most.

    Wider than huggingface_hub's ``validate_repo_id``, which refuses ids that the Hub lists.
    """
    return (
        isinstance(repo_id, str)
        and len(repo_id) <= 300
        and SAFE_ID.fullmatch(repo_id) is not None
        and not {".", ".."} & set(repo_id.split("/"))
    )


def split_records(body: bytes) -> Iterator[dict[str, Any]]:
    """The records of a page; of a page that does not parse, those of its parts that do."""
    try:
        records = orjson.loads(body)
    except orjson.JSONDecodeError:
        records = list(_parsed_parts(body.decode("utf-8", "replace")))
    yield from (r for r in records if isinstance(r, dict))


def _new_sweep(run: Run, model_limit: int | None) -> Sweep:
    for expand in (EXPAND + REFUSED_AT_TIMES, EXPAND, []):
        probe = run.hub.get(_first_path(1, expand))
        if probe.status not in {400, 422}:
            first = _first_path(min(PAGE_SIZE, model_limit or PAGE_SIZE), expand)
            return run.state.start_sweep(
                first, expand=expand, model_limit=model_limit, facets=run.facets
            )
    raise NotAHub(f"{run.hub.endpoint} refuses its own listing with status {probe.status}")


def _first_path(page_size: int, expand: list[str]) -> str:
    query = [("sort", "createdAt"), ("direction", "-1"), ("limit", page_size)]
    return "/api/models?" + urlencode(query + [("expand", field) for field in expand])


def _take_page(run: Run, sweep: Sweep, page_path: str) -> None:
    if run.state.seen_page(sweep, page_path):
        run.state.end_sweep(sweep, "looped")
        raise CursorLoops(
            f"{run.hub.endpoint} loops: page {sweep.page_count + 1} of the listing is one already"
            f" fetched; {sweep.listed_count:,} models are stored"
        )
    page = _stored_page(run, sweep, page_path)
    records = list(split_records(body_of(page)))
    if page["next_path"] is None and _may_be_cut(run, sweep, len(records)):
        run.state.end_sweep(sweep, "truncated")
        raise ListingTruncated(
            f"{run.hub.endpoint} sends no Link header: its listing ends after {len(records):,}"
            " models and there is no way to the others; those are stored"
        )
    run.state.record_page(
        sweep,
        run_id=run.run_id,
        next_path=page["next_path"],
        listed=len(records),
        wanted=[
            entry
            for record in records
            if is_safe_id(record.get("id"))
            for entry in wanted_facets(record, run.facets, sweep_id=sweep.sweep_id)
        ],
    )
    run.tally["listed"] += len(records)


def _stored_page(run: Run, sweep: Sweep, page_path: str) -> Envelope:
    path = run.raw_path("model", f"{sweep.sweep_id:05d}-{sweep.page_count:06d}")
    if path.exists():  # A crash came between the file and the state: take it as fetched.
        return next(read_raw(path))
    answer = run.hub.get(page_path)
    if answer.status in LOST_CURSOR:  # a sweep that can go no further must not be resumed
        run.state.end_sweep(sweep, "refused")
    if answer.status != 200 or not answer.body.lstrip().startswith(b"["):
        kind = answer.headers.get("content-type", "no content type")
        raise NotAHub(
            f"{run.hub.endpoint} does not list models: status {answer.status}, {kind};"
            " is it a Hub endpoint?"
        )
    page = envelope(
        answer.body,
        facet="model",
        run_id=run.run_id,
        sweep_id=sweep.sweep_id,
        next_path=next_path(answer.headers.get("link", ""), run.hub.endpoint),
        **answer.provenance,
    )
    write_raw(path, [page])
    return page


def _may_be_cut(run: Run, sweep: Sweep, listed: int) -> bool:
    # A last page may be exactly full; but a page of one record of many must have a Link.
    if listed < PAGE_SIZE or sweep.page_count > 0:
        return False
    return "link" not in run.hub.get(_first_path(1, sweep.expand)).headers


def _limit_reached(sweep: Sweep) -> bool:
    return sweep.model_limit is not None and sweep.listed_count >= sweep.model_limit


def _parsed_parts(text: str) -> Iterator[Any]:
    depth, start = 0, 0
    for token in re.finditer(r'"(?:[^"\\]|\\.)*"|[\[\]{}]', text):
        if token[0] in "[{":
            depth += 1
            start = token.start() if depth == 2 else start
        elif token[0] in "]}":
            depth -= 1
            if depth == 1:
                yield from _parsed(text[start : token.end()])


def _parsed(part: str) -> Iterator[Any]:
    try:
        yield orjson.loads(part)
    except orjson.JSONDecodeError:
        return  # The page is stored as it came; the warehouse rejects this record by position.
