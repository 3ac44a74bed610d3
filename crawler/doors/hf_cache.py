"""The local Hugging Face cache: what was once downloaded, under the ids of the Hub."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crawler.doors import DoorRefused, Local, Tell, api_time
from crawler.doors.contents import is_utf8, local_model, shown

if TYPE_CHECKING:
    from huggingface_hub import CachedFileInfo, CachedRepoInfo, CachedRevisionInfo

REPOS = "*--*"
# What the library keeps beside the repos, also where there are none.
OF_THE_CACHE = frozenset({".locks", "CACHEDIR.TAG", "version.txt"})


def hf_cache(
    cache_dir: Path | None = None, *, tell: Tell = lambda sentence: None
) -> Iterator[Local]:
    """The models of a Hugging Face cache, in the order of their ids.

    Of each the snapshot that ``refs/main`` points to, else the one that came last. The record
    holds what the cache knows and no more: ``sha`` is the commit, ``siblings`` the files that were
    downloaded (a part of the repo's, maybe), ``lastModified`` when the newest of them came. The
    Hub's ``_id``, times, tags and counts are not in a cache and stay away.

    Parameters
    ----------
    cache_dir
        The folder that holds ``models--OWNER--NAME``, or the one above it, where that is called
        ``hub``; None for the library's own, as HF_HUB_CACHE and HF_HOME set it.
    tell
        Called with one sentence for each thing that is passed over.

    Raises
    ------
    DoorRefused
        There is no such cache, or it cannot be read, or the folder holds other things and no
        model.
    """
    # Late: crawler.hub must set the library's switches before it is first imported.
    from huggingface_hub import scan_cache_dir
    from huggingface_hub.errors import CacheNotFound

    try:
        cache = scan_cache_dir(None if cache_dir is None else _repos_folder(cache_dir))
    except CacheNotFound as absent:
        raise DoorRefused(f"there is no Hugging Face cache at {absent.cache_dir}") from absent
    except (OSError, ValueError) as error:
        raise DoorRefused(f"the Hugging Face cache cannot be read: {error}") from error
    root = cache.cache_dir or Path()
    if any(root.glob(REPOS)):  # else one sentence says it all
        for warning in cache.warnings:
            tell(str(warning).partition("\n")[0])
    models = [repo for repo in cache.repos if repo.repo_type == "model"]
    if not models and any(path.name not in OF_THE_CACHE for path in root.iterdir()):
        raise DoorRefused(
            f"{root} is no cache with models: name the folder that holds models--OWNER--NAME"
        )
    for repo in sorted(models, key=lambda repo: repo.repo_id):
        revision = _revision(repo, tell)
        if revision:
            yield _model(repo.repo_id, revision, root, tell)


def _repos_folder(cache_dir: Path) -> Path:
    below = cache_dir / "hub"
    has_repos = any(cache_dir.glob(REPOS)) if cache_dir.is_dir() else True
    return below if below.is_dir() and not has_repos else cache_dir


def _revision(repo: CachedRepoInfo, tell: Tell) -> CachedRevisionInfo | None:
    if not is_utf8(str(repo.repo_path)) or repo.repo_id.count("/") > 1:
        tell(f"{shown(repo.repo_path)} is named after no repo; it is passed over")
        return None
    if "main" in repo.refs:
        return repo.refs["main"]
    if not repo.revisions:
        tell(f"{shown(repo.repo_path)} holds no snapshot; it is passed over")
        return None
    return max(repo.revisions, key=lambda r: (r.last_modified, r.commit_hash))


def _model(repo_id: str, revision: CachedRevisionInfo, root: Path, tell: Tell) -> Local:
    snapshot = revision.snapshot_path
    files = {
        file.file_path.relative_to(snapshot).as_posix(): file
        for file in sorted(revision.files, key=lambda file: file.file_path)
        if _may_list(file, tell)
    }
    author, slash, _ = repo_id.partition("/")
    record = {
        "id": repo_id,
        **({"author": author} if slash else {}),
        "sha": revision.commit_hash,
        "lastModified": api_time(datetime.fromtimestamp(revision.last_modified, UTC)),
        "siblings": [_sibling(name, file) for name, file in files.items()],
        "localPath": str(snapshot),
    }
    inside = {name: file.file_path for name, file in files.items() if _is_inside(file, root, tell)}
    return local_model(record, inside, tell)


def _may_list(file: CachedFileInfo, tell: Tell) -> bool:
    if is_utf8(str(file.file_path)):
        return True
    tell(f"{shown(file.file_path)}: its name is not UTF-8; it is passed over")
    return False


def _is_inside(file: CachedFileInfo, root: Path, tell: Tell) -> bool:
    target = file.file_path.resolve()
    if target.is_file() and target.is_relative_to(root):
        return True
    tell(f"{shown(file.file_path)} is no file of the cache {shown(root)}; it is listed, not read")
    return False


def _sibling(name: str, file: CachedFileInfo) -> dict[str, Any]:
    """A file as the Hub lists it; a blob is named by git's id, or by its sha256 where it is LFS."""
    sibling: dict[str, Any] = {"rfilename": name, "size": file.size_on_disk}
    blob = file.blob_path.name
    if re.fullmatch(r"[0-9a-f]{64}", blob):
        sibling["lfs"] = {"sha256": blob, "size": file.size_on_disk}
    elif re.fullmatch(r"[0-9a-f]{40}", blob):
        sibling["blobId"] = blob
    return sibling
