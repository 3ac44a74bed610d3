"""Model folders of this machine as a small hub, weights included."""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from crawler.doors import DoorRefused, Local, Tell, api_time
from crawler.doors.contents import CARD, is_utf8, local_model, shown

WHOLE = frozenset({"config.json", "adapter_config.json", "model_index.json"})
HEADED = (".safetensors", ".gguf")
WEIGHTS = (*HEADED, ".bin", ".pt", ".pth", ".ckpt", ".onnx", ".h5", ".msgpack", ".npz")
LONGEST_ID = 96  # of the Hub, owner and slash included
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Entry:
    """A file of a model folder; without size and time where it is listed but not followed."""

    path: Path
    size: int | None = None
    modified_ns: int | None = None


def folder(
    root: Path, *, owner: str = "local", tell: Tell = lambda sentence: None
) -> Iterator[Local]:
    """Find the model folders below a root (itself included), in the order of their paths.

    A folder with config.json, adapter_config.json, model_index.json, or README.md beside weights
    is a model with all that lies below it. A folder with nothing but loose safetensors or GGUF
    files is a model of those files, and its subfolders are searched on. Hidden folders are passed
    over; a link that leaves the root is listed without size and not followed, unless it leads
    into the blobs of the Hugging Face cache that it lies in.

    The record's ``sha`` is a sha1 over each file's path, size and time of change: it tells a
    changed folder without reading weights of many GB, and it changes with a mere copy. ``_id`` is
    made of the resolved path. Times are those of the files.

    Parameters
    ----------
    owner
        Stands before the slash of every id.
    tell
        Called with one sentence for each thing that is passed over.

    Raises
    ------
    DoorRefused
        The root is no folder, or one that holds other things and no model, or the owner cannot
        stand in an id.
    """
    if not root.is_dir():
        raise DoorRefused(f"{root} is no folder; name the one that holds your models")
    if len(owner) > LONGEST_ID // 2 or not owner or _segment(owner) != owner:
        raise DoorRefused(f"{owner!r} cannot be an owner: use letters, digits, '-', '_' and '.'")
    top = root.resolve()
    found = dict(_model_folders(top, tell))
    if not found and any(top.iterdir()):
        raise DoorRefused(f"{root} holds no model: no config and no weights lie in it or below it")
    for path, repo_id in _ids(list(found), top, owner).items():
        yield _model(path, repo_id, _entries(found[path], top, tell), tell)


def _model_folders(root: Path, tell: Tell) -> Iterator[tuple[Path, list[Path]]]:
    for path, subfolders, files in _walk(root, tell):
        names = set(files)
        headed = [name for name in files if name.lower().endswith(HEADED)]
        weights = any(name.lower().endswith(WEIGHTS) for name in files)
        whole = bool(names & WHOLE) or (CARD in names and weights)
        if not (whole or headed):
            continue
        if not is_utf8(str(path)):
            tell(f"{shown(path)}: its name is not UTF-8; it is passed over")
        elif whole:
            below = [place / name for place, _, inside in _walk(path, tell) for name in inside]
            subfolders.clear()
            yield path, below
        else:
            yield path, [path / name for name in files]


def _walk(root: Path, tell: Tell) -> Iterator[tuple[Path, list[str], list[str]]]:
    def refuse(error: OSError) -> None:
        tell(f"{shown(error.filename)} cannot be read: {error.strerror}")

    for name, subfolders, files in os.walk(root, onerror=refuse):
        subfolders[:] = sorted(n for n in subfolders if not n.startswith("."))
        yield Path(name), subfolders, sorted(files)


def _entries(paths: list[Path], root: Path, tell: Tell) -> list[Entry]:
    entries = (_entry(path, root, tell) for path in paths)
    return [entry for entry in entries if entry is not None]


def _entry(path: Path, root: Path, tell: Tell) -> Entry | None:
    if not is_utf8(str(path)):
        tell(f"{shown(path)}: its name is not UTF-8; it is passed over")
        return None
    try:
        if path.is_symlink() and not _may_follow(path, root):
            tell(f"{shown(path)} links out of {shown(root)}; it is listed, not read")
            return Entry(path)
        status = path.stat()
    except (OSError, RuntimeError):  # the latter of links in a circle
        tell(f"{shown(path)} cannot be read: it is gone, or its links lead nowhere")
        return None
    if not stat.S_ISREG(status.st_mode):
        tell(f"{shown(path)} is no regular file; it is passed over")
        return None
    return Entry(path, status.st_size, status.st_mtime_ns)


def _may_follow(link: Path, root: Path) -> bool:
    target = link.resolve(strict=True)
    snapshots = next((p for p in link.parents if p.name == "snapshots"), None)
    allowed = [root]
    if snapshots and snapshots.parent.name.startswith("models--"):
        # The second is the store that the cache's repos share.
        allowed += [snapshots.parent / "blobs", snapshots.parent.parent / "blobs"]
    return any(target.is_relative_to(place) for place in allowed)


def _model(path: Path, repo_id: str, entries: list[Entry], tell: Tell) -> Local:
    listed = {entry.path.relative_to(path).as_posix(): entry for entry in entries}
    names = dict(sorted(listed.items()))
    followed = {name: entry for name, entry in names.items() if entry.size is not None}
    record = {
        "id": repo_id,
        "_id": "local-" + _sha1(os.fsencode(path)),
        "author": repo_id.partition("/")[0],
        "sha": _sha1(*(f"{n}\0{e.size}\0{e.modified_ns}\n".encode() for n, e in names.items())),
        **_times([entry.modified_ns for entry in entries if entry.modified_ns is not None]),
        "private": False,
        "siblings": [_sibling(name, entry.size) for name, entry in names.items()],
        "localPath": str(path),
    }
    return local_model(record, {name: entry.path for name, entry in followed.items()}, tell)


def _sibling(name: str, size: int | None) -> dict[str, Any]:
    return {"rfilename": name} if size is None else {"rfilename": name, "size": size}


def _times(modified_ns: list[int]) -> dict[str, str]:
    if not modified_ns:
        return {}
    try:
        first, last = (
            api_time(EPOCH + timedelta(microseconds=ns // 1000))
            for ns in (min(modified_ns), max(modified_ns))
        )
    except OverflowError:  # a file system can hold years that no calendar here does
        return {}
    return {"createdAt": first, "lastModified": last}


def _ids(paths: list[Path], root: Path, owner: str) -> dict[Path, str]:
    """A name for each folder; those that would share one all get a piece of their path's hash."""
    room = LONGEST_ID - len(owner) - 1
    plain = {p: _segment(str(p.relative_to(root)) if p != root else p.name) for p in paths}
    # Ids of the Hub that differ only by case are one.
    shared = Counter(name.lower() for name in plain.values())
    ids = {}
    for path, name in plain.items():
        alone = name and len(name) <= room and shared[name.lower()] == 1
        marked = f"{name[: room - 11] or 'model'}-{_sha1(os.fsencode(path))[:10]}"
        ids[path] = f"{owner}/{name if alone else _segment(marked)}"
    return ids


def _segment(text: str) -> str:
    """Text as a part of an id that huggingface_hub's validate_repo_id takes; may be empty."""
    plain = re.sub(r"[^A-Za-z0-9._-]+", "-", text)
    plain = re.sub(r"\.git$", "-git", re.sub(r"\.{2,}", ".", plain).strip("-."))
    return re.sub(r"-{2,}", "-", plain)


def _sha1(*parts: bytes) -> str:
    digest = hashlib.sha1(usedforsecurity=False)
    for part in parts:
        digest.update(part)
    return digest.hexdigest()
