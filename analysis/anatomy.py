"""The study "anatomy": an ecosystem under a lens.

It reproduces, on any warehouse, "Anatomy of a Machine Learning Ecosystem: 2 Million Models on
Hugging Face" (Laufer, Oderinwa, Kleinberg 2025), puts a robust twin and an interval beside each
number, and adds what that paper leaves out. Each analysis is a function of a `Study`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from importlib import resources

import duckdb
import pyarrow as pa
from pyarrow import csv

from analysis.findings import findings
from analysis.impact.hub import impact
from analysis.licenses.ecosystem import licenses
from analysis.prediction.step import predict
from analysis.similarity.similarity import similarity
from analysis.structure.concentration import concentration
from analysis.structure.survey import structure
from analysis.study.frame import lay_out
from analysis.study.measures import Measure, Point, Step, Study, as_table
from analysis.traits.drift import drift
from analysis.traits.mutation import traits
from warehouse.landing import Report

# How a study opens a warehouse: arrays take their share of memory, and what is left DuckDB spills.
OPENED_WITH = {"memory_limit": "2500MB"}
# What is done, in order; a later one may read what an earlier one kept.
STEPS: tuple[tuple[str, Step], ...] = (
    ("models and edges", lay_out),
    ("structure", structure),
    ("concentration", concentration),
    ("traits", traits),
    ("drift", drift),
    ("similarity", similarity),
    ("licences", licenses),
    ("blast radius", impact),
    ("undocumented attributes", predict),
    ("findings", findings),
)


def study_anatomy(
    db: duckdb.DuckDBPyConnection,
    *,
    as_of: datetime | None = None,
    seed: int = 0,
    report: Report = lambda label, done, total: None,
    steps: Sequence[tuple[str, Step]] = STEPS,
) -> Study:
    """Make the study of an opened warehouse, in temporary tables of this connection.

    Parameters
    ----------
    db
        A published warehouse, opened read-only; a large one with `OPENED_WITH`.
    as_of
        UTC time of which it tells; None for the present.
    steps
        Which analyses, in order; ``lay_out`` comes first.

    Returns
    -------
    The study; ``kept`` names the tables that it made.
    """
    study = Study(db, as_of=as_of, seed=seed, report=report)
    for label, step in steps:
        report(label, 0, 1)
        step(study)
        report(label, 1, 1)
    _keep_numbers(study)
    return study


def published() -> pa.Table:
    """What papers give: analysis, measure, subject, published, published_source, published_note."""
    with (resources.files("analysis") / "published.csv").open("rb") as file:
        return csv.read_csv(file, convert_options=csv.ConvertOptions(strings_can_be_null=False))


def _keep_numbers(study: Study) -> None:
    study.db.register("published", published())
    study.keep("study_measure", as_table(study.measures, Measure))
    study.db.unregister("published")
    study.keep("study_series", as_table(study.points, Point))
    study.keep("study", _told(study))


def _told(study: Study) -> pa.Table:
    sql = "select (select count(*) from node), (select count(*) from kin), data_as_of from build"
    models, edges, data_as_of = study.db.execute(sql).fetchall()[0]
    return pa.table(
        {
            "study": ["anatomy"],
            "made_at": [datetime.now(UTC).replace(tzinfo=None)],
            "data_as_of": [study.as_of or data_as_of],
            "seed": [study.seed],
            "model_count": [models],
            "edge_count": [edges],
        }
    )
