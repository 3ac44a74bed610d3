"""Licences of a whole hub: what is declared, how it drifts along edges, and what is dropped.

All of it is advice from declarations: they do not tell what was agreed on elsewhere.
"""

from __future__ import annotations

import pyarrow as pa

from analysis.licenses.conflicts import duty_rows
from analysis.licenses.datasets import Datasets, has_dataset_licenses, spread_datasets
from analysis.licenses.declared import read_declared
from analysis.licenses.drift import add_classes, add_drift
from analysis.licenses.exposure import add_datasets, add_exposure
from analysis.licenses.frame import Frame, read_frame
from analysis.licenses.judging import Bench
from analysis.licenses.ledger import Ints
from analysis.licenses.naming import Terms
from analysis.licenses.rules import as_rows
from analysis.licenses.spreading import spread
from analysis.study.measures import Study

# A dataset's licences bind all; an owner without a model has a number of its own.
DATASETS = """
create or replace temp table dataset_place as
with told as (
    select dataset_id, list_sort(list(distinct coalesce(license, '?'))) as parts
    from {licensed}
    group by dataset_id
),
declared as (
    select distinct dataset_id from main.model_dataset
)
select
    row_number() over (order by dataset_id) - 1 as dataset,
    dataset_id,
    coalesce(parts, ['?']) as parts,
    coalesce(owner.owner, -row_number() over (order by dataset_id)) as owner
from declared
left join told using (dataset_id)
left join owner on contains(dataset_id, '/') and owner.name = split_part(dataset_id, '/', 1)
"""
NO_DATASETS = "(select null::varchar as dataset_id, null::varchar as license limit 0)"
PAIRS = """
select node.node as model, dataset_place.dataset
from main.model_dataset
join node using (repo_id)
join dataset_place using (dataset_id)
order by model, dataset
"""


def licenses(study: Study) -> None:
    """Keep ``license_rule``, ``model_license``, ``license_conflict`` and ``license_drift``; note
    shares of classes, drift along edges, conflicts and exposure, with twins and intervals.

    A conflict is charged only where both licences are known, the rule is clear and the duty passes
    on for sure; what is unclear or unknown is counted as such. Of datasets nothing is known but
    what ``dataset_license`` tells.
    """
    study.keep("license_rule", as_rows())
    states = read_declared(study.db, "node", is_past=study.as_of is not None)
    study.keep("model_license")
    frame = read_frame(study)
    names = _names(study, "select repo_id from node order by node")
    bench = Bench(states, names)
    found = spread(frame.graph(), bench)
    rows = duty_rows(found, bench, names=names, state=frame.state, models=len(names))
    pairs, of_data = _of_datasets(study, frame, names, states)
    study.keep("license_conflict", pa.concat_tables([rows, of_data]))
    add_classes(study, frame)
    add_drift(study, frame)
    add_exposure(study, frame, found, bench)
    add_datasets(study, frame, pairs, of_data)


def _of_datasets(
    study: Study, frame: Frame, names: pa.Array, states: list[Terms]
) -> tuple[dict[str, Ints], pa.Table]:
    """Which model declares which dataset, and what the known ones' licences lay on models."""
    licensed = "main.dataset_license" if has_dataset_licenses(study.db) else NO_DATASETS
    study.db.execute(DATASETS.format(licensed=licensed))
    listed = study.db.execute(
        "select dataset_id, parts, owner from dataset_place order by dataset"
    ).fetchall()
    pairs = study.arrays(PAIRS)
    datasets = Datasets.of(listed, pairs["model"], pairs["dataset"])
    pairs["known"] = datasets.is_known[pairs["dataset"]]
    state = frame.state
    return pairs, spread_datasets(frame.graph(), datasets, names=names, states=states, state=state)


def _names(study: Study, sql: str) -> pa.Array:
    return study.db.sql(sql).to_arrow_table()[0].combine_chunks().cast(pa.string())
