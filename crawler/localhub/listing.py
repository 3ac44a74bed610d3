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
from crawler.localhub.catalogue import NUMBERS, SORTABLE, Cursor
from crawler.localhub.faults import Fault
from crawler.localhub.fields import BASIC, EXPANDABLE, FULL

LIMIT = 1000

Filter = Callable[[dict[str, Any]], bool]


async def list_models(request: Request, hub: Hub) -> Response:
    """Answer one page; `Refusal` 400 for a sort, expand, limit or cursor that cannot be served."""
    query, catalogue = request.query_params, hub.catalogue
    key = hub.fault.order or _asked_order(request)
    fields = hub.fault.fields or list_fields(request, refused=hub.fault.refused_expands)
    limit = _page_size(request, hub.fault)
    cursor = read_cursor(query["cursor"], key) if "cursor" in query else None
    if hub.fault.moving and cursor is not None:
        hub.drift.move(catalogue)
    places = catalogue.order(key).after(cursor, descending=_is_descending(request, hub.fault))
    wanted = filters(request)
    records, times = catalogue.records, catalogue.times
    found = (p for p in places if all(keep(records[p // times]) for keep in wanted))
    page = list(islice(found, limit + 1))
    more = len(page) > limit
    last = catalogue.cursor(page[limit - 1], key) if more else None
    following = None if last is None else {"cursor": write_cursor(last, key)}
    body = catalogue.encoded(page[:limit], fields)
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


def write_cursor(cursor: Cursor, key: str) -> str:
    """A place in an order, as urlsafe base64 of ``{key: value or null, "_id": …, "copy": k}``.

    ``copy`` is left out for an original.
    """
    (_, value, record_id), copy = cursor
    written = {key: value, "_id": record_id} | ({"copy": copy} if copy else {})
    return urlsafe_b64encode(orjson.dumps(written)).decode()


def read_cursor(cursor: str, key: str) -> Cursor:
    """The place that `write_cursor` wrote; `Refusal` 400 where it is none for this sort key."""
    try:
        written = orjson.loads(urlsafe_b64decode(cursor))
    except ValueError as error:
        raise Refusal(400, "Invalid cursor") from error
    copy = written.pop("copy", 0) if isinstance(written, dict) else None
    if not isinstance(copy, int) or copy < 0 or written.keys() != {key, "_id"}:
        raise Refusal(400, f"Invalid cursor for sort {key!r}")
    usable = isinstance(written[key], (int, float) if key in NUMBERS else str)
    if not (usable or written[key] is None) or not isinstance(written["_id"], str):
        raise Refusal(400, f"Invalid cursor for sort {key!r}")
    return (int(usable), written[key], written["_id"]), copy


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


def _asked_order(request: Request) -> str:
    key = request.query_params.get("sort", "trendingScore")
    if key not in SORTABLE:
        raise Refusal(400, f"Invalid sort: {key!r}, it is one of {', '.join(sorted(SORTABLE))}")
    return key


def _is_descending(request: Request, fault: Fault) -> bool:
    return fault.order is not None or request.query_params.get("direction") != "1"


def _page_size(request: Request, fault: Fault) -> int:
    default = min(LIMIT, fault.most_a_page)
    limit = number(request, "limit", default=default, least=1, most=LIMIT)
    if fault.over_most is not None and limit > fault.most_a_page:
        raise Refusal(fault.over_most, f"limit={limit} is too large for this server")
    return limit


def _author(record: dict[str, Any]) -> Any:
    owner, slash, _ = record["id"].partition("/")
    return record.get("author", owner if slash else None)


def _labels(record: dict[str, Any]) -> set[Any]:
    tags = record.get("tags") or []
    return {*tags, record.get("pipeline_tag"), record.get("library_name")}
