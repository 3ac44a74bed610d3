"""The hub and its CDN as two ASGI applications over one shelf."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping
from urllib.parse import quote

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from crawler.localhub import file_routes, repo_routes
from crawler.localhub.access import ACCOUNTS, Refusal, no_repo, token_of, visible
from crawler.localhub.ask import Ask, Hub, json_answer, segments
from crawler.localhub.catalogue import Catalogue
from crawler.localhub.faults import FAULTS
from crawler.localhub.listing import list_models
from crawler.localhub.ratelimit import UNHURRIED, RateLimit
from crawler.localhub.shelf import Repo, Shelf

Handler = Callable[[Ask], Awaitable[Response]]

API_VERBS: dict[str, Handler] = {
    "revision": repo_routes.revision,
    "commits": repo_routes.commits,
    "refs": repo_routes.repo_refs,
    "tree": repo_routes.tree,
    "discussions": repo_routes.discussions,
}
POST_VERBS: dict[str, Handler] = {"paths-info": repo_routes.paths_info}
FILE_VERBS: dict[str, Handler] = {"resolve": file_routes.resolve, "raw": file_routes.raw}


def hub_app(
    shelf: Shelf,
    *,
    origin: str,
    cdn_origin: str,
    mode: str = "plain",
    quotas: Mapping[str, int] | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Starlette:
    """The hub's own origin.

    Parameters
    ----------
    shelf
        The repos to serve.
    origin, cdn_origin
        ``http://host:port`` of this application and of `cdn_app`, for ``Link`` and ``Location``.
    mode
        One of `FAULTS`.
    quotas
        Requests in 300 s for ``api``, ``resolvers`` and ``pages``; practically endless where
        left out.
    clock
        Seconds that only grow.

    Raises
    ------
    ShelfError
        Two repos share an id.
    """
    answers = _Answers(Hub(Catalogue(shelf), origin, cdn_origin, FAULTS[mode]))
    limits = Middleware(RateLimit, quotas={**UNHURRIED, **(quotas or {})}, clock=clock)
    rest = "/{rest:path}"
    routes = [
        Route("/api/models", answers.listing),
        Route("/api/whoami-v2", answers.whoami),
        Route("/api/models" + rest, answers.read),
        Route("/api/models" + rest, answers.write, methods=["POST"]),
        Route(rest, answers.file),
    ]
    if FAULTS[mode].html:
        routes = [Route(rest, _web_page, methods=["GET", "POST"])]
    return Starlette(routes=routes, middleware=[limits], exception_handlers=_HANDLERS)


def cdn_app(shelf: Shelf) -> Starlette:
    """The second origin, which LFS files are fetched from: ``/SHA256``."""
    content = file_routes.Cdn(shelf).content
    return Starlette(routes=[Route("/{sha256}", content)], exception_handlers=_HANDLERS)


class _Answers:
    """Finds the repo and the verb that a path names, and answers."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    async def listing(self, request: Request) -> Response:
        return await list_models(request, self._hub)

    async def whoami(self, request: Request) -> Response:
        token = token_of(request)
        if token is None:
            raise Refusal(401, "Invalid username or password.")
        name = ACCOUNTS[token]
        auth = {"type": "access_token", "accessToken": {"displayName": name, "role": "read"}}
        return json_answer({"type": "user", "name": name, "orgs": [], "auth": auth})

    async def read(self, request: Request) -> Response:
        return await self._about(
            request, segments(request)[2:], {"": repo_routes.model, **API_VERBS}
        )

    async def write(self, request: Request) -> Response:
        return await self._about(request, segments(request)[2:], POST_VERBS)

    async def file(self, request: Request) -> Response:
        path = segments(request)
        if not set(FILE_VERBS) & set(path[1:3]):
            raise _no_page()
        return await self._about(request, path, FILE_VERBS)

    async def _about(
        self, request: Request, path: list[str], verbs: Mapping[str, Handler]
    ) -> Response:
        catalogue, token = self._hub.catalogue, token_of(request)
        # Two segments first: "gpt2/refs" may be a repo, and only if it is not, a verb.
        for width in (2, 1):
            name, rest = "/".join(path[:width]), path[width:]
            repo = catalogue.repos.get(name) or catalogue.former.get(name)
            if repo is None or not visible(repo.record, token):
                continue
            if name != repo.id:
                return _moved(request, repo, rest)
            verb = rest[0] if rest else ""
            if verb not in verbs:
                raise _no_page()
            return await verbs[verb](Ask(request, self._hub, repo, rest[1:]))
        width = next((n for n in (1, 2) if n < len(path) and path[n] in verbs), 2)
        raise no_repo("/".join(path[:width]))


def _moved(request: Request, repo: Repo, rest: list[str]) -> Response:
    start = "/api/models" if request.url.path.startswith("/api/models/") else ""
    path = "/".join([start, *(quote(part, safe="") for part in (*repo.id.split("/"), *rest))])
    query = f"?{request.url.query}" if request.url.query else ""
    return RedirectResponse(path + query, 307)


def _no_page() -> Refusal:
    return Refusal(404, "Sorry, we can't find the page you are looking for.")


async def _web_page(request: Request) -> Response:
    return HTMLResponse("<!doctype html><title>Welcome</title><p>Sign in to this network.</p>")


async def _refuse(request: Request, error: Exception) -> Response:
    assert isinstance(error, Refusal)
    return error.response()


async def _refuse_route(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return Refusal(error.status_code, error.detail).response()


_HANDLERS: dict[type[Exception], Callable[[Request, Exception], Awaitable[Response]]] = {
    Refusal: _refuse,
    HTTPException: _refuse_route,
}
