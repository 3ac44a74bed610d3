"""Family sizes and children per model: their distributions, and what law they follow.

Families of one are counted elsewhere: they have no lineage, so they say nothing of how it grows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from analysis.structure.alternatives import Tail, compare_tails
from analysis.structure.graph import ANALYSIS, Graph
from analysis.structure.tails import (
    FEWEST_IN_TAIL,
    PowerLaw,
    bootstrap_alpha,
    fit_power_law,
    goodness,
    histogram,
)
from analysis.study.measures import RAW, Study
from analysis.study.resampling import NO_INTERVAL, Interval, percentile_interval
from analysis.study.twins import OWNER_CAP

Ints = npt.NDArray[np.int64]
REPLICATES = 200
POINTS = 150  # of a curve
FEWEST_REPLICATES = 20
# by our names, theirs
PARAMETERS = {"alpha": "alpha", "rate": "Lambda", "mu": "mu", "sigma": "sigma", "beta": "beta"}
TAIL = pa.schema(
    [
        *((name, pa.string()) for name in ("subject", "distribution", "verdict")),
        *((name, pa.int64()) for name in ("xmin", "tail_count")),
        *((name, pa.float64()) for name in ("log_likelihood", "ratio", "p", *PARAMETERS)),
    ]
)
NO_TAIL = f"fewer than {FEWEST_IN_TAIL} of two sizes or more"


@dataclass(frozen=True)
class Sample:
    """Sizes, and the family that each is resampled with; shape (n,) both."""

    subject: str
    twin: str
    sizes: Ints
    family: Ints
    unit: str


def sizes(study: Study, graph: Graph) -> None:
    """Note distributions of family sizes (two or more) and of children per parent, and their fits.

    Twins count within each family, or among each model's children, what they keep: no more than
    `OWNER_CAP` of one owner, none of bulk uploaders, or none whose creation is not known. Keeps
    ``tail_fit``.
    """
    fits: list[tuple[Sample, PowerLaw, list[Tail]]] = []
    for sample in _samples(graph):
        _plot_survival(study, sample)
        law = fit_power_law(*histogram(sample.sizes))
        _add_law(study, sample, law)
        if law and sample.twin == RAW:
            tails = compare_tails(*histogram(sample.sizes), law)
            fits.append((sample, law, tails))
            _plot_fits(study, sample, law, tails)
    study.keep("tail_fit", tail_rows(fits))


def tail_rows(fits: list[tuple[Sample, PowerLaw, list[Tail]]]) -> pa.Table:
    """A row a distribution that was fitted."""
    rows = [
        {
            "subject": sample.subject,
            "distribution": tail.distribution,
            "xmin": law.xmin,
            "tail_count": law.tail_count,
            "log_likelihood": tail.log_likelihood,
            "ratio": tail.ratio,
            "p": tail.p,
            "verdict": tail.verdict,
            **{name: tail.parameters.get(theirs) for name, theirs in PARAMETERS.items()},
        }
        for sample, law, tails in fits
        for tail in tails
    ]
    return pa.Table.from_pylist(rows, TAIL)


def _samples(graph: Graph) -> Iterator[Sample]:
    everyone = np.arange(graph.count)
    in_family = graph.family_size >= 2
    for twin in ("raw", "owner_capped", "no_bulk", "dated"):
        members = everyone[in_family & _is_kept(graph, everyone, twin)]
        groups, found = _group_sizes(graph.family[members], graph.owner[members], twin)
        larger = found >= 2
        yield Sample("family_size", twin, found[larger], groups[larger], "models")
        kept = _is_kept(graph, graph.child, twin)
        children = graph.child[kept]
        parents, found = _group_sizes(graph.parent[kept], graph.owner[children], twin)
        yield Sample("children", twin, found, graph.family[parents], "models")


def _is_kept(graph: Graph, models: Ints, twin: str) -> npt.NDArray[np.bool_]:
    if twin == "no_bulk":
        return np.asarray(~graph.is_bulk[models])
    if twin == "dated":
        return graph.is_dated[models]
    return np.ones(len(models), bool)


def _group_sizes(group: Ints, owner: Ints, twin: str) -> tuple[Ints, Ints]:
    if twin != "owner_capped":
        return np.unique(group, return_counts=True)
    span = int(owner.max(initial=0)) + 1
    pairs, counts = np.unique(group * span + owner, return_counts=True)
    groups, place = np.unique(pairs // span, return_inverse=True)
    capped = np.minimum(counts, OWNER_CAP)
    return groups, np.bincount(place, capped, len(groups)).astype(np.int64)


def _add_law(study: Study, sample: Sample, law: PowerLaw | None) -> None:
    rng = study.generator(f"{sample.subject} {sample.twin}")
    drawn = bootstrap_alpha(sample.sizes, sample.family, rng, REPLICATES) if law else np.zeros(0)
    told = percentile_interval(drawn, "family") if len(drawn) > FEWEST_REPLICATES else NO_INTERVAL
    _add(
        study,
        sample,
        law,
        measure="alpha",
        value=law.alpha if law else None,
        unit="exponent",
        told=told,
    )
    _add(study, sample, law, measure="xmin", value=law.xmin if law else None, unit=sample.unit)
    _add(study, sample, law, measure="ks", value=law.distance if law else None, unit="distance")
    share = law.tail_count / law.count if law else None
    _add(study, sample, law, measure="tail_share", value=share, unit="share")
    if sample.twin == RAW:
        p = _goodness(study, sample, law) if law else None
        _add(study, sample, law, measure="power_law_p", value=p, unit="p")


def _add(
    study: Study,
    sample: Sample,
    law: PowerLaw | None,
    *,
    measure: str,
    value: float | None,
    unit: str,
    told: Interval = NO_INTERVAL,
) -> None:
    study.add(
        analysis=ANALYSIS,
        measure=measure,
        subject=sample.subject,
        twin=sample.twin,
        value=value,
        low=told.low,
        high=told.high,
        resampled=told.resampled,
        count=law.tail_count if law else len(sample.sizes),
        unit=unit,
        reason=None if law else NO_TAIL,
    )


def _goodness(study: Study, sample: Sample, law: PowerLaw) -> float:
    rng = study.generator(f"{sample.subject} by the law")
    return goodness(*histogram(sample.sizes), law, rng=rng, replicates=REPLICATES)


def _plot_survival(study: Study, sample: Sample) -> None:
    distinct, counts = histogram(sample.sizes)
    above = np.cumsum(counts[::-1])[::-1]
    for at in _spread(distinct):
        study.plot(
            analysis=ANALYSIS,
            series=sample.subject,
            twin=sample.twin,
            x=float(distinct[at]),
            label=str(distinct[at]),
            y=float(above[at] / above[0]),
            count=int(above[at]),
        )


def _plot_fits(study: Study, sample: Sample, law: PowerLaw, tails: list[Tail]) -> None:
    x = histogram(sample.sizes)[0]
    x = x[x >= law.xmin]
    for tail in tails:
        for at in _spread(x):
            study.plot(
                analysis=ANALYSIS,
                series=f"{sample.subject}_fit",
                subject=tail.distribution,
                x=float(x[at]),
                label=str(x[at]),
                y=float(tail.survival[at] * law.tail_count / law.count),
                count=law.tail_count,
            )


def _spread(sizes: Ints) -> list[int]:
    """Places of at most about `POINTS` sizes, evenly spaced by their logarithms; both ends too."""
    if len(sizes) <= POINTS:
        return list(range(len(sizes)))
    steps = np.geomspace(sizes[0], sizes[-1], POINTS)
    places = np.searchsorted(sizes, np.floor(steps))
    spread = np.unique(np.r_[0, np.minimum(places, len(sizes) - 1), len(sizes) - 1])
    return [int(at) for at in spread]
