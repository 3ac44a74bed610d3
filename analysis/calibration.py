"""How far sources of declared lineage agree, and with what a bot proposed to owners in 2023.

Agreement is the share, of the models for which two sources name a base model, where they name the
same one. Where two sources err apart from each other, it is a lower bound of the precision of
either; where one was written from the other, it says nothing of precision. It is never recall:
nobody knows all base models. The procedure is told in ``docs/lineage.md``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import duckdb
import numpy as np
import pyarrow as pa

from analysis.precision import wilson
from analysis.study.measures import Arrays
from analysis.study.resampling import Interval, mean_intervals
from warehouse.relations import read_relation

# Two ids name the same base model where they end alike: owners of old ids were added in between.
# A name that is left of another one may be that of a family (bert) or of nothing at all.
CLAIM = """
create or replace temp table base_name as
select distinct lower(split_part(repo_id, '/', -1)) as base from model;
create or replace temp table said as
with claim as (
    select distinct child_id, evidence, lower(split_part(parent_id, '/', -1)) as base
    from base_model_evidence
    where refusal is null or evidence = 'name'
)
select child_id, evidence, base from claim
union all
select child_id, 'name of a model' as evidence, base
from claim
where evidence = 'name' and base in (select base from base_name)
"""
# What a name says can be told of any child, also of one that this warehouse does not hold.
PROPOSED = """
create or replace temp table proposed as
select
    child,
    lower(split_part(parent, '/', -1)) as base,
    case when method = 'regex' then 'card_text' else 'adapter_config' end as method,
    status
from proposal
"""
AGAINST_PROPOSALS = """
with called as (
    select child_id, lower(split_part(parent_id, '/', -1)) as base
    from proposed_name
),
told as (
    select child_id, evidence, base from said where not starts_with(evidence, 'name')
    union all
    select child_id, 'name' as evidence, base from called
    union all
    select child_id, 'name of a model' as evidence, base
    from called
    where base in (select base from base_name)
)
select
    told.evidence as source,
    'proposed from ' || proposed.method as other,
    proposed.status = 'merged' as is_confirmed,
    lower(split_part(told.child_id, '/', 1)) as owner,
    bool_or(told.base = proposed.base) as agrees
from told
join proposed on proposed.child = told.child_id
group by told.child_id, told.evidence, proposed.method, proposed.status
order by all
"""
AGAINST_EACH_OTHER = """
select
    one.evidence as source,
    other.evidence as other,
    false as is_confirmed,
    lower(split_part(child_id, '/', 1)) as owner,
    bool_or(one.base = other.base) as agrees
from said as one
join said as other using (child_id)
where one.evidence < other.evidence
    and not (starts_with(one.evidence, 'name') and starts_with(other.evidence, 'name'))
group by child_id, one.evidence, other.evidence
order by all
"""


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """How often two sources name the same base model where both name one.

    Attributes
    ----------
    source, other
        Places of evidence, or what a bot proposed from a place.
    kind
        ``all``, or ``confirmed``: only proposals that the owner took in.
    compared, agreed
        Models.
    share
        agreed / compared.
    low, high
        Wilson's 95 % interval, as if models were independent.
    by_owner
        95 % interval that resamples owners of the models; empty where they are too few.
    """

    source: str
    other: str
    kind: str
    compared: int
    agreed: int
    share: float
    low: float
    high: float
    by_owner: Interval
    owner_count: int


def agreements(
    db: duckdb.DuckDBPyConnection, proposals: pa.Table | None, rng: np.random.Generator
) -> list[Agreement]:
    """Compare the sources of a warehouse with each other, and with proposals where given.

    Parameters
    ----------
    db
        A published warehouse; temporary tables are made on this connection.
    proposals
        Columns child, parent, status (merged where the owner took it in) and method (regex for
        card text, anything else for adapter_config.json).

    Returns
    -------
    By source, other, kind; only pairs of sources that some model has both of.
    """
    db.execute(CLAIM)
    rows = _columns(db, AGAINST_EACH_OTHER)
    found = list(_compared(rows, rng))
    if proposals is not None:
        _take_proposals(db, proposals)
        found += _compared(_columns(db, AGAINST_PROPOSALS), rng)
    return found


def _take_proposals(db: duckdb.DuckDBPyConnection, proposals: pa.Table) -> None:
    db.register("proposal_rows", proposals)
    db.execute("create or replace temp table proposal as from proposal_rows")
    db.unregister("proposal_rows")
    db.execute(PROPOSED)
    # The rule for names reads the repos of a build; here these are the children proposed.
    db.execute(
        "create or replace temp table latest_record as select child as repo_id from proposed"
    )
    rule = read_relation("warehouse", "name_hint").sql
    db.execute(f"create or replace temp table proposed_name as {rule}")
    db.execute("drop table latest_record")


def _columns(db: duckdb.DuckDBPyConnection, sql: str) -> Arrays:
    columns = db.execute(sql).fetchnumpy()
    return {name: np.asarray(column) for name, column in columns.items()}


def _compared(rows: Arrays, rng: np.random.Generator) -> Iterable[Agreement]:
    pairs = sorted(set(zip(rows["source"], rows["other"], strict=True)))
    for source, other in pairs:
        of_pair = (rows["source"] == source) & (rows["other"] == other)
        for kind, chosen in (("all", of_pair), ("confirmed", of_pair & rows["is_confirmed"])):
            if chosen.any():
                yield _agreement((source, other, kind), rows, chosen, rng)


def _agreement(
    named: tuple[str, str, str], rows: Arrays, chosen: np.ndarray, rng: np.random.Generator
) -> Agreement:
    agrees = rows["agrees"][chosen].astype(np.float64)
    owners, owner = np.unique(rows["owner"][chosen].astype(str), return_inverse=True)
    agreed, compared = int(agrees.sum()), len(agrees)
    low, high = wilson(agreed, compared)
    ones = np.ones((compared, 1))
    (by_owner,) = mean_intervals(agrees[:, None], ones, {"owner": owner}, rng)
    return Agreement(
        **dict(zip(("source", "other", "kind"), named, strict=True)),
        compared=compared,
        agreed=agreed,
        share=agreed / compared,
        low=low,
        high=high,
        by_owner=by_owner,
        owner_count=len(owners),
    )
