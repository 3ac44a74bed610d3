"""What the embedded hub serves: repos on a shelf, in memory or as a folder on disk.

A shelf folder holds ``repos.jsonl`` (one repo a line, the fields of `Repo`) and
``blobs/SHA256`` (each distinct file content once).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import orjson

from crawler import CrawlError

LFS_THRESHOLD_BYTES = 10_000_000


class ShelfError(CrawlError):
    """The folder or recording to serve cannot be read; the message names file and line."""


@dataclass(frozen=True)
class RepoFile:
    """One file of one commit: its content's address, size in bytes, and whether it is LFS."""

    sha256: str
    size: int
    lfs: bool = False
    oid: str = ""  # git blob id, or the id of the LFS pointer's blob


@dataclass
class Commit:
    """One commit with the whole tree that it leaves behind (path → file)."""

    id: str
    title: str
    date: str
    files: dict[str, RepoFile]
    message: str = ""
    authors: list[dict[str, str]] = field(default_factory=list)


@dataclass
class Repo:
    """A model repo.

    Attributes
    ----------
    record
        The model record as the Hub's list would give it in full, without what follows from
        the commits (``sha``, ``lastModified``, ``siblings``), which the server derives from
        ``commits[0]`` where there are commits.
    commits
        Newest first; empty where history is unknown (a recording).
    refs
        ``branches``, ``tags``, ``converts``, ``pullRequests``, as ``/refs`` answers.
    former_ids
        Old names; the server answers them with a 307 to the present one.
    card
        README text where no trees are known: None is 404, an empty string is a file.
    trees_known
        Whether the commits hold their files; those of a recording do not.
    """

    record: dict[str, Any]
    commits: list[Commit] = field(default_factory=list)
    refs: dict[str, list[dict[str, str]]] = field(default_factory=dict)
    discussions: list[dict[str, Any]] = field(default_factory=list)
    former_ids: list[str] = field(default_factory=list)
    card: str | None = None
    trees_known: bool = True

    @property
    def id(self) -> str:
        """The repo's present name."""
        return str(self.record["id"])


@dataclass
class Shelf:
    """All repos of one hub, and where their file contents lie (None: no files but cards)."""

    repos: list[Repo]
    blobs: Path | None = None

    def content(self, file: RepoFile) -> Path:
        """Path of a file's content; a shelf without blobs has none."""
        if self.blobs is None:
            raise ShelfError(f"no content for {file.sha256}: this shelf holds no files")
        return self.blobs / file.sha256


def git_blob_id(content: bytes) -> str:
    """Git's own id of a blob: sha1 over a header with the size, then the content."""
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


def put_blob(blobs: Path, content: bytes) -> RepoFile:
    """Store content once under its sha256 and describe it as a repo file."""
    digest = hashlib.sha256(content).hexdigest()
    target = blobs / digest
    if not target.exists():
        blobs.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    lfs = b"\0" in content[:8192] or len(content) > LFS_THRESHOLD_BYTES
    pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:%s\nsize %d\n"
    oid = git_blob_id(pointer % (digest.encode(), len(content)) if lfs else content)
    return RepoFile(sha256=digest, size=len(content), lfs=lfs, oid=oid)


def write_folder(folder: Path, repos: Iterable[Repo]) -> None:
    """Write ``repos.jsonl``; the blobs are already there (`put_blob`)."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = b"".join(orjson.dumps(asdict(repo)) + b"\n" for repo in repos)
    part = folder / "repos.jsonl.part"
    part.write_bytes(lines)
    part.rename(folder / "repos.jsonl")


def read_folder(folder: Path) -> Shelf:
    """Read a shelf folder; raises `ShelfError` where it is not one."""
    index = folder / "repos.jsonl"
    if not index.is_file():
        raise ShelfError(f"{folder} is no hub folder: it has no repos.jsonl")
    lines = index.read_bytes().splitlines()
    return Shelf([_repo(orjson.loads(line)) for line in lines if line], folder / "blobs")


def _repo(stored: dict[str, Any]) -> Repo:
    commits = [
        Commit(**{**c, "files": {p: RepoFile(**f) for p, f in c["files"].items()}})
        for c in stored["commits"]
    ]
    return Repo(**{**stored, "commits": commits})
