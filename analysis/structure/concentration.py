"""Concentration: how few owners uploads and downloads are in the hands of.

An owner is a person or an organisation. Listings give the name alone, so the two are not told
apart; what would (the Hub's pages of users and organisations) is not mined.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from analysis.structure.inequality import INDICES, inequality, lorenz, resampled_inequality
from analysis.study.measures import RAW, Study
from analysis.study.resampling import FEWEST_CLUSTERS, NO_INTERVAL, percentile_interval

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
ANALYSIS = "concentration"
REPLICATES = 200
# Capping owners takes away what is measured here.
TWINS = {"raw": "", "no_bulk": "and not is_bulk", "dated": "and is_dated"}
# downloads of an owner: of those of its models for which they are told
HELD = {
    "uploads": "select owner, count(*) as amount from node where known {kept} group by owner",
    "downloads": """
        select owner, sum(downloads_30d)::bigint as amount
        from node
        where known and downloads_30d is not null {kept}
        group by owner""",
}
UNIT = {"uploads": "models", "downloads": "downloads"}
SHARES = np.r_[np.linspace(0, 0.9, 19), 0.92, 0.94, 0.96, 0.98, 0.99, 0.995, 0.999, 1.0]
TOP_OWNERS = """
with held as ({held})
select owner.name, amount
from held
join owner using (owner)
where amount > 0
order by amount desc, owner.name
limit 25
"""
UNTOLD = "select count(*) from node where known and downloads_30d is null"
NOBODY = "nobody holds any"
NO_ORGANISATION = "listings do not tell an organisation from a person; see the figures of owners"


def concentration(study: Study) -> None:
    """Note Gini, Hoover and top shares of uploads and downloads by owner, and their Lorenz curves.

    Over owners of at least one known model; one whose models have no downloads holds 0, one of
    whose models none are told is left out. Intervals resample owners; in few owners the share of
    the largest hardly varies by resampling, so read them as lower bounds of what is not known.
    """
    for quantity, sql in HELD.items():
        for twin, kept in TWINS.items():
            amounts = study.arrays(sql.format(kept=kept))["amount"].astype(np.int64)
            _add_indices(study, quantity, twin, amounts)
            _plot_lorenz(study, quantity, twin, amounts)
        _plot_owners(study, quantity, sql.format(kept=""))
        _add_untold(study, quantity)
    untold = study.db.execute(UNTOLD).fetchall()[0][0]
    study.add(analysis=ANALYSIS, measure="models_untold", value=untold, count=untold, unit="models")


def _add_indices(study: Study, quantity: str, twin: str, amounts: Ints) -> None:
    distinct, holders = np.unique(amounts, return_counts=True)
    found = inequality(distinct, holders)
    rng = study.generator(f"{ANALYSIS} {quantity} {twin}")
    enough = found is not None and len(amounts) >= FEWEST_CLUSTERS
    drawn = resampled_inequality(distinct, holders, rng, REPLICATES) if enough else {}
    for index in INDICES:
        told = percentile_interval(drawn[index], "owner") if enough else NO_INTERVAL
        study.add(
            analysis=ANALYSIS,
            measure=index,
            subject=f"{quantity} by owner",
            twin=twin,
            value=found[index] if found else None,
            low=told.low,
            high=told.high,
            resampled=told.resampled,
            count=len(amounts),
            unit="share",
            reason=None if found else NOBODY,
        )


def _add_untold(study: Study, quantity: str) -> None:
    for index in INDICES:
        study.add(
            analysis=ANALYSIS,
            measure=index,
            subject=f"{quantity} by organisation",
            value=None,
            count=0,
            unit="share",
            reason=NO_ORGANISATION,
        )


def _plot_lorenz(study: Study, quantity: str, twin: str, amounts: Ints) -> None:
    if not amounts.any():
        return
    distinct, holders = np.unique(amounts, return_counts=True)
    for share, held in zip(SHARES, lorenz(distinct, holders, SHARES), strict=True):
        study.plot(
            analysis=ANALYSIS,
            series="lorenz",
            subject=quantity,
            twin=twin,
            x=float(share),
            label=f"poorest {100 * share:.4g} %",
            y=float(held),
            count=len(amounts),
        )


def _plot_owners(study: Study, quantity: str, held: str) -> None:
    rows = study.db.execute(TOP_OWNERS.format(held=held)).fetchall()
    for rank, (name, amount) in enumerate(rows, start=1):
        study.plot(
            analysis=ANALYSIS,
            series="top_owner",
            subject=quantity,
            twin=RAW,
            x=float(rank),
            label=name,
            y=float(amount),
            count=amount,
        )
