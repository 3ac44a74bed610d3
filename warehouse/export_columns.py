"""What of a relation is exported, and as what: types that every reader of Parquet knows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from warehouse.describe import Column, Described

NOT_EXPORTED = {
    "leaked_token": "for the operator alone",
    "build": "told by the manifest and build.json",
    "landing": "stores of the build, not relations",
}
PRIVATE = {"local_path"}  # where a file lies on this machine
PEOPLE = {("commit", "authors"), ("discussion", "author")}
# Beside columns that refer to model.
NAMING_REPOS = {("rejected", "key"), ("alias", "old_id"), ("sample_member", "repo_id")}
LISTING_REPOS = {("family", "root_ids")}
LOCAL = "select repo_id from main.model where starts_with(hub_id, 'local-')"
LOCAL_MODELS = f"set variable local_models = (select list(repo_id) from ({LOCAL}))"  # noqa: S608
TEXTUAL = {"json", "uuid", "interval", "time", "bit"}
NESTED = ("struct", "map", "union", "json[]")


@dataclass(frozen=True)
class Choice:
    """What the one who exports has chosen; see `warehouse.export.export`."""

    authors: str
    card_text: bool
    local: bool

    def as_json(self) -> dict[str, Any]:
        """As the manifest tells it."""
        return {"authors": self.authors, "card_text": self.card_text, "local_models": self.local}


@dataclass(frozen=True)
class StoredColumn:
    """A column of the warehouse and the expression that is stored for it, None where none is."""

    name: str
    type: str
    description: str
    expression: str | None

    def as_json(self) -> dict[str, Any]:
        """As the manifest tells it."""
        return {
            "name": self.name,
            "type": self.type,
            "stored": self.expression is not None,
            "description": self.description,
        }


def stored_columns(relation: Described, choice: Choice) -> list[StoredColumn]:
    """All columns of a relation, those that are left out too."""
    return [
        StoredColumn(
            column.name, column.type, column.description, _expression(relation.name, column, choice)
        )
        for column in relation.columns
    ]


def select_rows(relation: Described, columns: list[StoredColumn], choice: Choice) -> str:
    """The query for what is exported of a relation, in the order of its grain."""
    chosen = [f"{c.expression} as {quoted(c.name)}" for c in columns if c.expression is not None]
    kept = "" if choice.local else " and ".join(map(_not_local, _naming_repos(relation)))
    grain = ", ".join(f"{quoted(relation.name)}.{quoted(name)}" for name in relation.header.grain)
    return (
        f"select {', '.join(chosen)} from main.{quoted(relation.name)}"  # noqa: S608
        + (f" where {kept}" if kept else "")
        + f" order by {grain or 'all'}"
    )


def quoted(name: str) -> str:
    """An identifier for SQL."""
    return '"' + name.replace('"', '""') + '"'


def _expression(relation: str, column: Column, choice: Choice) -> str | None:
    name = quoted(column.name)
    is_person = (relation, column.name) in PEOPLE
    if column.name in PRIVATE or (is_person and choice.authors == "drop"):
        return None
    if (relation, column.name) == ("card", "text") and not choice.card_text:
        return None
    if is_person and choice.authors == "pseudonym":
        if column.type.endswith("[]"):
            return f"list_transform({name}, lambda one: pseudonym(one))"
        return f"pseudonym({name})"
    if (relation, column.name) in LISTING_REPOS and not choice.local:
        is_local = "coalesce(list_contains(getvariable('local_models'), one), false)"
        return f"list_filter({name}, lambda one: not {is_local})"
    return _plain(name, column.type)


def _plain(name: str, kind: str) -> str:
    if kind in TEXTUAL or kind.startswith("enum"):
        return f"cast({name} as varchar)"
    if kind.startswith(NESTED):
        return f"cast(to_json({name}) as varchar)"
    return name


def _naming_repos(relation: Described) -> list[str]:
    naming = {
        column
        for reference in relation.header.references
        if reference.relation == "model"
        for column in reference.columns
    }
    naming |= {column for of, column in NAMING_REPOS if of == relation.name}
    naming |= {"repo_id"} if relation.name == "model" else set()
    return sorted(naming)


def _not_local(column: str) -> str:
    return f"({quoted(column)} is null or {quoted(column)} not in ({LOCAL}))"
