"""The hub and its CDN as two ASGI applications over one shelf."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from crawler.localhub import file_routes, repo_routes
from crawler.localhub.access import (
    ACCOUNTS,
    Refusal,
    bare_refusal,
    hidden_repo,
    no_repo,
    token_of,
    visible,
)
from crawler.localhub.ask import Ask, Hub, json_answer, segments
from crawler.localhub.catalogue import Catalogue
from crawler.localhub.drift import Drift
from crawler.localhub.faults import FAULTS, Fault
from crawler.localhub.listing import list_models
from crawler.localhub.ratelimit import UNHURRIED, WINDOW_SECONDS, RateLimit
from crawler.localhub.shelf import Repo, Shelf
from crawler.localhub.spoilers import Dice
from crawler.localhub.tensor_routes import safetensors_metadata

Verb = Callable[[Ask], Awaitable[Response]]

RECORD_VERBS: dict[str, Verb] = {"": repo_routes.model, "revision": repo_routes.revision}
API_VERBS: dict[str, Verb] = {
    **RECORD_VERBS,
    "commits": repo_routes.commits,
    "refs": repo_routes.repo_refs,
    "tree": repo_routes.tree,
    "discussions": repo_routes.discussions,
    "safetensors-metadata": safetensors_metadata,
}
POST_VERBS: dict[str, Verb] = {"paths-info": repo_routes.paths_info}
FILE_VERBS: dict[str, Verb] = {"resolve": file_routes.resolve, "raw": file_routes.raw}


def hub_app(
    shelf: Shelf,
    *,
    origin: str,
    cdn_origin: str,
    mode: str = "plain",
    quotas: Mapping[str, int] | None = None,
    window_s: int = WINDOW_SECONDS,
    dice: Dice | None = None,
    times: int = 1,
    clock: Callable[[], float] = time.monotonic,
) -> ASGIApp:
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
        Requests in one window for ``api``, ``resolvers`` and ``pages``; practically endless where
        left out.
    window_s
        Length of a window in seconds.
    dice
        What the modes that go by chance depend on.
    times
        How many times over every repo is there; see `Catalogue`.
    clock
        Seconds that only grow.

    Raises
    ------
    ShelfError
        Two repos share an id.
    """
    fault, dice = FAULTS[mode], dice or Dice()
    catalogue = Catalogue(shelf, times=times)
    answers = _Answers(Hub(catalogue, origin, cdn_origin, fault, Drift(dice.seed)))
    app: ASGIApp = _Application(_web_page if fault.html else answers.answer, bare=fault.bare)
    if fault.within_quota:
        app = fault.spoiler(app, dice)
    app = RateLimit(
        app,
        quotas={**UNHURRIED, **(quotas or {})},
        clock=clock,
        window_s=window_s,
        told=not fault.bare,
    )
    return app if fault.within_quota else fault.spoiler(app, dice)


def cdn_app(shelf: Shelf, *, mode: str = "plain", dice: Dice | None = None) -> ASGIApp:
    """The second origin, which LFS files are fetched from: ``/SHA256``."""
    return FAULTS[mode].spoiler(_Application(file_routes.Cdn(shelf).content), dice or Dice())


class _Application:
    """From a request to its answer and nothing more: a framework's layers cost half the speed."""

    def __init__(
        self, answer: Callable[[Request], Awaitable[Response]], *, bare: bool = False
    ) -> None:
        self._answer = answer
        self._refuse = bare_refusal if bare else Refusal.response

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, in ASGI's terms."""
        try:
            response = await self._answer(Request(scope, receive))
        except Refusal as refusal:
            response = self._refuse(refusal)
        await response(scope, receive, send)


class _Answers:
    """Finds the repo and the verb that a path names, and answers."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._api_verbs, self._post_verbs = _verbs(hub.fault)

    async def answer(self, request: Request) -> Response:
        """The answer to any request."""
        path, is_post = segments(request), request.method == "POST"
        if request.method not in {"GET", "HEAD", "POST"}:
            raise Refusal(405, "Method Not Allowed")
        if path[:2] == ["api", "models"] and len(path) > 2:
            verbs = self._post_verbs if is_post else self._api_verbs
            return await self._about(request, path[2:], verbs)
        if is_post:
            raise Refusal(405, "Method Not Allowed")
        if path == ["api", "models"]:
            return await list_models(request, self._hub)
        if path == ["api", "whoami-v2"]:
            return _whoami(request)
        if not set(FILE_VERBS) & set(path[1:3]):
            raise _no_page()
        return await self._about(request, path, FILE_VERBS)

    async def _about(
        self, request: Request, path: list[str], verbs: Mapping[str, Verb]
    ) -> Response:
        token = token_of(request)
        # Two segments first: "gpt2/refs" may be a repo, and only if it is not, a verb.
        for width in (2, 1):
            name, rest = "/".join(path[:width]), path[width:]
            repo = self._hub.catalogue.find(name)
            if repo is None or not visible(repo.record, token):
                continue
            if name != repo.id:
                return _moved(request, repo, rest)
            verb = rest[0] if rest else ""
            if verb not in verbs:
                raise _no_page()
            return await verbs[verb](Ask(request, self._hub, repo, rest[1:]))
        if self._hub.fault.hide_missing and token is None:
            raise hidden_repo()
        width = next((n for n in (1, 2) if n < len(path) and path[n] in verbs), 2)
        raise no_repo("/".join(path[:width]))


def _verbs(fault: Fault) -> tuple[Mapping[str, Verb], Mapping[str, Verb]]:
    return (RECORD_VERBS, {}) if fault.bare else (API_VERBS, POST_VERBS)


def _whoami(request: Request) -> Response:
    token = token_of(request)
    if token is None:
        raise Refusal(401, "Invalid username or password.")
    name = ACCOUNTS[token]
    auth = {"type": "access_token", "accessToken": {"displayName": name, "role": "read"}}
    return json_answer({"type": "user", "name": name, "orgs": [], "auth": auth})


def _moved(request: Request, repo: Repo, rest: list[str]) -> Response:
    start = "/api/models" if request.url.path.startswith("/api/models/") else ""
    path = "/".join([start, *(quote(part, safe="") for part in (*repo.id.split("/"), *rest))])
    query = f"?{request.url.query}" if request.url.query else ""
    return RedirectResponse(path + query, 307)


def _no_page() -> Refusal:
    return Refusal(404, "Sorry, we can't find the page you are looking for.")


async def _web_page(request: Request) -> Response:
    return HTMLResponse("<!doctype html><title>Welcome</title><p>Sign in to this network.</p>")
