"""What the crawl keeps in mind of a listed record: enough to queue, to sample and to miss it."""

from __future__ import annotations

import hashlib
import math
import re
from typing import Any

Listed = tuple[Any, ...]

COLUMNS = (
    *("hub_id", "repo_id", "revision", "version", "popularity", "holds", "downloads", "likes"),
    *("pipeline_tag", "parameter_count", "storage_bytes", "created_at"),
)
SAFE_ID = re.compile(r"[\w.\-]+(/[\w.\-]+)?", re.ASCII)
# Bits of ``holds``: files that some facets need, and whether a gate stands before them.
CONFIG, ADAPTER, MERGEKIT, WEIGHTS, GATED = 1, 2, 4, 8, 16
FILES = {"config.json": CONFIG, "adapter_config.json": ADAPTER, "mergekit_config.yml": MERGEKIT}
LARGEST = 2**63 - 1


def listed(record: dict[str, Any]) -> Listed:
    """A record's row: the columns of `COLUMNS`, None where the record lacks a value."""
    sha = record.get("sha")
    seen = str(sha or record.get("lastModified") or "")
    return (
        hub_id(record),
        record["id"],
        str(sha or "main"),
        version_of(seen),
        _popularity(record.get("downloads")),
        _holds(record),
        _count(record.get("downloads")),
        _count(record.get("likes")),
        _text(record.get("pipeline_tag")),
        _parameters(record),
        _count(record.get("usedStorage")),
        _text(record.get("createdAt")),
    )


def hub_id(record: dict[str, Any]) -> str:
    """What a repo keeps when it is renamed; its name where the hub gives nothing better."""
    stated = record.get("_id")
    return stated if isinstance(stated, str) and stated else f"id:{record['id']}"


def version_of(seen: str) -> int:
    """A number that stands for a commit sha or a time of change; collisions are one in 2**60."""
    return int(hashlib.sha1(seen.encode(), usedforsecurity=False).hexdigest()[:15], 16)


def is_safe_id(repo_id: object) -> bool:
    """Whether a listed id may stand in a URL: one or two plain segments, 300 characters at most.

    Wider than huggingface_hub's ``validate_repo_id``, which refuses ids that the Hub lists.
    """
    return (
        isinstance(repo_id, str)
        and len(repo_id) <= 300
        and SAFE_ID.fullmatch(repo_id) is not None
        and not {".", ".."} & set(repo_id.split("/"))
    )


def _popularity(downloads: Any) -> int:
    count = _count(downloads)
    return round(1000 * math.log10(1 + count)) if count and count > 0 else 0


def _holds(record: dict[str, Any]) -> int:
    gated = GATED if record.get("gated") else 0
    siblings = record.get("siblings")
    if not isinstance(siblings, list):
        return gated | CONFIG | ADAPTER | MERGEKIT | WEIGHTS
    for sibling in siblings:
        name = sibling.get("rfilename") if isinstance(sibling, dict) else None
        if isinstance(name, str):
            gated |= FILES.get(name, 0)
            if name.endswith((".safetensors", ".gguf")):
                gated |= WEIGHTS
    return gated


def _parameters(record: dict[str, Any]) -> int | None:
    for kind in ("safetensors", "gguf"):
        stated = record.get(kind)
        if isinstance(stated, dict) and (total := _count(stated.get("total"))) is not None:
            return total
    return None


def _count(value: Any) -> int | None:
    whole = isinstance(value, int) and not isinstance(value, bool)
    return value if whole and -LARGEST <= value <= LARGEST else None


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None
