"""Licences of datasets, as a user gives them: the hub is not crawled for datasets."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa

from analysis import AnalysisError
from analysis.licenses.conflicts import duty_rows
from analysis.licenses.declared import state_of
from analysis.licenses.graph import Bools, Graph, with_datasets
from analysis.licenses.judging import UNCLEAR, Bench, class_of, has_terms
from analysis.licenses.ledger import Ints
from analysis.licenses.naming import Terms, is_known, read_license, spdx_of
from analysis.licenses.spreading import spread
from warehouse.build import amend
from warehouse.relations import is_there, read_relation, write_comment

COLUMNS = ("dataset_id", "license", "source")
MOST_BYTES = 500_000_000


class BadDatasetFile(AnalysisError):
    """A file of datasets' licences cannot be read; the message says where and what is wanted."""


@dataclass(frozen=True)
class Datasets:
    """Declared datasets, and which models declare them.

    Attributes
    ----------
    names, terms, owner
        Of each dataset: its id, its licence, its owner's number.
    model, dataset
        Shape (k,): pairs of a model's node and the number of a dataset that it declares.
    """

    names: list[str]
    terms: list[Terms]
    owner: Ints
    model: Ints
    dataset: Ints

    @classmethod
    def of(
        cls, listed: Sequence[tuple[str, list[str], int]], model: Ints, dataset: Ints
    ) -> Datasets:
        """From (dataset_id, licences, owner); ? stands for a licence that cannot be told."""
        return cls(
            names=[name for name, _, _ in listed],
            terms=[state_of(parts) for _, parts, _ in listed],
            owner=np.array([owner for _, _, owner in listed], dtype=np.int64),
            model=model,
            dataset=dataset,
        )

    @property
    def is_known(self) -> Bools:
        """Shape (d,): whether it is known what its licence asks."""
        return np.array([has_terms(one) for one in self.terms], dtype=np.bool_)


def spread_datasets(
    models: Graph,
    datasets: Datasets,
    *,
    names: pa.Array,
    states: Sequence[Terms],
    state: Ints,
    least: int = UNCLEAR,
) -> pa.Table:
    """What known datasets' licences lay on models, as `analysis.licenses.conflicts.duty_rows`.

    Whether a model is derived from its data is not settled: nothing of it is more than unclear.

    Parameters
    ----------
    names, state
        Of the models' nodes; -1 where one declares no licence.
    states
        Distinct licences of models.
    """
    every = [*states, *sorted(set(datasets.terms) - set(states), key=str)]
    number = {terms: at for at, terms in enumerate(every)}
    own = np.array([number[terms] for terms in datasets.terms], dtype=np.int64)
    told = datasets.is_known[datasets.dataset]
    graph = with_datasets(
        models,
        state=own,
        owner=datasets.owner,
        model=datasets.model[told],
        dataset=datasets.dataset[told],
    )
    both = pa.concat_arrays([names, pa.array(datasets.names, pa.string())])
    bench = Bench(every, both)
    found = spread(graph, bench)
    both_states = np.r_[state, own]
    return duty_rows(found, bench, names=both, state=both_states, models=len(names), least=least)


def publish_dataset_licenses(home: Path, file: Path) -> int:
    """Put datasets' licences into the published warehouse, in the place of those before.

    Parameters
    ----------
    file
        CSV in UTF-8 with a header: ``dataset_id`` and ``license`` as declared, and ``source``, who
        says so, where it is known. A line for each licence of a dataset.

    Returns
    -------
    How many datasets it tells of.

    Raises
    ------
    BadDatasetFile
        The published file is untouched then, and after what `warehouse.build.amend` raises.
    """
    rows = _table(_read(file))
    relation = read_relation("analysis.study", "dataset_license")

    def add(db: duckdb.DuckDBPyConnection) -> None:
        db.register("dataset_license_rows", rows)
        db.execute(f"create or replace table main.dataset_license as {relation.sql}")
        db.unregister("dataset_license_rows")
        write_comment(db, relation)

    amend(home, add)
    return len(set(rows["dataset_id"].to_pylist()))


def has_dataset_licenses(db: duckdb.DuckDBPyConnection) -> bool:
    """Whether this warehouse was given any."""
    return is_there(db, "main.dataset_license")


def _read(file: Path) -> list[dict[str, str]]:
    if file.stat().st_size > MOST_BYTES:
        raise BadDatasetFile(f"{file} is larger than {MOST_BYTES:,} bytes; split it")
    try:
        with file.open(encoding="utf-8-sig", newline="") as lines:
            return list(_checked(file, csv.DictReader(lines, strict=True)))
    except UnicodeDecodeError as error:
        raise BadDatasetFile(f"{file} is not UTF-8; write it as such") from error
    except csv.Error as error:
        raise BadDatasetFile(f"{file} is no CSV: {error}") from error


def _checked(file: Path, lines: csv.DictReader[str]) -> Iterable[dict[str, str]]:
    names = list(lines.fieldnames or ())
    if names.count("dataset_id") != 1 or names.count("license") != 1:
        raise BadDatasetFile(f"{file} wants a header with dataset_id and license, each once")
    for line in lines:
        told = {name: (line.get(name) or "").strip() for name in COLUMNS}
        if None in line or line["license"] is None or not told["dataset_id"]:
            raise BadDatasetFile(f"{file}, line {lines.line_num}: want dataset_id,license[,source]")
        yield told


def _table(lines: list[dict[str, str]]) -> pa.Table:
    rows = {(line["dataset_id"], line["license"]): line["source"] or None for line in lines}
    terms = [read_license(declared) for _, declared in rows]
    return pa.table(
        {
            "dataset_id": pa.array([dataset for dataset, _ in rows], pa.string()),
            "declared": pa.array([declared for _, declared in rows], pa.string()),
            "license": pa.array([str(t) if is_known(t) else None for t in terms], pa.string()),
            "spdx": pa.array([spdx_of(t) for t in terms], pa.string()),
            "license_class": pa.array([class_of(t) for t in terms], pa.string()),
            "source": pa.array(list(rows.values()), pa.string()),
        }
    )
