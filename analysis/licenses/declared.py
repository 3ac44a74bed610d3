"""Declared licences of models, from where the Hub tells them to what they are.

Where several places tell, the strongest counts alone, as they tell of the same declaration: tags,
then the server's reading of the card (cardData), then the front matter as read here. All licences
that one place lists bind together. ``other`` is what its license_name says, where that is known.
"""

from __future__ import annotations

from collections.abc import Iterable

import duckdb
import pyarrow as pa

from analysis.licenses.judging import class_of
from analysis.licenses.naming import UNKNOWN, Terms, all_of, is_known, read_license, spdx_of

DECLARED = """
create or replace temp table license_declaration as
with tagged as (
    select repo_id, tag_value as said, 'tag' as evidence, 0 as rank, position
    from main.model_tag
    where kind = 'license' and tag_value <> ''
        and repo_id in (select repo_id from {subject})
),
unnamed as (
    select repo_id from {subject}
    except
    select repo_id from tagged where lower(trim(said)) <> 'other'
),
front as (
    select repo_id, card_data as fields, 'card_data' as evidence, 1 as rank
    from main.model_metadata
    where contains(card_data, '"license') and repo_id in (select repo_id from unnamed)
    union all
    select repo_id, front_matter as fields, 'front_matter' as evidence, 2 as rank
    from main.card
    where contains(front_matter, '"license') and repo_id in (select repo_id from unnamed)
),
listed as (
    select
        repo_id,
        evidence,
        rank,
        case json_type(fields, '$.license')
            when 'ARRAY' then cast(fields->'license' as json[])
            else [fields->'license']
        end as entries
    from front
    where json_type(fields, '$.license') is not null
),
entry as (
    select
        repo_id,
        evidence,
        rank,
        unnest(entries) as entry,
        generate_subscripts(entries, 1) as position
    from listed
),
claim as (
    select repo_id, said, evidence, rank, position from tagged
    union all
    select repo_id, coalesce(entry->>'$', '') as said, evidence, rank, position
    from entry
    where json_type(entry) <> 'NULL'
),
strongest as (
    select *
    from claim
    where trim(said) <> ''
    qualify rank = min(rank) over (partition by repo_id)
),
named as (
    select repo_id, arg_min(fields->>'license_name', rank) as license_name
    from front
    where json_type(fields, '$.license_name') = 'VARCHAR'
    group by repo_id
)
select
    strongest.repo_id,
    said,
    case when lower(trim(said)) = 'other' then license_name end as license_name,
    evidence,
    min(position) as position
from strongest
left join named on named.repo_id = strongest.repo_id
group by all
"""
# What looks keep of a past time is one licence.
PAST = """
create or replace temp table license_declaration as
select
    repo_id, license as said, null::varchar as license_name, 'tag' as evidence, 1 as position
from {subject}
where license is not null and trim(license) <> ''
"""
# Longer declarations are shown cut to 200 characters; they are unknown in any case.
READ = """
create or replace temp table declared_license as
select
    told.repo_id,
    left(told.said, 200) as declared,
    left(any_value(told.license_name), 200) as license_name,
    any_value(told.evidence) as evidence,
    any_value(reading.license) as license,
    any_value(reading.spdx) as spdx,
    any_value(reading.license_class) as license_class,
    min(told.position) as position
from license_declaration as told
join license_reading as reading
    on reading.said = told.said
    and reading.license_name is not distinct from told.license_name
group by told.repo_id, left(told.said, 200)
"""
STATES = """
create or replace temp table license_state as
with declared as (
    select repo_id, list_sort(list(distinct coalesce(license, '?'))) as parts
    from declared_license
    group by repo_id
)
select repo_id, state, state_number.license_class
from declared
join state_number using (parts)
"""


def read_declared(
    db: duckdb.DuckDBPyConnection, subject: str, *, is_past: bool = False
) -> list[Terms]:
    """Make the temporary tables ``declared_license`` and ``license_state``.

    Parameters
    ----------
    subject
        A relation with ``repo_id`` of the models to read, and ``license`` where it is of the past.
    is_past
        Whether only what looks keep is to be read.

    Returns
    -------
    Distinct declared licences, the first of them unknown. ``license_state`` gives a model's place
    in them (repo_id, state, license_class) and has no row for a model that declares none.
    """
    db.execute((PAST if is_past else DECLARED).format(subject=subject))
    texts = db.execute("select distinct said, license_name from license_declaration").fetchall()
    _with_rows(db, license_reading=_readings(texts), sql=READ)
    listed = db.execute(
        "select distinct list_sort(list(distinct coalesce(license, '?'))) as parts"
        " from declared_license group by repo_id order by parts"
    ).fetchall()
    found = {tuple(parts): state_of(parts) for (parts,) in listed}
    states = [UNKNOWN, *sorted(set(found.values()) - {UNKNOWN}, key=str)]
    _with_rows(db, state_number=_numbers(found, states), sql=STATES)
    return states


def state_of(parts: Iterable[str]) -> Terms:
    """The licence that several of one thing are together, each as ``license`` tells it."""
    return all_of(map(read_license, parts))


def _with_rows(db: duckdb.DuckDBPyConnection, *, sql: str, **tables: pa.Table) -> None:
    for name, rows in tables.items():
        db.register(name, rows)
    db.execute(sql)
    for name in tables:
        db.unregister(name)


def _readings(texts: list[tuple[str, str | None]]) -> pa.Table:
    terms = [read_license(said if name is None else name) for said, name in texts]
    return pa.table(
        {
            "said": pa.array([said for said, _ in texts], pa.string()),
            "license_name": pa.array([name for _, name in texts], pa.string()),
            "license": pa.array([str(t) if is_known(t) else None for t in terms], pa.string()),
            "spdx": pa.array([spdx_of(t) for t in terms], pa.string()),
            "license_class": pa.array([class_of(t) for t in terms], pa.string()),
        }
    )


def _numbers(found: dict[tuple[str, ...], Terms], states: list[Terms]) -> pa.Table:
    number = {terms: at for at, terms in enumerate(states)}
    return pa.table(
        {
            "parts": pa.array([list(parts) for parts in found], pa.list_(pa.string())),
            "state": pa.array([number[terms] for terms in found.values()], pa.int64()),
            "license_class": pa.array([class_of(t) for t in found.values()], pa.string()),
        }
    )
