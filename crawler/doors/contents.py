"""What is read of a model's files on this machine: small texts whole, of weights the headers.

Nothing is unpickled: ``.bin`` and ``.pt`` are names and sizes. What cannot be read is told and
passed over, so that one bad file never hides a model.
"""

from __future__ import annotations

import math
import os
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from crawler.doors import Local, LocalFile, Tell
from crawler.headers import Fetch, HeaderRefused, header_of

CARD = "README.md"
TEXT_FACETS = {
    "config.json": "config",
    "adapter_config.json": "adapter_config",
    "mergekit_config.yml": "mergekit_config",
}
MAX_TEXT_BYTES = 16 * 2**20
MOST_DIMENSIONS = 64
SHARD = re.compile(r"(.*?)(?:-\d{5}-of-(\d{5}))?\.safetensors", re.DOTALL)

Record = dict[str, Any]


def local_model(record: Record, readable: dict[str, Path], tell: Tell) -> Local:
    """A model from its record and the files that may be opened (path in the model → where).

    Adds ``config`` (architectures, model_type) from config.json and ``safetensors`` (parameters
    by dtype, total) from headers, as the Hub lists them; each stays away where it cannot be told.
    """
    names = [name for name in (CARD, *TEXT_FACETS) if name in readable]
    texts = {name: _content(readable[name], tell) for name in names}
    known = {
        "config": _config(readable, texts.get("config.json"), tell),
        "safetensors": _parameters(readable, tell),
    }
    record |= {name: value for name, value in known.items() if value is not None}
    return Local(record, texts.get(CARD), _files(readable, texts, tell))


def is_utf8(name: str) -> bool:
    """Whether a name of the file system is text, which a record must be."""
    return os.fsencode(name).decode("utf-8", "backslashreplace") == name


def shown(path: Path | str) -> str:
    """A path as a line can hold it: line ends and bytes that are no UTF-8 become escapes."""
    return os.fsencode(path).decode("utf-8", "backslashreplace").replace("\n", "\\n")


def _files(
    readable: dict[str, Path], texts: dict[str, bytes | None], tell: Tell
) -> Iterator[LocalFile]:
    for name, facet in TEXT_FACETS.items():
        content = texts.get(name)
        if content is not None:
            yield facet, name, None, content
    for name in sorted(readable):
        found = _header(name, readable[name], tell)
        if found:
            yield "tensors", name, *found


def _header(name: str, path: Path, tell: Tell) -> tuple[str, bytes] | None:
    try:
        return header_of(name, _ranges(path))
    except HeaderRefused as refused:
        tell(f"no header read of {shown(path.parent)}: {refused}")
    except OSError as error:
        tell(f"{shown(path)} cannot be read: {error.strerror or error}")
    return None


def _ranges(path: Path) -> Fetch:
    def fetch(start: int, stop: int) -> bytes:
        with path.open("rb") as file:
            file.seek(start)
            return file.read(stop - start)

    return fetch


def _content(path: Path, tell: Tell) -> bytes | None:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_TEXT_BYTES + 1)
    except OSError as error:
        tell(f"{shown(path)} cannot be read: {error.strerror or error}")
        return None
    if len(content) > MAX_TEXT_BYTES:
        tell(f"{shown(path)} has more than {MAX_TEXT_BYTES:,} bytes; it is not read")
        return None
    return content


def _config(readable: dict[str, Path], content: bytes | None, tell: Tell) -> Record | None:
    if content is None:
        return None
    try:
        config = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        tell(f"{shown(readable['config.json'])} is not JSON: {error}")
        return None
    fields = config if isinstance(config, dict) else {}
    architectures, model_type = fields.get("architectures"), fields.get("model_type")
    kept: Record = {}
    if isinstance(architectures, list) and all(isinstance(a, str) for a in architectures):
        kept["architectures"] = architectures
    if isinstance(model_type, str):
        kept["model_type"] = model_type
    return kept or None


def _parameters(readable: dict[str, Path], tell: Tell) -> Record | None:
    counts: Counter[str] = Counter()
    chosen = _weights([name for name in readable if SHARD.fullmatch(name)], tell)
    for name in chosen:
        # Silent: whoever walks the files is told of the same header.
        found = _header(name, readable[name], lambda _: None)
        counted = _counted(found[1]) if found else None
        if counted is None:
            tell(f"{shown(readable[name])}: its tensors cannot be counted")
            return None
        counts += counted
    if not chosen or counts.total() >= 2**63:
        return None
    return {"parameters": dict(sorted(counts.items())), "total": counts.total()}


def _weights(names: list[str], tell: Tell) -> list[str]:
    """The safetensors files that together are the model, once; none where that is a guess."""
    groups: defaultdict[tuple[str, str | None], list[str]] = defaultdict(list)
    for name in names:
        if found := SHARD.fullmatch(name):
            groups[found[1], found[2]].append(name)
    top = {key: group for key, group in groups.items() if "/" not in key[0]} or groups
    models = [key for key in top if key[0] == "model"] or list(top)
    if ("model", None) in top:  # beside its own shards it is the one that the Hub counts
        return top["model", None]
    if len(models) != 1:
        return []
    group, shard_count = top[models[0]], models[0][1]
    if shard_count and len(group) != int(shard_count):
        tell(f"{group[0]}: {len(group)} of {int(shard_count)} shards are here; none is counted")
        return []
    return group


def _counted(header: bytes) -> Counter[str] | None:
    """Parameters by dtype; None where the header is not what safetensors writes."""
    try:
        tensors = orjson.loads(header)
        tensors.pop("__metadata__", None)
        counts: Counter[str] = Counter()
        for tensor in tensors.values():
            shape = tensor["shape"]
            if len(shape) > MOST_DIMENSIONS or not all(type(n) is int and n >= 0 for n in shape):
                return None
            counts[str(tensor["dtype"])] += math.prod(shape)
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return None
    return counts
