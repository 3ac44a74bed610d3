"""Mutation rates: how much of a trait changes from a base model to what is made of it.

The rate of a trait is the mean Jaccard distance of both ends' values over the edges whose ends both
report it; an end that reports nothing has no part in it. The parent's value is the one that a look
found by the child's creation, where there was such a look and looks keep the trait; else it is the
present one, which may have changed since.

Source: Laufer, Oderinwa, Kleinberg, "Anatomy of a Machine Learning Ecosystem" (2025).
"""

from __future__ import annotations

import numpy as np

from analysis.study.measures import Study
from analysis.study.twins import Bools, Ints
from analysis.traits.edges import RELATIONS, Compared, Edges, compare, read_edges
from analysis.traits.means import Mean, note_means
from analysis.traits.numbers import note_numbers
from analysis.traits.traffic import add_traffic, begin_traffic, keep_traffic
from analysis.traits.values import TRAITS, UNNAMED, Trait, lay_ground

UNREPORTED = "no edge has the trait at both ends"
UNSEEN = "no parent was looked at before its child was made"


def traits(study: Study) -> None:
    """Note how traits change along edges, and keep ``trait_transition``.

    Of a trait that takes values, by twin: ``mutation_rate``, of all its edges (subject: the trait)
    and of those of each relation (``license, adapter``); ``changed_share``, of edges whose ends are
    not the same; ``reported_share``, of all edges those whose ends both report it. Of a licence
    also ``mutation_rate_named``, without edges of which an end says ``other``;
    ``parent_observed_share``, of edges whose parent's value is of a look by the child's creation;
    ``mutation_rate_observed``, of those alone. Of numbers: see `analysis.traits.numbers`.

    Leaves ``trait_traffic``, which `analysis.traits.drift` reads.
    """
    lay_ground(study)
    edges = read_edges(study)
    begin_traffic(study)
    reporting = {}
    for at, trait in enumerate(TRAITS):
        study.report(f"traits: {trait.name}", at, len(TRAITS))
        compared = compare(study, trait)
        reporting[trait.name] = compared.edge
        _note_rates(study, trait, edges, compared)
        add_traffic(study, trait, compared, edges)
    keep_traffic(study)
    _note_reported(study, edges, reporting)
    note_numbers(study, edges)
    _plot_rates(study)


def _note_rates(study: Study, trait: Trait, edges: Edges, compared: Compared) -> None:
    at = compared.edge
    means = [*_rates(trait, compared, edges.relation[at]), *_licence_rates(study, trait, compared)]
    note_means(
        study,
        means,
        weights=edges.weights(at),
        clusters=edges.clusters(at),
        purpose=trait.name,
    )


def _rates(trait: Trait, compared: Compared, relation: np.ndarray) -> list[Mean]:
    distance = compared.distance
    everything = np.ones(len(distance), np.bool_)
    changed = (distance > 0).astype(np.float64)
    groups = {trait.name: everything}
    groups |= {f"{trait.name}, {name}": relation == name for name in RELATIONS}
    rates = [_rate(compared, "mutation_rate", group, mask) for group, mask in groups.items()]
    return [
        *rates,
        Mean(
            measure="changed_share",
            subject=trait.name,
            unit="share",
            values=changed,
            mask=everything,
            reason=UNREPORTED,
        ),
    ]


def _licence_rates(study: Study, trait: Trait, compared: Compared) -> list[Mean]:
    if not trait.looked:
        return []
    seen = compared.is_observed
    named = ~np.isin(compared.edge, _unnamed_edges(study, trait))
    return [
        _rate(compared, "mutation_rate_named", trait.name, named),
        _rate(compared, "mutation_rate_observed", trait.name, seen, UNSEEN),
        Mean(
            measure="parent_observed_share",
            subject=trait.name,
            unit="share",
            values=seen.astype(np.float64),
            mask=np.ones(len(seen), np.bool_),
            reason=UNREPORTED,
        ),
    ]


def _rate(
    compared: Compared, measure: str, subject: str, mask: Bools, reason: str = UNREPORTED
) -> Mean:
    return Mean(
        measure=measure,
        subject=subject,
        unit="distance",
        values=compared.distance,
        mask=mask,
        reason=reason,
    )


def _unnamed_edges(study: Study, trait: Trait) -> Ints:
    names = ", ".join(f"'{name}'" for name in UNNAMED[trait.name])
    sql = "select distinct edge from carried join spelling using (code)"
    return study.arrays(f"{sql} where value in ({names})")["edge"]


def _note_reported(study: Study, edges: Edges, reporting: dict[str, Ints]) -> None:
    """These count all edges, and say how many a rate rests on: they have no interval."""
    everything = np.arange(len(edges.owner))
    for twin, weight in edges.weights(everything).items():
        total = float(weight.sum())
        for name, at in reporting.items():
            study.add(
                analysis="traits",
                measure="reported_share",
                subject=name,
                twin=twin,
                value=float(weight[at].sum()) / total if total else None,
                count=int(np.count_nonzero(weight)),
                unit="share",
                reason=None if total else f"no edges{' in this twin' if len(weight) else ''}",
            )


def _plot_rates(study: Study) -> None:
    order = {trait.name: at for at, trait in enumerate(TRAITS)}
    for one in study.measures:
        is_rate = one.analysis == "traits" and one.measure == "mutation_rate"
        if is_rate and one.subject in order and one.value is not None:
            study.plot(
                analysis="traits",
                series="mutation_rate",
                twin=one.twin,
                x=float(order[one.subject]),
                label=one.subject,
                y=one.value,
                low=one.low,
                high=one.high,
                count=one.count,
            )
