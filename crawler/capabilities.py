"""What an endpoint can do, asked before a sweep and said where it falls short of the Hub."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any
from urllib.parse import urlencode

from crawler.hub import Answer, NotAHub
from crawler.restraint import split_page
from crawler.run import Run

EXPAND = [
    *("author", "cardData", "config", "createdAt", "disabled", "downloads", "downloadsAllTime"),
    *("gated", "gguf", "lastModified", "library_name", "likes", "pipeline_tag", "private"),
    *("safetensors", "sha", "siblings", "tags", "trendingScore", "usedStorage", "baseModels"),
    *("evalResults", "inference", "transformersInfo", "childrenModelCount", "resourceGroup"),
]
PROBED = 100
REFUSED = frozenset({400, 422})


@dataclass(frozen=True)
class Capabilities:
    """What a listing offers.

    Attributes
    ----------
    expand
        The fields of `EXPAND` that it does not refuse; empty where it ignores the parameter.
    sorts
        Whether it sorts as asked; without that there are no incremental sweeps.
    hub_time
        The hub's own time of the first answer, UTC.
    """

    expand: list[str]
    sorts: bool
    hub_time: str


def probe(run: Run) -> Capabilities:
    """Ask an endpoint's listing a few small questions; raises `NotAHub`."""
    first = _listing(run, ["createdAt"])
    if first.status in REFUSED:
        first = _listing(run, [])
    if first.status != 200 or not first.body.lstrip().startswith(b"["):
        raise not_a_listing(run, first)
    records, _ = split_page(first.body)
    sorts = not out_of_order(records, "createdAt")
    expands = not any(record.keys() - {"_id", "id", "modelId", "createdAt"} for record in records)
    expand = _accepted(run, EXPAND) if expands else []
    _tell(run, expand, expands=expands, sorts=sorts)
    return Capabilities(expand, sorts, first.fetched_at)


def listing_path(page_size: int, expand: list[str], *, sort: str = "createdAt") -> str:
    """Path of a first page, newest first."""
    query = [("sort", sort), ("direction", "-1"), ("limit", str(page_size))]
    wide = [("expand", field) for field in expand] or [("full", "true"), ("cardData", "true")]
    return "/api/models?" + urlencode(query + wide)


def out_of_order(records: list[dict[str, Any]], key: str) -> bool:
    """Whether records that should fall by a key of times do not."""
    times = [r[key] for r in records if isinstance(r.get(key), str)]
    return any(earlier < later for earlier, later in pairwise(times))


def not_a_listing(run: Run, answer: Answer) -> NotAHub:
    """The failure that says what came instead of a listing."""
    kind = answer.headers.get("content-type", "no content type")
    return NotAHub(
        f"{run.hub.endpoint} does not list models: status {answer.status}, {kind};"
        " is it a Hub endpoint?"
    )


def _listing(run: Run, expand: list[str]) -> Answer:
    return run.hub.get(listing_path(PROBED, expand))


def _accepted(run: Run, fields: list[str]) -> list[str]:
    # Halving finds a few refused fields among many in few questions.
    if run.hub.get(listing_path(1, fields)).status not in REFUSED:
        return fields
    if len(fields) == 1:
        return []
    half = len(fields) // 2
    return _accepted(run, fields[:half]) + _accepted(run, fields[half:])


def _tell(run: Run, expand: list[str], *, expands: bool, sorts: bool) -> None:
    endpoint = run.hub.endpoint
    if not expands:
        run.say(f"{endpoint} ignores expand: records hold only what it chooses to list")
    elif refused := [field for field in EXPAND if field not in expand]:
        run.say(f"{endpoint} refuses to expand {', '.join(refused)}: these fields are missing")
    if not sorts:
        run.say(
            f"{endpoint} ignores sort: models that change while it is listed may be missed,"
            " and what changed since the last crawl cannot be asked"
        )
