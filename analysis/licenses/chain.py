"""One model's licences explained: its ancestors, what theirs ask of it, and where that is dropped.

It reads a built warehouse and no study, and finds what the study's ``license_conflict`` says of the
model, with what is kept and what is unknown beside it.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa

from analysis.licenses.conflicts import CHARGES, duty_rows
from analysis.licenses.datasets import Datasets, has_dataset_licenses, spread_datasets
from analysis.licenses.declared import read_declared
from analysis.licenses.graph import Graph, relation_codes
from analysis.licenses.judging import Bench
from analysis.licenses.naming import Terms, licenses_in, read_license
from analysis.licenses.rules import TOLD, rule
from analysis.licenses.spreading import spread
from analysis.trees import NONE, grow_trees

MOST_ANCESTORS = 2_000
KEPT = CHARGES.index("kept")
ANCESTORS = """
create or replace temp table chain_model as
with recursive above(repo_id, hops) using key (repo_id) as (
    select ?::varchar, 0
    union
    select edge.parent_id, min(above.hops) + 1
    from above
    join main.base_model_edge as edge on edge.child_id = above.repo_id
    left join recurring.above as seen on seen.repo_id = edge.parent_id
    where seen.repo_id is null
    group by edge.parent_id
)
select
    repo_id,
    hops,
    known,
    coalesce(author, repo_id) as owner,
    row_number() over (order by hops, repo_id) as place
from above
join main.model using (repo_id)
"""
MODELS = """
select
    chain_model.repo_id, hops, known, owner, state,
    list({'declared': declared, 'license_name': license_name, 'evidence': evidence,
        'license': license, 'spdx': spdx, 'license_class': declared_license.license_class}
        order by position, declared) filter (where declared is not null) as declared
from chain_model
left join license_state using (repo_id)
left join declared_license using (repo_id)
group by all
order by chain_model.repo_id
"""
EDGES = """
select child_id, parent_id, relation, evidence
from main.base_model_edge
where child_id in (select repo_id from chain_model)
    and parent_id in (select repo_id from chain_model)
order by child_id, position, parent_id
"""
DATASETS = """
with told as (
    select dataset_id, list_sort(list(distinct coalesce(license, '?'))) as parts
    from {licensed}
    group by dataset_id
)
select dataset_id, coalesce(parts, ['?']) as parts, list(repo_id order by hops, repo_id) as models
from main.model_dataset
join chain_model using (repo_id)
left join told using (dataset_id)
group by all
order by min(hops), dataset_id
"""
NO_DATASETS = "(select null::varchar as dataset_id, null::varchar as license limit 0)"


@dataclass(frozen=True)
class Link:
    """A model of the chain.

    Attributes
    ----------
    hops
        Fewest edges from the model that is explained.
    licenses
        What it declares: declared, license_name, evidence, license, spdx, license_class; license
        is None where it cannot be told.
    made
        What was made of it in the chain: child_id, relation, evidence.
    """

    repo_id: str
    hops: int
    known: bool
    licenses: list[dict[str, Any]]
    made: list[dict[str, Any]]


@dataclass(frozen=True)
class Chain:
    """What is known of one model's licences.

    Attributes
    ----------
    links
        The model and its ancestors, the nearest first.
    duties
        What reaches it: columns of ``license_conflict``, with verdicts kept and unknown beside
        conflict and unclear, and ``source``, where the licence says so.
    notices
        What else the licences of the chain ask that no declared licence shows: license, duty, said,
        source.
    datasets
        dataset_id, declared_by, license: its licences, ? where one is not known.
    cut_count
        Ancestors left out, the farthest.
    """

    repo_id: str
    links: list[Link]
    duties: list[dict[str, Any]]
    notices: list[dict[str, Any]]
    datasets: list[dict[str, Any]]
    cut_count: int

    def as_json(self) -> dict[str, Any]:
        """Nested plain values."""
        return asdict(self)


def explain(db: duckdb.DuckDBPyConnection, repo_id: str, *, most: int = MOST_ANCESTORS) -> Chain:
    """Explain the licences of a model or ghost that the warehouse has; makes temporary tables.

    Of more ancestors than ``most`` the farthest are left out, and with them what they ask.
    """
    db.execute(ANCESTORS, [repo_id])
    count = db.execute("select count(*) from chain_model").fetchall()[0][0]
    db.execute("delete from chain_model where place > ?", [most + 1])
    states = read_declared(db, "chain_model")
    models = db.execute(MODELS).fetchall()
    edges = db.execute(EDGES).fetchall()
    links = _links(models, edges)
    licensed = "main.dataset_license" if has_dataset_licenses(db) else NO_DATASETS
    datasets = db.execute(DATASETS.format(licensed=licensed)).fetchall()
    return Chain(
        repo_id=repo_id,
        links=links,
        duties=_duties(repo_id, models, edges, datasets, states),
        notices=_notices(links),
        datasets=[
            {"dataset_id": dataset, "declared_by": by, "license": parts}
            for dataset, parts, by in datasets
        ],
        cut_count=max(count - most - 1, 0),
    )


Rows = list[tuple[Any, ...]]


def _links(models: Rows, edges: Rows) -> list[Link]:
    made: dict[str, list[dict[str, Any]]] = {}
    for child, parent, relation, evidence in edges:
        entry = {"child_id": child, "relation": relation, "evidence": evidence}
        made.setdefault(parent, []).append(entry)
    links = [
        Link(repo_id, hops, known, declared or [], made.get(repo_id, []))
        for repo_id, hops, known, _, _, declared in models
    ]
    return sorted(links, key=lambda link: (link.hops, link.repo_id))


def _duties(
    repo_id: str, models: Rows, edges: Rows, datasets: Rows, states: list[Terms]
) -> list[dict[str, Any]]:
    names = pa.array([row[0] for row in models], pa.string())
    owners = {name: at for at, name in enumerate(dict.fromkeys(row[3] for row in models))}
    state = np.array([NONE if row[4] is None else row[4] for row in models], dtype=np.int64)
    graph = _graph(models, edges, owners, state)
    bench = Bench(states, names)
    found = spread(graph, bench)
    rows = duty_rows(found, bench, names=names, state=state, models=len(models), least=KEPT)
    declared = _datasets(models, datasets, owners)
    given = {"names": names, "states": states, "state": state}
    of_data = spread_datasets(graph, declared, **given, least=KEPT)
    both = [*rows.to_pylist(), *of_data.to_pylist()]
    own = [row for row in both if row["child_id"] == repo_id]
    return [row | {"source": _source(row["origin_license"], row["obligation"])} for row in own]


def _graph(models: Rows, edges: Rows, owners: dict[str, int], state: Any) -> Graph:
    number = {row[0]: at for at, row in enumerate(models)}
    child = np.array([number[row[0]] for row in edges], dtype=np.int64)
    parent = np.array([number[row[1]] for row in edges], dtype=np.int64)
    trees = grow_trees(child, parent, np.ones(len(edges), np.int64), model_count=len(models))
    return Graph(
        child=child,
        parent=parent,
        relation=relation_codes(np.array([row[2] for row in edges], dtype=object)),
        state=np.maximum(state, 0),
        owner=np.array([owners[row[3]] for row in models], dtype=np.int64),
        level=trees.generation,
        knot=np.where(trees.cycle == NONE, np.arange(len(models)), trees.cycle),
        may_ask=np.ones(len(models), np.bool_),
    )


def _datasets(models: Rows, datasets: Rows, owners: dict[str, int]) -> Datasets:
    number = {row[0]: at for at, row in enumerate(models)}
    pairs = [(number[by], at) for at, row in enumerate(datasets) for by in row[2]]
    told = np.array(pairs, dtype=np.int64).reshape(-1, 2)
    listed = [
        (
            dataset,
            parts,
            owners.get(dataset.partition("/")[0], -1 - at) if "/" in dataset else -1 - at,
        )
        for at, (dataset, parts, _) in enumerate(datasets)
    ]
    return Datasets.of(listed, told[:, 0], told[:, 1])


def _source(license_text: str, obligation: str) -> str:
    asking = [
        rule(leaf.license)
        for leaf in licenses_in(read_license(license_text))
        if leaf.license != "?" and obligation in rule(leaf.license).duties
    ]
    return "; ".join(dict.fromkeys(entry.source for entry in asking))


def _notices(links: list[Link]) -> list[dict[str, Any]]:
    spelled = [entry["license"] for link in links for entry in link.licenses if entry["license"]]
    leaves = {leaf.license for text in spelled for leaf in licenses_in(read_license(text))}
    return [
        {"license": entry.license, "duty": duty, "said": said, "source": entry.source}
        for entry in map(rule, sorted(leaves))
        for duty in TOLD
        if (said := entry.duties.get(duty)) is not None
    ]
