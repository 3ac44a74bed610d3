"""One request, taken apart: the hub it is put to, its repo, its query, its next page."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlencode

import orjson
from starlette.requests import Request
from starlette.responses import Response

from crawler.localhub.access import Refusal
from crawler.localhub.catalogue import Catalogue
from crawler.localhub.drift import Drift
from crawler.localhub.faults import Fault
from crawler.localhub.shelf import Repo


@dataclass(frozen=True)
class Hub:
    """What every answer is made from; origins are ``http://host:port`` without a slash."""

    catalogue: Catalogue
    origin: str
    cdn_origin: str
    fault: Fault
    drift: Drift


@dataclass(frozen=True)
class Ask:
    """A request about one repo; ``rest`` holds the path's segments behind the verb, decoded."""

    request: Request
    hub: Hub
    repo: Repo
    rest: list[str]


def segments(request: Request) -> list[str]:
    """The path's segments, each decoded by itself: a ref's own slash comes as %2F."""
    raw: bytes = request.scope["raw_path"]
    return [unquote(part) for part in raw.decode("latin-1").split("/") if part]


def split_revision(rest: list[str]) -> tuple[str, str]:
    """Revision and path: ``refs/pr/1`` may come as one segment or as three."""
    if not rest:
        raise Refusal(404, "Sorry, we can't find the page you are looking for.")
    width = 3 if rest[0] == "refs" and len(rest) >= 3 else 1
    return "/".join(rest[:width]), "/".join(rest[width:])


def flag(request: Request, name: str) -> bool:
    """Whether a query parameter is set: ``true``, ``True`` or ``1``."""
    return request.query_params.get(name, "").lower() in {"true", "1"}


def number(request: Request, name: str, *, default: int, least: int, most: int) -> int:
    """A whole number from the query, cut down to ``most``; `Refusal` 400 below ``least``."""
    text = request.query_params.get(name, str(default))
    if not re.fullmatch("[0-9]{1,9}", text) or int(text) < least:
        raise Refusal(400, f"Invalid {name}: {text!r} is no whole number from {least}")
    return min(int(text), most)


def choices(request: Request, name: str) -> list[str]:
    """All values of a repeated query parameter, with or without ``[]``."""
    query = request.query_params
    return [*query.getlist(name), *query.getlist(f"{name}[]")]


def link(request: Request, hub: Hub, following: dict[str, Any] | None) -> dict[str, str]:
    """The ``Link`` header to the next page, which differs in these parameters; none: last page."""
    kept = [(k, v) for k, v in request.query_params.multi_items() if k not in (following or {})]
    page = hub.origin + request.scope["raw_path"].decode("latin-1")
    here = f"{page}?{request.url.query}"
    after = f"{page}?{urlencode([*kept, *following.items()])}" if following else None
    target = hub.fault.next_link(here, after)
    return {"Link": f'<{target}>; rel="next"'} if target else {}


def json_answer(body: Any, headers: dict[str, str] | None = None) -> Response:
    """200 with a JSON body."""
    return Response(orjson.dumps(body), headers=headers, media_type="application/json")
