"""Whether a warehouse is what it should be: the file, its relations, and the raw files behind it.

Nothing is mended here: a build does that, or a copy of the raw files.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib import resources
from pathlib import Path

import duckdb

from warehouse.as_of import MACROS, read_macro
from warehouse.check_raw import check_contents, check_raw
from warehouse.describe import Described, describe_all
from warehouse.finding import BROKEN, FROM_SCRATCH, GOOD, Finding, some
from warehouse.header import Reference
from warehouse.landing import Report
from warehouse.read import NoWarehouse, open_warehouse
from warehouse.relations import published_names

Connection = duckdb.DuckDBPyConnection


def check(
    home: Path, *, deep: bool = False, report: Report = lambda label, done, total: None
) -> Iterator[Finding]:
    """Check the published warehouse of a home.

    Parameters
    ----------
    home
        Folder of the crawl.
    deep
        Also read every block of the file and every raw file, with their checksums.
    report
        Called with (step, done, total or None).

    Yields
    ------
    Findings, one or more a check. Of a file whose damage ends all reading nothing more is told.

    """
    try:
        db = open_warehouse(home)
    except NoWarehouse as missing:
        yield Finding("file", BROKEN, str(missing))
        return
    with db:
        yield Finding("file", GOOD, "it opens and is of this version")
        try:
            if deep:
                yield from _check_blocks(db, report)
            yield from _check_relations(db, report)
            yield from check_raw(db, home)
        except duckdb.Error as damage:
            told = " ".join(str(damage).splitlines()[0].split())
            yield Finding("file", BROKEN, f"{told}; {FROM_SCRATCH}")
    if deep:
        yield from check_contents(home, report)


def _check_relations(db: Connection, report: Report) -> Iterator[Finding]:
    described = [one for one in describe_all(db) if one.kind != "macro"]
    yield from _check_bindings(db, described)
    whole = {one.name: one for one in described if _refusal(db, f"main.{one.name}") is None}
    for done, one in enumerate(whole.values()):
        report("checking relations", done, len(whole))
        yield from _check_grain(db, one)
        yield from _check_references(db, one, whole)
    report("checking relations", len(whole), len(whole))
    yield from _check_counts(db, whole)


def _check_bindings(db: Connection, described: list[Described]) -> Iterator[Finding]:
    there = {one.name for one in described}
    derived = (resources.files("analysis") / "sql").iterdir()
    expected = {*published_names(), *(Path(file.name).stem for file in derived)}
    for name in sorted(expected - there):
        yield Finding("relations", BROKEN, f"{name} is missing; {FROM_SCRATCH}")
    asked = {name: f"main.{name}" for name in sorted(there)}
    for macro in map(read_macro, MACROS):
        times = ", ".join(["timestamp '2026-01-01'"] * len(macro.parameters))
        asked[macro.name] = f"{macro.name}({times})"
    broken = 0
    for name, source in asked.items():
        if refusal := _refusal(db, source):
            broken += 1
            yield Finding("relations", BROKEN, f"{name} cannot be read: {refusal}")
    yield Finding("relations", GOOD, f"{len(asked) - broken} relations and macros can be read")


def _refusal(db: Connection, source: str) -> str | None:
    try:
        db.execute(f"select * from {source} limit 0")  # noqa: S608
    except (duckdb.BinderException, duckdb.CatalogException, duckdb.ParserException) as refused:
        return str(refused).splitlines()[0]
    return None


def _check_grain(db: Connection, one: Described) -> Iterator[Finding]:
    keys = ", ".join(one.header.grain)
    if not keys:
        return
    # By hashes first: equal keys have equal ones, and millions of keys take long to compare.
    counted = db.execute(
        f"select count(*), count(distinct hash({keys})) from main.{one.name}"  # noqa: S608
    ).fetchone()
    twice = f"select {keys} from main.{one.name} group by all having count(*) > 1 order by all"  # noqa: S608
    doubled = _examples(db, twice) if counted and counted[0] != counted[1] else ""
    if doubled:
        yield Finding("grains", BROKEN, f"{one.name}: {keys} is not unique: {doubled}")
    else:
        yield Finding("grains", GOOD, f"{one.name}: {keys}")


def _check_references(
    db: Connection, one: Described, whole: dict[str, Described]
) -> Iterator[Finding]:
    for reference in one.header.references:
        if reference.dangling is not None or reference.relation not in whole:
            continue
        orphans = _examples(db, _orphans(one.name, reference))
        if orphans:
            told = f"{one.name}: {reference} leads nowhere: {orphans}"
            yield Finding("references", BROKEN, told)
        else:
            yield Finding("references", GOOD, f"{one.name}: {reference}")


def _orphans(name: str, reference: Reference) -> str:
    pairs = zip(reference.columns, reference.target_columns, strict=True)
    matched = " and ".join(f"child.{column} = parent.{target}" for column, target in pairs)
    keys = ", ".join(f"child.{column}" for column in reference.columns)
    given = " and ".join(f"child.{column} is not null" for column in reference.columns)
    return (
        f"select distinct {keys} from main.{name} as child"  # noqa: S608
        f" anti join main.{reference.relation} as parent on {matched} where {given} order by all"
    )


def _check_counts(db: Connection, whole: dict[str, Described]) -> Iterator[Finding]:
    for told, needed, query in COUNTS:
        if not needed <= whole.keys():
            continue
        differing = _examples(db, query)
        if differing:
            yield Finding("counts", BROKEN, f"not so that {told}: {differing}; {FROM_SCRATCH}")
        else:
            yield Finding("counts", GOOD, told)


def _check_blocks(db: Connection, report: Report) -> Iterator[Finding]:
    tables = db.execute(TABLES).fetchall()
    for done, (schema, name) in enumerate(tables):
        report("reading the file", done, len(tables))
        db.execute(f"select bit_xor(hash(t)) from {schema}.{name} as t").fetchall()  # noqa: S608
    report("reading the file", len(tables), len(tables))
    yield Finding("file", GOOD, f"every block of {len(tables)} tables can be read")


def _examples(db: Connection, query: str) -> str:
    """How many rows a query for faults has, and the first of them; empty where it has none."""
    rows = db.execute(f"select count(*) over (), * from ({query}) limit 3").fetchall()  # noqa: S608
    return some(rows[0][0], [", ".join(map(str, row[1:])) for row in rows]) if rows else ""


TABLES = """
select schema_name, table_name
from duckdb_tables()
where database_name = current_database() and not temporary and not internal
order by all
"""
# What holds, the relations that it is about, and the query for what is otherwise.
COUNTS: tuple[tuple[str, set[str], str], ...] = (
    (
        "each envelope of a raw file is an answer, an entry of a journal, or a reject",
        set(),
        """
        with taken as (
            select raw_file, count(*) as taken_count from landing.answer group by all
            union all
            select raw_file, count(*) as taken_count from landing.journal group by all
            union all
            select source as raw_file, count(*) as taken_count
            from landing.rejected
            where (stage = 'raw' and starts_with(key, '#')) or (stage = 'parse' and key = source)
            group by all
        )
        select
            name,
            envelope_count || ' envelopes' as written,
            coalesce(sum(taken_count), 0) || ' taken in' as taken
        from landing.raw_file
        left join taken on taken.raw_file = raw_file.name
        group by name, envelope_count
        having envelope_count <> coalesce(sum(taken_count), 0)
        order by name
        """,
    ),
    (
        "each repo that a listing holds is a known model, and no other is",
        {"model"},
        """
        (select repo_id from landing.latest except select repo_id from main.model where known)
        union all
        (select repo_id from main.model where known except select repo_id from landing.latest)
        order by repo_id
        """,
    ),
    (
        "each known model has been looked at",
        {"model", "model_observation"},
        """
        select repo_id
        from main.model
        anti join main.model_observation using (hub_id)
        where known
        order by repo_id
        """,
    ),
    (
        "each model has its place in a family",
        {"model", "family_member"},
        "select repo_id from main.model anti join main.family_member using (repo_id)"
        " order by repo_id",
    ),
    (
        "each family has as many members as it counts",
        {"family", "family_member"},
        """
        with counted as (
            select family_id, count(*) as found from main.family_member group by family_id
        )
        select family_id, member_count || ' told' as told, coalesce(found, 0) || ' found' as found
        from main.family
        left join counted using (family_id)
        where member_count <> coalesce(found, 0)
        order by family_id
        """,
    ),
)
