"""How much of a hub is in conflict: models, edges and downloads, by duty and by root licence."""

from __future__ import annotations

from hashlib import sha256

import numpy as np
import pyarrow as pa

from analysis.licenses.conflicts import CHARGES, charges, settled
from analysis.licenses.frame import Frame
from analysis.licenses.judging import Bench, Codes
from analysis.licenses.ledger import Columns, Ints, select
from analysis.licenses.naming import Terms
from analysis.licenses.rules import KINDS
from analysis.licenses.shares import Bools, add_shares
from analysis.licenses.spreading import Spread
from analysis.study.measures import Study

CONFLICT = CHARGES.index("conflict")
MOST_ROOTS = 20
LONGEST = 200
DERIVED = "derived models"


def add_exposure(study: Study, frame: Frame, found: Spread, bench: Bench) -> None:
    """Note what share of models, edges and downloads is in conflict, unclear, unknown or kept.

    Models and downloads are those of derived models; a model's charge is its worst. Nothing kept
    is told of a model with an ancestor whose licence is unknown: it is unknown, if not worse.
    """
    derived = frame.is_derived
    charge = settled(found, len(frame.state))
    downloads = frame.node["downloads_30d"][derived]
    models = frame.models(derived)
    parts = _by_charge(charge[derived])
    add_shares(study, "model_charge_share", parts, models, among=DERIVED)
    add_shares(study, "exposure", parts, models.times(downloads), among=f"downloads of {DERIVED}")
    edges = frame.edges(np.ones(len(frame.child), np.bool_))
    add_shares(study, "edge_charge_share", _by_charge(found.edge_verdict), edges, among="edges")
    _add_first_drops(study, frame, found)
    _add_duties(study, frame, found)
    _add_roots(study, frame, found, bench)
    _plot_generations(study, frame, charge)


def add_datasets(study: Study, frame: Frame, pairs: dict[str, Ints], rows: pa.Table) -> None:
    """Note how much is known of declared datasets, and what their licences leave open.

    Parameters
    ----------
    pairs
        ``model`` (its node), ``dataset`` (a number), ``known`` (whether its licence can be told)
        of each declaration.
    rows
        Rows of ``license_conflict`` whose origin is a dataset.
    """
    known = pairs["known"].astype(np.bool_)
    declaring = np.zeros(len(frame.state), np.bool_)
    declaring[pairs["model"]] = True
    unknown = np.zeros(len(frame.state), np.bool_)
    unknown[pairs["model"][~known]] = True
    models = frame.models(declaring)
    parts = {"some unknown": unknown[declaring], "all known": ~unknown[declaring]}
    add_shares(study, "dataset_license_share", parts, models, among="models that declare a dataset")
    datasets, first = np.unique(pairs["dataset"], return_index=True)
    counts = {"datasets": len(datasets), "datasets of known licence": int(known[first].sum())}
    counts["declarations"] = len(known)
    charged = {(row["child_id"]) for row in rows.select(["child_id"]).to_pylist()}
    counts["models in question"] = len(charged)
    for subject, count in counts.items():
        unit = "models" if subject.startswith("models") else "datasets"
        _add_count(study, "dataset_count", subject, count, unit=unit)


def _by_charge(charge: Codes) -> dict[str, Bools]:
    return {name: charge == at for at, name in enumerate(CHARGES)}


def _add_count(study: Study, measure: str, subject: str, count: int, *, unit: str) -> None:
    study.add(
        analysis="licenses",
        measure=measure,
        subject=subject,
        value=count,
        count=count,
        unit=unit,
    )


def _add_first_drops(study: Study, frame: Frame, found: Spread) -> None:
    """Of models in conflict, those that drop a duty themselves; the others only inherit drops."""
    rows = select(found.reached, charges(found.reached) == CONFLICT)
    own = np.zeros(len(frame.state), np.bool_)
    own[rows["child"][rows["drop_child"] == rows["child"]]] = True
    charged = _marked(frame, rows["child"])
    parts = {"drop it themselves": own[charged], "inherit the drop": ~own[charged]}
    add_shares(study, "first_drop_share", parts, frame.models(charged), among="models in conflict")
    _add_count(study, "origin_cut_count", "", found.cut_count, unit="origins")


def _add_duties(study: Study, frame: Frame, found: Spread) -> None:
    """For each duty, what becomes of it at the models that it reaches, and of their downloads."""
    for at, kind in enumerate(KINDS):
        rows = select(found.reached, found.reached["kind"] == at)
        _add_reached(study, frame, rows, subject=kind, measure="duty")


def _add_roots(study: Study, frame: Frame, found: Spread, bench: Bench) -> None:
    """The same for the licences whose duties reach most models."""
    state = np.maximum(frame.state, 0)[found.reached["origin"]]
    keys = np.unique(np.column_stack([state, found.reached["child"]]), axis=0)
    licenses, counts = np.unique(keys[:, 0], return_counts=True)
    most = licenses[np.lexsort((licenses, -counts))][:MOST_ROOTS]
    for root in most.tolist():
        rows = select(found.reached, state == root)
        _add_reached(study, frame, rows, subject=_named(bench.states[root]), measure="root")


def _named(terms: Terms) -> str:
    """A name of bounded length that no other licence has."""
    text = str(terms)
    if len(text) <= LONGEST:
        return text
    return f"{text[:LONGEST]}… ({sha256(text.encode()).hexdigest()[:8]})"


def _add_reached(study: Study, frame: Frame, rows: Columns, *, subject: str, measure: str) -> None:
    reached = _marked(frame, rows["child"])
    charge = np.zeros(len(frame.state), np.int8)
    np.maximum.at(charge, rows["child"], charges(rows))
    models = frame.models(reached)
    parts = {f"{subject}, {name}": part for name, part in _by_charge(charge[reached]).items()}
    among = f"models that {subject} reaches"
    add_shares(study, f"{measure}_charge_share", parts, models, among=among)
    weighed = models.times(frame.node["downloads_30d"][reached])
    add_shares(study, f"{measure}_exposure", parts, weighed, among=f"downloads of {among}")


def _marked(frame: Frame, nodes: Ints) -> Bools:
    marked = np.zeros(len(frame.state), np.bool_)
    marked[nodes] = True
    return marked


def _plot_generations(study: Study, frame: Frame, charge: Codes) -> None:
    generation = frame.node["generation"][frame.is_derived]
    charge = charge[frame.is_derived]
    for number in np.unique(generation).tolist():
        here = charge[generation == number]
        for at, name in enumerate(CHARGES):
            study.plot(
                analysis="licenses",
                series="charge_by_generation",
                subject=name,
                x=number,
                label=str(number),
                y=float(np.mean(here == at)),
                count=len(here),
            )
