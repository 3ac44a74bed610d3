"""Who may see what: tokens, gates, private repos, and the refusals that the Hub answers with."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

READER_TOKEN = "hf_localhub_reader"  # noqa: S105 - a name of this embedded hub, no secret
GRANTED_TOKEN = "hf_localhub_granted"  # noqa: S105
ACCOUNTS = {READER_TOKEN: "reader", GRANTED_TOKEN: "granted"}


class Refusal(Exception):
    """An answer other than what was asked for.

    Parameters
    ----------
    status
        HTTP status, 400 to 599.
    message
        One sentence for ``X-Error-Message`` and the JSON body.
    code
        ``X-Error-Code``: RepoNotFound, GatedRepo, RevisionNotFound, EntryNotFound, or none.
    headers
        Further headers of the answer.
    """

    def __init__(
        self, status: int, message: str, *, code: str = "", headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.code = code
        self.headers = headers or {}

    def response(self) -> Response:
        """The refusal as the Hub words it: a JSON body and two headers of its own."""
        # Ids come from the URL: escaped, they can neither break a header nor fail to encode;
        # a space at its end would.
        message = self.message.encode("unicode_escape").decode("ascii").strip()
        headers = {**self.headers, "X-Error-Message": message}
        if self.code:
            headers["X-Error-Code"] = self.code
        body = orjson.dumps({"error": message})
        return Response(body, self.status, headers, media_type="application/json")


def token_of(request: Request) -> str | None:
    """The token that came with a request, None without one; `Refusal` 401 where it is unknown."""
    header = request.headers.get("authorization")
    if header is None:
        return None
    token = header.removeprefix("Bearer ").strip()
    if token not in ACCOUNTS:
        raise Refusal(401, "Invalid credentials in Authorization header")
    return token


def bare_refusal(refusal: Refusal) -> Response:
    """The refusal as a server words it that knows nothing of the Hub's headers."""
    return PlainTextResponse(HTTPStatus(refusal.status).phrase, refusal.status)


def visible(record: dict[str, Any], token: str | None) -> bool:
    """Whether a repo exists for this caller: private ones do for the granted token alone."""
    return token == GRANTED_TOKEN or not record.get("private")


def check_files(record: dict[str, Any], token: str | None) -> None:
    """Raise the `Refusal` that keeps this caller from a repo's files, where one does."""
    repo_id = record["id"]
    if record.get("disabled"):
        raise Refusal(403, "Access to this resource is disabled.")
    if not record.get("gated") or token == GRANTED_TOKEN:
        return
    if token is None:
        message = f"Access to model {repo_id} is restricted. You must be authenticated to access it"
        raise Refusal(401, message, code="GatedRepo")
    message = f"Access to model {repo_id} is restricted and you are not in the authorized list"
    raise Refusal(403, message, code="GatedRepo")


def hidden_repo() -> Refusal:
    """The refusal that does not tell a missing repo from a private one."""
    return Refusal(401, "Invalid username or password.", code="RepoNotFound")


def no_repo(repo_id: str) -> Refusal:
    """The refusal for a repo that is not there, or not for this caller."""
    return Refusal(404, f"Repository not found: {repo_id}", code="RepoNotFound")


def no_revision(revision: str) -> Refusal:
    """The refusal for a branch, tag or commit that the repo lacks."""
    return Refusal(404, f"Invalid rev id: {revision}", code="RevisionNotFound")


def no_entry(path: str, commit_sha: str | None = None) -> Refusal:
    """The refusal for a file or folder that the commit lacks."""
    headers = {"X-Repo-Commit": commit_sha} if commit_sha else {}
    return Refusal(404, f"Entry not found: {path}", code="EntryNotFound", headers=headers)
