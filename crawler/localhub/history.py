"""Reading a repo's commits: which one a revision means, and the tree that it leaves behind."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from crawler.localhub.shelf import Commit, Repo, RepoFile

POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:{}\nsize {}\n"
REF_KINDS = ("branches", "tags", "converts", "pullRequests")


@dataclass(frozen=True)
class Folder:
    """A folder of a tree: its git tree id."""

    oid: str


def head(repo: Repo) -> Commit | None:
    """The newest commit on main, None where the history is unknown."""
    return commit_at(repo, "main")


def commit_at(repo: Repo, revision: str) -> Commit | None:
    """The commit that a branch, tag, full ref or commit id means; None where there is none."""
    targets = {
        name: ref["targetCommit"]
        for listed in refs(repo).values()
        for ref in listed
        for name in (ref["ref"], ref["name"])
    }
    wanted = targets.get(revision, revision)
    if wanted == "main" and repo.commits:
        return repo.commits[0]
    return next((commit for commit in repo.commits if commit.id == wanted), None)


def history(repo: Repo, commit: Commit) -> list[Commit]:
    """The commit and all older ones, newest first."""
    return repo.commits[repo.commits.index(commit) :]


def refs(repo: Repo) -> dict[str, list[dict[str, str]]]:
    """Refs as ``/refs`` answers them; main alone where the shelf names none but a sha is known."""
    known = {kind: list(repo.refs.get(kind, [])) for kind in REF_KINDS}
    target = repo.commits[0].id if repo.commits else repo.record.get("sha")
    if not known["branches"] and target:
        main = {"name": "main", "ref": "refs/heads/main", "targetCommit": target}
        known["branches"] = [main]
    return known


def siblings(commit: Commit, *, blobs: bool = False) -> list[dict[str, Any]]:
    """Files of a commit as a record lists them; ``blobs`` adds size (bytes), git id and LFS."""
    return [
        {"rfilename": path, **(_blob(file) if blobs else {})}
        for path, file in sorted(commit.files.items())
    ]


def pointer(file: RepoFile) -> bytes:
    """The LFS pointer that git holds in place of a large file."""
    return POINTER.format(file.sha256, file.size).encode()


def entries(commit: Commit) -> dict[str, RepoFile | Folder]:
    """All files and folders of a commit by path, sorted; folder ids are git's tree ids."""
    children: dict[str, dict[str, RepoFile | Folder]] = {"": {}}
    for path, file in commit.files.items():
        children.setdefault(_parent(path), {})[path] = file
        for folder in _ancestors(path):
            children.setdefault(folder, {})
    # Deepest first: a folder's id is a hash over its children's ids.
    for folder in sorted(children, key=lambda path: -path.count("/")):
        if folder:
            children[_parent(folder)][folder] = Folder(_tree_id(children[folder]))
    flat = {path: entry for inside in children.values() for path, entry in inside.items()}
    return dict(sorted(flat.items()))


def last_change(past: list[Commit], path: str) -> Commit:
    """The newest commit of a history (newest first) that changed a file, or a file below a folder.

    The path must exist in ``past[0]``.
    """
    now = _below(past[0], path)
    for newer, older in pairwise(past):
        if _below(older, path) != now:
            return newer
    return past[-1]


def _below(commit: Commit, path: str) -> dict[str, str]:
    return {
        name: file.sha256
        for name, file in commit.files.items()
        if name == path or name.startswith(f"{path}/")
    }


def _blob(file: RepoFile) -> dict[str, Any]:
    lfs = {"sha256": file.sha256, "size": file.size, "pointerSize": len(pointer(file))}
    return {"size": file.size, "blobId": file.oid, **({"lfs": lfs} if file.lfs else {})}


def _parent(path: str) -> str:
    return path.rpartition("/")[0]


def _ancestors(path: str) -> Iterator[str]:
    while path := _parent(path):
        yield path


def _tree_id(inside: dict[str, RepoFile | Folder]) -> str:
    # Git orders a tree's entries as if the names of folders ended in a slash.
    ordered = sorted(
        (path + "/" if isinstance(entry, Folder) else path, path.rpartition("/")[2], entry)
        for path, entry in inside.items()
    )
    lines = b"".join(
        b"%s %s\0" % (b"40000" if isinstance(entry, Folder) else b"100644", name.encode())
        + bytes.fromhex(entry.oid)
        for _, name, entry in ordered
    )
    return hashlib.sha1(b"tree %d\0" % len(lines) + lines, usedforsecurity=False).hexdigest()
