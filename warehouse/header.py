"""Headers: what a relation's SQL file says of it above its SELECT, and its COMMENT in the file.

A header is one or more sentences, then fields. Three of them are lists, one entry a line, further
lines of an entry indented more::

    -- One file of a repo.
    -- Grain: repo_id, path
    -- Source: the facet tree
    -- Columns:
    --   repo_id: owner and name
    --   path: name of the file, with its folders,
    --     from the repo's top
    -- References:
    --   repo_id -> model
    --   base_id -> model(repo_id): dangles where nobody listed it

A reference that says nothing after its target always holds; one that does may dangle, and says why.
The COMMENT of a table or view is the same text without what only a build reads, so the published
file tells of itself to any client of DuckDB.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

FIELDS = ("Grain", "Source", "Ref", "Kind", "Per", "Anew", "Columns", "References")
PUBLISHED = ("Grain", "Source", "Ref")


@dataclass(frozen=True)
class Reference:
    """Columns whose values are found in another relation; a null refers to nothing.

    Attributes
    ----------
    dangling
        Where values have no counterpart, and why; None where each has one.
    """

    columns: tuple[str, ...]
    relation: str
    target_columns: tuple[str, ...]
    dangling: str | None

    def __str__(self) -> str:
        target = self.relation
        if self.target_columns != self.columns:
            target += f"({', '.join(self.target_columns)})"
        says = "" if self.dangling is None else f": {self.dangling}"
        return f"{', '.join(self.columns)} -> {target}{says}"


@dataclass(frozen=True)
class Header:
    """A header read: its sentences, its one-line fields, and its lists.

    Attributes
    ----------
    columns
        Descriptions by column, in the header's order.
    """

    sentence: str
    fields: dict[str, str] = field(default_factory=dict)
    columns: dict[str, str] = field(default_factory=dict)
    references: tuple[Reference, ...] = ()

    @property
    def grain(self) -> tuple[str, ...]:
        """The columns by which rows are unique."""
        said = self.fields.get("Grain")
        return tuple(said.split(", ")) if said else ()

    @property
    def first_sentence(self) -> str:
        """What a row is, in short."""
        return re.split(r"(?<=\.) (?=[A-Z])", self.sentence, maxsplit=1)[0]

    def as_comment(self) -> str:
        """What a published file says of the relation; `read_header` reads it again."""
        told = [f"{name}: {self.fields[name]}" for name in PUBLISHED if name in self.fields]
        refer = ["References:", *(f"  {said}" for said in self.references)]
        return "\n".join([self.sentence, *told, *(refer if self.references else [])])


def read_header(text: str) -> Header:
    """Read a header without its comment marks, or the COMMENT of a published relation."""
    parts = _FIELD.split(text)
    told = dict(zip(parts[1::2], parts[2::2], strict=True))
    columns = dict(entry.split(": ", 1) for entry in _entries(told.pop("Columns", "")))
    references = tuple(map(_reference, _entries(told.pop("References", ""))))
    fields = {name: _joined(said.splitlines()) for name, said in told.items()}
    return Header(_joined(parts[0].splitlines()), fields, columns, references)


_FIELD = re.compile(rf"^({'|'.join(FIELDS)}):", re.M)
_ENTRY = re.compile(r"^  (?=\S)", re.M)
_REFERENCE = re.compile(r"(?P<columns>[\w, ]+) -> (?P<relation>\w+)(?:\((?P<target>[\w, ]+)\))?")


def _entries(block: str) -> list[str]:
    return [_joined(entry.splitlines()) for entry in _ENTRY.split(block)[1:]]


def _joined(lines: Iterable[str]) -> str:
    return " ".join(line.strip() for line in lines).strip()


def _reference(entry: str) -> Reference:
    target, _, dangling = entry.partition(": ")
    found = _REFERENCE.fullmatch(target)
    if found is None:
        raise ValueError(f"no reference: {entry!r}")
    columns = tuple(found["columns"].split(", "))
    target_columns = tuple((found["target"] or found["columns"]).split(", "))
    return Reference(columns, found["relation"], target_columns, dangling or None)
