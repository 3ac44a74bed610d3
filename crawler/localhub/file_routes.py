"""Contents of files: ``resolve`` and ``raw`` on the hub, and the CDN behind it."""

from __future__ import annotations

import re
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import FileResponse, RedirectResponse, Response, StreamingResponse

from crawler.localhub.access import Refusal, check_files, no_entry, token_of
from crawler.localhub.ask import Ask, split_revision
from crawler.localhub.bad_files import gzip_bomb, huge_safetensors
from crawler.localhub.history import commit_at, pointer
from crawler.localhub.repo_routes import known_sha
from crawler.localhub.shelf import Repo, RepoFile, Shelf, git_blob_id

ONE_RANGE = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})")


async def resolve(ask: Ask) -> Response:
    """A small file itself, or the way to the CDN for one in LFS."""
    name, path = _checked(ask)
    fault = ask.hub.fault
    if fault.redirect_loop:
        return RedirectResponse(ask.request.scope["raw_path"].decode("latin-1"), 302)
    sha = known_sha(ask.repo, name)
    if fault.huge_header and path.endswith(".safetensors"):
        return _bytes(ask.request, huge_safetensors(), sha)
    file = _file(ask.repo, name, path)
    if fault.gzip_bomb and path == "README.md" and _takes_gzip(ask.request):
        packed = {"Content-Encoding": "gzip"} | ({"X-Repo-Commit": sha} if sha else {})
        return StreamingResponse(gzip_bomb(), headers=packed, media_type="text/plain")
    if file is None:
        return _bytes(ask.request, _card(ask.repo, path, sha), sha)
    if not file.lfs:
        return _bytes(ask.request, ask.hub.catalogue.shelf.content(file).read_bytes(), sha)
    headers = _headers(file.oid, sha) | {
        "X-Linked-Size": str(file.size),
        "X-Linked-Etag": f'"{file.sha256}"',
    }
    target = f"{ask.hub.cdn_origin}/{file.sha256}?filename={quote(path.rpartition('/')[2])}"
    return RedirectResponse(target, 302, headers)


async def raw(ask: Ask) -> Response:
    """What git holds: the file itself, or the pointer of one in LFS."""
    name, path = _checked(ask)
    sha = known_sha(ask.repo, name)
    file = _file(ask.repo, name, path)
    if file is None:
        return _bytes(ask.request, _card(ask.repo, path, sha), sha)
    content = pointer(file) if file.lfs else ask.hub.catalogue.shelf.content(file).read_bytes()
    return _bytes(ask.request, content, sha)


class Cdn:
    """The second origin: contents of LFS files by their sha256, whole or in ranges."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf
        self._files = {
            file.sha256: file
            for repo in shelf.repos
            for commit in repo.commits
            for file in commit.files.values()
            if file.lfs
        }

    async def content(self, request: Request) -> Response:
        """200, 206 or 416; 400 where a token came along, for signed URLs take none."""
        if "authorization" in request.headers:
            raise Refusal(400, "Only one auth mechanism allowed")
        file = self._files.get(request.url.path.removeprefix("/"))
        if file is None:
            raise Refusal(404, "The specified key does not exist.")
        headers = {"ETag": f'"{file.sha256}"'}
        path = self._shelf.content(file)
        return FileResponse(path, headers=headers, media_type="application/octet-stream")


def _checked(ask: Ask) -> tuple[str, str]:
    check_files(ask.repo.record, token_of(ask.request))
    return split_revision(ask.rest)


def _file(repo: Repo, name: str, path: str) -> RepoFile | None:
    commit = commit_at(repo, name)
    if commit is None or not repo.trees_known:
        return None
    if path not in commit.files:
        raise no_entry(path, commit.id)
    return commit.files[path]


def _card(repo: Repo, path: str, sha: str | None) -> bytes:
    if path != "README.md" or repo.card is None:
        raise no_entry(path, sha)
    return repo.card.encode()


def _takes_gzip(request: Request) -> bool:
    return "gzip" in request.headers.get("accept-encoding", "")


def _headers(oid: str, sha: str | None) -> dict[str, str]:
    return {"ETag": f'"{oid}"', "Accept-Ranges": "bytes"} | ({"X-Repo-Commit": sha} if sha else {})


def _bytes(request: Request, content: bytes, sha: str | None) -> Response:
    headers = _headers(git_blob_id(content), sha)
    media_type = "text/plain" if _is_text(content) else "application/octet-stream"
    span = _span(request.headers.get("range"), len(content))
    if span is None:
        return Response(content, 200, headers, media_type)
    start, stop = span
    if start >= stop:
        unsatisfiable = {"Content-Range": f"bytes */{len(content)}"}
        raise Refusal(416, "Range not satisfiable", headers=headers | unsatisfiable)
    headers["Content-Range"] = f"bytes {start}-{stop - 1}/{len(content)}"
    return Response(content[start:stop], 206, headers, media_type)


def _is_text(content: bytes) -> bool:
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return True


def _span(header: str | None, size: int) -> tuple[int, int] | None:
    """Start and stop of the asked range; None for the whole, as RFC 9110 wants of odd headers."""
    asked = ONE_RANGE.fullmatch(header or "")
    if asked is None or not any(asked.groups()):
        return None
    first, last = asked.groups()
    if not first:
        return (max(size - int(last), 0), size)
    if last and int(last) < int(first):
        return None
    return (int(first), min(int(last) + 1, size) if last else size)
