"""Real records to draw from: recordings, or the raw files of a home.

A made-up model has a *look* (tags, library, sizes, popularity; from records that tell when they
were created, where there are any) and a *body* (file list, configuration and card; from records
that list files). Where one record has both, the two are still drawn apart.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any

import orjson
import zstandard

from crawler.raw import body_of, read_raw

MOST_RECORDS = 60_000  # of a home; each worker holds them
PAGE_SIZE = 1000
# What is drawn anew for each model, or follows from what is.
REDRAWN = frozenset(
    {
        *("_id", "id", "modelId", "author", "sha", "createdAt", "lastModified", "private"),
        *("disabled", "downloads", "likes", "pipeline_tag", "tags", "siblings", "config"),
        *("cardData", "baseModels", "childrenModelCount"),
    }
)
# ISO 639-1 codes that are tags of languages; three letters are as often something else (trl, sft).
LANGUAGE = re.compile(
    "a[fmrsz]|b[egnors]|c[asy]|d[ae]|e[lnostu]|f[airy]|g[adlu]|h[aeirtuy]|i[dst]|j[av]|k[akmnouy]"
    "|l[abotv]|m[gikln-ty]|n[elo]|p[alst]|qu|r[ouw]|s[adik-oqruvw]|t[aeghklrt]|u[gkrz]|vi|wo|xh"
    "|y[io]|z[hu]"
)
NOT_LOOKS = ("base_model:", "license:", "region:")

Record = dict[str, Any]


class NothingToResample(Exception):
    """The sources hold no record that can be drawn; the message says which kind is missing."""


@dataclass(frozen=True)
class Look:
    """What a record shows of a model, but for its name, times and parents.

    ``license``, ``task`` and ``languages`` are traits that children take over; "" or () where the
    record has none. ``age_s`` is how long after its creation it was changed last.
    """

    tags: list[str]
    license: str
    task: str
    languages: tuple[str, ...]
    fields: Record
    card_data: Record | None
    downloads: int
    likes: int
    age_s: int


@dataclass(frozen=True)
class Body:
    """What lies in a repo: its files and configuration as JSON text, and its card."""

    repo_id: str
    siblings: str
    config: bytes
    card: str | None


@dataclass(frozen=True)
class Templates:
    """All that can be drawn, in the order of the sources: looks, bodies, names and owners."""

    looks: list[Look] = field(repr=False)
    bodies: list[Body] = field(repr=False)
    names: list[str] = field(repr=False)
    owners: list[str] = field(repr=False)

    @cached_property
    def spellings(self) -> list[int]:
        """For each name the place of its first use: the more used a name, the likelier it is."""
        first: dict[str, int] = {}
        return [first.setdefault(name, place) for place, name in enumerate(self.names)]

    @cached_property
    def carded(self) -> list[int]:
        """Places of bodies with a card."""
        return [n for n, body in enumerate(self.bodies) if body.card is not None]

    @cached_property
    def cardless(self) -> list[int]:
        """Places of bodies without one; all bodies, where each has one."""
        bare = [n for n, body in enumerate(self.bodies) if body.card is None]
        return bare or list(range(len(self.bodies)))


def read_templates(sources: list[Path]) -> Templates:
    """Read recordings (``.jsonl``, ``.jsonl.zst``) and homes; raises `NothingToResample`."""
    lines = [line for source in sources for line in _records(source)]
    listing = [(record, card) for record, card in lines if isinstance(record.get("id"), str)]
    dated = [record for record, _ in listing if isinstance(record.get("createdAt"), str)]
    bodies = [_body(record, card) for record, card in listing if _names(record.get("siblings"))]
    if not bodies:
        raise NothingToResample(f"no record of {sources[0]} lists files; add one that does")
    ids = [record["id"] for record, _ in listing]
    owners = dict.fromkeys(_cleaned(i.split("/")[0], 24) for i in ids if "/" in i)
    return Templates(
        looks=[_look(record) for record in dated or [record for record, _ in listing]],
        bodies=bodies,
        names=[_cleaned(repo_id.split("/")[-1], 40) or "model" for repo_id in ids],
        # No name may end as those do that numbers are added to.
        owners=[o for o in owners if o and not re.search(r"-\d+$", o)] or ["owner"],
    )


def _records(source: Path) -> Iterator[tuple[Record, str | None]]:
    return _of_home(source) if source.is_dir() else _of_recording(source)


def _of_recording(path: Path) -> Iterator[tuple[Record, str | None]]:
    packed = path.read_bytes()
    plain = _unpacked(packed, path) if path.suffix == ".zst" else packed
    for line in plain.splitlines():
        stored: Record = orjson.loads(line)
        yield stored["model"], stored.get("card")


def _unpacked(packed: bytes, path: Path) -> bytes:
    # Not by a stream reader: that takes a missing end for the end.
    plain = b""
    while packed:
        frame = zstandard.ZstdDecompressor().decompressobj()
        plain += frame.decompress(packed)
        if not frame.eof:
            raise NothingToResample(f"{path} is no whole Zstandard file: its end is missing")
        packed = frame.unused_data
    return plain


def _of_home(home: Path) -> Iterator[tuple[Record, str | None]]:
    pages = sorted((home / "raw" / "model").glob("*.jsonl.zst"))
    stride = max(1, len(pages) * PAGE_SIZE // MOST_RECORDS)
    records: dict[str, Record] = {}
    for path in islice(pages, 0, None, stride):
        for page in read_raw(path):
            listing = [r for r in orjson.loads(body_of(page)) if isinstance(r, dict)]
            records.update({r["id"]: r for r in listing if isinstance(r.get("id"), str)})
    cards: dict[str, str] = {}
    for path in sorted((home / "raw" / "card").glob("*.jsonl.zst")):
        found = [page for page in read_raw(path) if page["status"] == 200]
        cards |= {p["repo_id"]: p["body"] for p in found if p["repo_id"] in records and "body" in p}
    return iter([(record, cards.get(repo_id)) for repo_id, record in records.items()])


def _look(record: Record) -> Look:
    told = [tag for tag in _names(record.get("tags")) if isinstance(tag, str)]
    tags = [tag for tag in told if not tag.startswith(NOT_LOOKS)]
    task = record.get("pipeline_tag") or ""
    return Look(
        tags=[tag for tag in dict.fromkeys(tags) if not LANGUAGE.fullmatch(tag) and tag != task],
        license=next((tag[8:] for tag in told if tag.startswith("license:")), ""),
        task=task,
        languages=tuple(dict.fromkeys(tag for tag in tags if LANGUAGE.fullmatch(tag))),
        fields={key: value for key, value in record.items() if key not in REDRAWN},
        card_data=record.get("cardData"),
        downloads=_count(record.get("downloads")),
        likes=_count(record.get("likes")),
        age_s=_age_s(record),
    )


def _body(record: Record, card: str | None) -> Body:
    siblings = orjson.dumps(record["siblings"]).decode()
    return Body(record["id"], siblings, orjson.dumps(record.get("config")), card)


def _names(listed: object) -> list[Any]:
    return listed if isinstance(listed, list) else []


def _count(told: object) -> int:
    return max(0, told) if isinstance(told, int) else 0


def _age_s(record: Record) -> int:
    try:
        created, changed = (
            datetime.fromisoformat(record[key]) for key in ("createdAt", "lastModified")
        )
    except (KeyError, TypeError, ValueError):
        return 0  # the record does not tell: changed as it was created
    return max(0, round((changed - created).total_seconds()))


def _cleaned(name: str, most: int) -> str:
    """A part of an id that can be declared as a base model, as huggingface_hub checks it."""
    plain = re.sub(r"[^\w.\-]", "", name, flags=re.ASCII)
    return re.sub(r"[-.]{2,}", "-", plain)[:most].removesuffix(".git").strip("-._")
