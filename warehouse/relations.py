"""Relations: SQL files with a header, made anew or only where something has changed.

A build first settles which repo is which (`SETTLED`), notes which repos are not as they were, and
then makes the relations (`RELATIONS`), each of which reads only what stands above it. A relation
whose header says ``Per: COLUMN`` has rows that depend on one repo's answers alone: of these, only
the rows of touched repos are made anew. A relation of ``Kind: view`` holds no rows of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import resources
from itertools import takewhile

import duckdb

from warehouse.header import Reference, read_header

Connection = duckdb.DuckDBPyConnection

SETTLED = (
    "name_seen",
    "redirect",
    "latest",
    "local_folder",
    "alias",
    "ownerless_name",
    "tombstone",
    "unlisted_repo",
    "withheld_repo",
    "touched",
)
RELATIONS = (
    "latest_record",
    "latest_page",
    "answer",
    "crawl_run",
    "sweep",
    "sample",
    "sample_stratum",
    "sample_member",
    "model_observation",
    "model_tag",
    "commit_file",
    "repo_file",
    "security_finding",
    "model_config",
    "weight_file",
    "tensor",
    "card",
    "model_metadata",
    "model_language",
    "model_dataset",
    "model_field_drift",
    "commit_listing",
    "woven_commit",
    "commit",
    "history_rewrite",
    "ref",
    "discussion",
    "name_hint",
    "base_model_evidence",
    "base_model_name",
    "evidence_precision",
    "base_model_edge",
    "model",
    "edge_license",
    "leaked_token",
    "rejected",
)
# Not published: steps of a build, and what the next build compares with.
STEPS = frozenset(
    {
        *("name_seen", "redirect", "latest", "local_folder", "unlisted_repo", "withheld_repo"),
        *("ownerless_name", "touched"),
        *("latest_record", "latest_page", "commit_listing", "woven_commit", "name_hint"),
    }
)


@dataclass(frozen=True)
class Relation:
    """A relation's SQL file: its name, its header's fields and its SELECT.

    Attributes
    ----------
    kind
        ``table``; ``view``; ``landing``: a table that the next build needs, kept out of sight;
        ``temporary``: a step of the build.
    per
        The column whose values can be made anew one by one; None where only the whole can.
    anew
        A condition: rows that are made anew in any case.
    comment
        The header's sentences: what a row is.
    told
        All that the file's COMMENT says: the sentences, grain, source and references.
    columns
        Descriptions by column.
    """

    name: str
    comment: str
    told: str
    grain: tuple[str, ...]
    kind: str
    per: str | None
    anew: str
    columns: dict[str, str]
    references: tuple[Reference, ...]
    sql: str

    @property
    def place(self) -> str:
        """Its name with its schema, or with that of this connection alone."""
        schema = {"landing": "landing", "temporary": "temp"}.get(self.kind, "main")
        return f"{schema}.{self.name}"


@cache
def read_relation(package: str, name: str) -> Relation:
    """Read ``package/sql/name.sql``: the comment lines of its header, then a bare SELECT."""
    text = (resources.files(package) / "sql" / f"{name}.sql").read_text("utf-8")
    lines = [line[3:] for line in takewhile(lambda x: x.startswith("-- "), text.splitlines())]
    header = read_header("\n".join(lines))
    return Relation(
        name=name,
        comment=header.sentence,
        told=header.as_comment(),
        grain=header.grain,
        kind=header.fields.get("Kind", "table"),
        per=header.fields.get("Per"),
        anew=header.fields.get("Anew", "false"),
        columns=header.columns,
        references=header.references,
        sql=text,
    )


def published_names() -> list[str]:
    """Names of all relations of this room that a reader finds in the file."""
    return [name for name in (*SETTLED, *RELATIONS) if name not in STEPS]


def create_relation(db: Connection, relation: Relation) -> None:
    """Make a relation anew, with its header as its comment."""
    kind = {"view": "view", "temporary": "temp table"}.get(relation.kind, "table")
    db.execute(f"create or replace {kind} {relation.place} as {relation.sql}")
    if relation.kind in {"table", "view"}:
        write_comment(db, relation)


def make(db: Connection, name: str) -> None:
    """Make one of this room's relations: what changed of it, where that can be told."""
    relation = read_relation("warehouse", name)
    if relation.per is None or not is_there(db, relation.place):
        create_relation(db, relation)
        return
    db.execute(f"delete from {relation.place} where {_is_touched(relation)} or {relation.anew}")  # noqa: S608
    db.execute(f"insert into {relation.place} by name {relation.sql}")


def write_comment(db: Connection, relation: Relation) -> None:
    """Let the file say what a relation and its columns are."""
    at = f"main.{relation.name}"
    said = {f"{relation.kind} {at}": relation.told}
    said |= {f"column {at}.{column}": text for column, text in relation.columns.items()}
    quoted = {what: text.replace("'", "''") for what, text in said.items()}
    db.begin()  # one write to disk instead of one a column
    db.execute("; ".join(f"comment on {what} is '{text}'" for what, text in quoted.items()))
    db.commit()


def is_there(db: Connection, place: str) -> bool:
    """Whether the file holds a table, named with its schema."""
    found = db.execute(
        "select 1 from duckdb_tables() where schema_name || '.' || table_name = ?"
        " and not temporary",
        [place],
    )
    return found.fetchone() is not None


def settle(db: Connection) -> None:
    """Make the relations that tell which repo is which, and which are not as they were before."""
    is_first = not is_there(db, "main.base_model_evidence")
    for name in SETTLED:
        sql = read_relation("warehouse", name).sql
        if name == "touched" and is_first:
            sql = "select repo_id from latest"
        db.execute(f"create or replace temp table {name} as {sql}")
    for name in SETTLED:
        _keep(db, read_relation("warehouse", name))


def _keep(db: Connection, relation: Relation) -> None:
    """What the next build compares with; the temporary table hides a published one of its name."""
    name = relation.name
    if relation.kind == "landing" and relation.per and is_there(db, relation.place):
        db.execute(f"delete from {relation.place} where {_is_touched(relation)}")  # noqa: S608
        db.execute(f"insert into {relation.place} from temp.{name} where {_is_touched(relation)}")
    elif relation.kind != "temporary":
        db.execute(f"create or replace table landing.{name} as from temp.{name}")
    if relation.kind == "table":
        db.execute(f"create or replace table main.{name} as from landing.{name}")
        db.execute(f"drop table temp.{name}")
        write_comment(db, relation)


def _is_touched(relation: Relation) -> str:
    return f"{relation.per} in (select repo_id from touched)"  # noqa: S608
