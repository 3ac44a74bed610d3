"""``GET /api/models``: the list of repos, filtered, sorted, page by page along a keyset."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from itertools import islice
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response

from crawler.localhub.access import Refusal, token_of, visible
from crawler.localhub.ask import Hub, choices, flag, link, number
from crawler.localhub.catalogue import SORTABLE, SortKey, sort_key

LIMIT = 1000
EXPANDABLE = frozenset(
    {
        *("author", "baseModels", "cardData", "childrenModelCount"),
        *("config", "createdAt", "disabled", "downloads"),
        *("downloadsAllTime", "evalResults", "gated", "gguf"),
        *("inference", "inferenceProviderMapping", "lastModified", "library_name"),
        *("likes", "mask_token", "model-index", "pipeline_tag"),
        *("private", "resourceGroup", "safetensors", "sha"),
        *("siblings", "spaces", "tags", "transformersInfo"),
        *("trendingScore", "usedStorage", "widgetData"),
    }
)
BASIC = (
    *("likes", "trendingScore", "private", "downloads", "tags"),
    *("pipeline_tag", "library_name", "createdAt"),
)
FULL = (*BASIC, "author", "gated", "disabled", "lastModified", "sha", "siblings")

Filter = Callable[[dict[str, Any]], bool]


async def list_models(request: Request, hub: Hub) -> Response:
    """Answer one page; `Refusal` 400 for a sort, expand, limit or cursor that cannot be served."""
    query = request.query_params
    key = query.get("sort", "trendingScore")
    if key not in SORTABLE:
        raise Refusal(400, f"Invalid sort: {key!r}, it is one of {', '.join(sorted(SORTABLE))}")
    fields = list_fields(request, refused=hub.fault.refused_expands)
    limit = number(request, "limit", default=LIMIT, least=1, most=LIMIT)
    cursor = read_cursor(query["cursor"], key) if "cursor" in query else None
    records = hub.catalogue.records
    numbers = hub.catalogue.order(key).after(cursor, descending=query.get("direction") != "1")
    wanted = filters(request)
    if wanted:
        numbers = (n for n in numbers if all(keep(records[n]) for keep in wanted))
    page = list(islice(numbers, limit + 1))
    more = len(page) > limit
    following = {"cursor": write_cursor(records[page[limit - 1]], key)} if more else None
    body = hub.catalogue.encoded(page[:limit], fields)
    return Response(body, headers=link(request, hub, following), media_type="application/json")


def list_fields(request: Request, *, refused: frozenset[str] = frozenset()) -> tuple[str, ...]:
    """Which fields a list shows: the expanded ones, else basic or full, cardData and config."""
    expand = expanded(request, refused=refused)
    if expand:
        return expand
    fields = FULL if flag(request, "full") else BASIC
    return fields + tuple(name for name in ("cardData", "config") if flag(request, name))


def expanded(request: Request, *, refused: frozenset[str] = frozenset()) -> tuple[str, ...]:
    """The ``expand`` values of a query; `Refusal` 400 names the ones that are not known."""
    expand = tuple(dict.fromkeys(choices(request, "expand")))
    unknown = [name for name in expand if name not in EXPANDABLE or name in refused]
    if unknown:
        raise Refusal(400, f"Invalid expand: {', '.join(unknown)}")
    return expand


def write_cursor(record: dict[str, Any], key: str) -> str:
    """The place behind a record, as urlsafe base64 of ``{key: value or null, "_id": …}``."""
    _, value, record_id = sort_key(record, key)
    return urlsafe_b64encode(orjson.dumps({key: value, "_id": record_id})).decode()


def read_cursor(cursor: str, key: str) -> SortKey:
    """The place that `write_cursor` wrote; `Refusal` 400 where it is none for this sort key."""
    try:
        written = orjson.loads(urlsafe_b64decode(cursor))
    except ValueError as error:
        raise Refusal(400, "Invalid cursor") from error
    if not isinstance(written, dict) or written.keys() != {key, "_id"}:
        raise Refusal(400, f"Invalid cursor for sort {key!r}")
    place = sort_key(written, key)
    if place[1] != written[key] or not isinstance(place[2], str):
        raise Refusal(400, f"Invalid cursor for sort {key!r}")
    return place


def filters(request: Request) -> list[Filter]:
    """What a record must satisfy for this query; empty where every record is listed."""
    query = request.query_params
    wanted: list[Filter] = []
    token = token_of(request)
    wanted.append(lambda record: visible(record, token))
    if author := query.get("author"):
        wanted.append(lambda record: _author(record) == author)
    if search := query.get("search", "").lower():
        wanted.append(lambda record: search in record["id"].lower())
    if tags := choices(request, "filter"):
        wanted.append(lambda record: _labels(record).issuperset(tags))
    if task := query.get("pipeline_tag"):
        wanted.append(lambda record: record.get("pipeline_tag") == task)
    if "gated" in query:
        gated = flag(request, "gated")
        wanted.append(lambda record: bool(record.get("gated")) == gated)
    return wanted


def _author(record: dict[str, Any]) -> Any:
    owner, slash, _ = record["id"].partition("/")
    return record.get("author", owner if slash else None)


def _labels(record: dict[str, Any]) -> set[Any]:
    tags = record.get("tags") or []
    return {*tags, record.get("pipeline_tag"), record.get("library_name")}
