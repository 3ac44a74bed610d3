"""``/api/models/{id}…``: what the hub tells about one repo, apart from its files' contents."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs

import orjson
from starlette.responses import Response

from crawler.localhub.access import Refusal, no_entry, no_revision
from crawler.localhub.ask import Ask, flag, json_answer, link, number, split_revision
from crawler.localhub.catalogue import view
from crawler.localhub.fields import EXPANDABLE
from crawler.localhub.history import (
    Folder,
    commit_at,
    entries,
    history,
    last_change,
    pointer,
    refs,
    siblings,
)
from crawler.localhub.listing import expanded
from crawler.localhub.safety import file_status, repo_status
from crawler.localhub.shelf import Commit, Repo, RepoFile

COMMITS_PER_PAGE = 50
COMMITS_PER_PAGE_MOST = 1000
ENTRIES_PER_PAGE = 1000
EXPANDED_ENTRIES_PER_PAGE = 50
DISCUSSIONS_PER_PAGE = 10
ONLY_EXPANDED = frozenset(
    {
        *("baseModels", "childrenModelCount", "downloadsAllTime", "evalResults"),
        *("inferenceProviderMapping", "resourceGroup", "trendingScore"),
    }
)
DETAIL = tuple(sorted(EXPANDABLE - ONLY_EXPANDED))


async def model(ask: Ask) -> Response:
    """The record at main: all but the fields that only ``expand`` shows, or the expanded ones."""
    return json_answer(_detail(ask, "main"))


async def revision(ask: Ask) -> Response:
    """The record as of a revision: its sha and siblings, everything else as today."""
    return json_answer(_detail(ask, split_revision(ask.rest)[0]))


async def commits(ask: Ask) -> Response:
    """One page of the commits that a revision stands on, newest first."""
    commit = _commit(ask, split_revision(ask.rest)[0])
    past = history(ask.repo, commit)
    limit = number(
        ask.request, "limit", default=COMMITS_PER_PAGE, least=1, most=COMMITS_PER_PAGE_MOST
    )
    page = number(ask.request, "p", default=0, least=0, most=len(past))
    following = {"p": page + 1} if (page + 1) * limit < len(past) else None
    headers = link(ask.request, ask.hub, following) | {"X-Total-Count": str(len(past))}
    shown = past[page * limit : (page + 1) * limit]
    return json_answer([_commit_answer(one) for one in shown], headers)


async def repo_refs(ask: Ask) -> Response:
    """Branches, converts and tags; pull requests with ``include_prs``."""
    known = refs(ask.repo)
    if not flag(ask.request, "include_prs"):
        del known["pullRequests"]
    return json_answer(known)


async def tree(ask: Ask) -> Response:
    """One page of the entries of a folder, or of all below it with ``recursive``."""
    name, folder = split_revision(ask.rest)
    commit = _commit(ask, name)
    known = _tree_entries(ask, commit)
    if folder and not isinstance(known.get(folder), Folder):
        raise no_entry(folder, commit.id)
    start = f"{folder}/" if folder else ""
    deep = flag(ask.request, "recursive")
    paths = [p for p in known if p.startswith(start) and (deep or "/" not in p[len(start) :])]
    most = EXPANDED_ENTRIES_PER_PAGE if flag(ask.request, "expand") else ENTRIES_PER_PAGE
    limit = number(ask.request, "limit", default=most, least=1, most=most)
    left = [path for path in paths if path > ask.request.query_params.get("cursor", "")]
    following = {"cursor": left[limit - 1]} if len(left) > limit else None
    body = _entries(ask, commit, {path: known[path] for path in left[:limit]})
    return json_answer(body, link(ask.request, ask.hub, following))


async def paths_info(ask: Ask) -> Response:
    """The entries of the asked paths (form or JSON body); paths that are not there are left out."""
    commit = _commit(ask, split_revision(ask.rest)[0])
    known = _tree_entries(ask, commit)
    asked = await _asked(ask)
    found = {path: known[path] for path in asked["paths"] if path in known}
    return json_answer(_entries(ask, commit, found, expand=asked["expand"]))


async def discussions(ask: Ask) -> Response:
    """One page of discussions and pull requests; past the end the page is empty."""
    query = ask.request.query_params
    found = [
        one
        for one in ask.repo.discussions
        if query.get("type", "all") in {"all", _discussion_type(one)}
        and query.get("status", "all") in {"all", _discussion_status(one)}
        and query.get("author") in {None, one.get("author", {}).get("name")}
    ]
    page = number(ask.request, "p", default=0, least=0, most=10**9)
    start = page * DISCUSSIONS_PER_PAGE
    count = len(found) + ask.hub.fault.uncounted_discussions
    repo = {"name": ask.repo.id, "type": "model"}
    shown = [{"repo": repo, **one} for one in found[start : start + DISCUSSIONS_PER_PAGE]]
    return json_answer({"discussions": shown, "count": count, "start": start})


def known_sha(repo: Repo, name: str) -> str | None:
    """The commit that a revision means, None where it is main and no sha is known.

    Raises `Refusal` RevisionNotFound for any other name that is not known.
    """
    commit = commit_at(repo, name)
    if commit is not None:
        return commit.id
    sha = repo.record.get("sha")
    if repo.commits or name not in {"main", "refs/heads/main", sha}:
        raise no_revision(name)
    return sha


def _commit(ask: Ask, name: str) -> Commit:
    known_sha(ask.repo, name)
    commit = commit_at(ask.repo, name)
    if commit is None:
        raise no_entry(f"the history of {ask.repo.id} is not known to this hub")
    return commit


def _tree_entries(ask: Ask, commit: Commit) -> dict[str, RepoFile | Folder]:
    if not ask.repo.trees_known:
        raise no_entry(f"the files of {ask.repo.id} are not known to this hub", commit.id)
    return entries(commit)


def _detail(ask: Ask, name: str) -> dict[str, Any]:
    known_sha(ask.repo, name)
    commit = commit_at(ask.repo, name)
    record = ask.hub.catalogue.record_of(ask.repo)
    if commit is not None:
        record |= {"sha": commit.id}
    if commit is not None and ask.repo.trees_known:
        record |= {"siblings": siblings(commit, blobs=flag(ask.request, "blobs"))}
    expand = () if ask.hub.fault.fields else expanded(ask.request)
    shown = view(record, expand or DETAIL)
    if flag(ask.request, "securityStatus") and not ask.hub.fault.bare:
        shown["securityRepoStatus"] = repo_status(record)
    return shown


def _commit_answer(commit: Commit) -> dict[str, Any]:
    return {
        "id": commit.id,
        "title": commit.title,
        "message": commit.message,
        "authors": commit.authors,
        "date": commit.date,
    }


def _entries(
    ask: Ask, commit: Commit, shown: dict[str, RepoFile | Folder], *, expand: bool | None = None
) -> list[dict[str, Any]]:
    expand = flag(ask.request, "expand") if expand is None else expand
    listed = [_entry(path, entry) for path, entry in shown.items()]
    if expand:
        past = history(ask.repo, commit)
        for entry in listed:
            changed = last_change(past, entry["path"])
            entry["lastCommit"] = {"id": changed.id, "title": changed.title, "date": changed.date}
            if entry["type"] == "file":
                entry["securityFileStatus"] = file_status(ask.repo.record, entry["path"])
    return listed


def _entry(path: str, entry: RepoFile | Folder) -> dict[str, Any]:
    answer: dict[str, Any] = {"type": "directory", "oid": entry.oid, "size": 0, "path": path}
    if isinstance(entry, RepoFile):
        answer |= {"type": "file", "size": entry.size}
        if entry.lfs:
            size = len(pointer(entry))
            answer["lfs"] = {"oid": entry.sha256, "size": entry.size, "pointerSize": size}
    return answer


async def _asked(ask: Ask) -> dict[str, Any]:
    body = await ask.request.body()
    if ask.request.headers.get("content-type", "").startswith("application/json"):
        try:
            asked = orjson.loads(body)
            paths, expand = asked["paths"], bool(asked.get("expand"))
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise Refusal(400, "Invalid body: it needs paths") from error
    else:
        form = parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True)
        paths = form.get("paths", [])
        expand = form.get("expand", ["false"])[0].lower() in {"true", "1"}
    paths = paths if isinstance(paths, list) else [paths]
    return {"paths": [path for path in paths if isinstance(path, str)], "expand": expand}


def _discussion_type(one: dict[str, Any]) -> str:
    return "pull_request" if one.get("isPullRequest") else "discussion"


def _discussion_status(one: dict[str, Any]) -> str:
    return "open" if one.get("status") in {"open", "draft"} else "closed"
