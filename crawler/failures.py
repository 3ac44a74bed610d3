"""What can be wrong with an answer: a closed list, each failure with what is done about it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Failure:
    """One kind of failure.

    Attributes
    ----------
    name
        What envelopes, runs and reports call it.
    meaning
        One clause for people.
    action
        ``retry`` (at once, with growing waits), ``requeue`` (by a later run), ``tombstone``,
        ``alias``, ``record`` (the answer is stored and is the answer), ``disable-facet`` (for this
        endpoint), ``quarantine`` (kept apart, asked for again) or ``stop`` (the run).
    told_by
        How a server tells it.
    """

    name: str
    meaning: str
    action: str
    told_by: str


_LIST = (
    Failure(
        "transient", "the server could not answer now", "retry", "408, 425, 5xx, broken connections"
    ),
    Failure("throttled", "too many requests", "requeue", "429"),
    Failure(
        "gone", "the repo is missing or private", "tombstone", "RepoNotFound, 410, 401 of a repo"
    ),
    Failure(
        "moved", "the repo answers under another id", "alias", "a redirect to another repo's path"
    ),
    Failure(
        "access", "the repo is there, but not for us", "record", "GatedRepo, 403, 401 where gated"
    ),
    Failure("disabled", "the hub has closed the repo", "record", "403 that says so, 451"),
    Failure("revision-missing", "the repo lacks this revision", "requeue", "404 RevisionNotFound"),
    Failure(
        "entry-missing", "the revision lacks this file", "record", "404 EntryNotFound, 404 of files"
    ),
    Failure(
        "unsupported", "the server knows no such request", "disable-facet", "400, 405, 422, 501"
    ),
    Failure("malformed", "the answer is not JSON where JSON is due", "quarantine", "200 with HTML"),
    Failure("auth", "the token is refused, or one is needed", "stop", "401 that is about no repo"),
    Failure(
        "integrity",
        "the bytes are not what was asked for",
        "quarantine",
        "short bodies, wrong ranges, broken compression, redirects that lead astray",
    ),
)

FAILURES = {failure.name: failure for failure in _LIST}


def classify(
    status: int,
    headers: Mapping[str, str],
    *,
    path: str,
    final_path: str | None = None,
    elsewhere: bool = False,
    gated: bool = False,
    json_body: bytes | None = None,
) -> str | None:
    """The name of the failure that an answer is; None where it is what was asked for.

    What is wrong with the bytes themselves (``integrity``) is seen only by who reads them.

    Parameters
    ----------
    headers
        Of the answer; looked up as they are written here, so case-insensitive ones.
    path
        That was asked for, with or without a query.
    final_path
        Where redirects ended, on the same origin; None without redirects.
    elsewhere
        Whether another origin than the endpoint answered: refusals there are about a signature
        that has run out, never about a repo.
    gated
        Whether a listing said that the repo has a gate. Then a 401 that names no error is the
        gate's, as of servers that know nothing of X-Error-Code; else the repo counts as gone.
    json_body
        The body where JSON is due. It counts as JSON by its first character: a page with one
        broken record is no failure, its other records are good.
    """
    if 200 <= status < 300:
        return _of_success(path, final_path, json_body)
    if elsewhere and status in {400, 401, 403}:
        return "transient"
    if status in {401, 403}:
        return _of_refusal(status, headers, path, gated=gated)
    if status == 404:
        return _of_absence(headers, path)
    if 300 <= status < 400:
        return "integrity"
    return _BY_STATUS.get(status) or ("transient" if status >= 500 else "unsupported")


def repo_of(path: str) -> str | None:
    """The repo id that a path is about; None where it is about none."""
    bare = path.partition("?")[0]
    for pattern in _REPO_PATHS:
        if found := pattern.match(bare):
            return found[1]
    return None


_BY_STATUS = {
    408: "transient",
    410: "gone",
    416: "integrity",
    425: "transient",
    429: "throttled",
    451: "disabled",
    501: "unsupported",
}
_BY_CODE = {
    "RepoNotFound": "gone",
    "GatedRepo": "access",
    "RevisionNotFound": "revision-missing",
    "EntryNotFound": "entry-missing",
}
_VERBS = "commits|discussions|paths-info|refs|revision|safetensors-metadata|scan|tree|treesize"
_REPO_PATHS = (
    re.compile(r"/api/resolve-cache/models/([^/]+/[^/]+|[^/]+)/[0-9a-f]{40}/"),
    re.compile(rf"/api/models/([^/]+?(?:/[^/]+?)??)(?:/(?:{_VERBS})(?:/.*)?)?/?$"),
    re.compile(r"/(?!api/)([^/]+?(?:/[^/]+?)??)/(?:resolve|raw)/"),
    re.compile(r"/api/models/([^/]+/[^/]+)/"),
)


def _of_success(path: str, final_path: str | None, json_body: bytes | None) -> str | None:
    if json_body is not None and json_body.lstrip()[:1] not in {b"[", b"{"}:
        return "malformed"
    if final_path is None:
        return None
    asked, answered = repo_of(path), repo_of(final_path)
    return "moved" if asked and answered and asked != answered else None


def _of_refusal(status: int, headers: Mapping[str, str], path: str, *, gated: bool) -> str:
    message = headers.get("x-error-message", "").lower()
    if (named := _BY_CODE.get(headers.get("x-error-code", ""))) is not None:
        return named
    if status == 403:
        return "disabled" if "disabled" in message else "access"
    # "Invalid username or password" is also what the Hub says of a repo that is not there; of a
    # token it says "Invalid credentials" (huggingface_hub's hf_raise_for_status knows both).
    if "invalid credentials" in message or not repo_of(path):
        return "auth"
    return "access" if gated else "gone"


def _of_absence(headers: Mapping[str, str], path: str) -> str:
    named = _BY_CODE.get(headers.get("x-error-code", ""))
    is_file = "/resolve/" in path or "/raw/" in path
    return named or ("entry-missing" if is_file else "gone")
