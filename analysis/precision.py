"""Precision of declared lineage, of claims that were read one by one.

``lineage_labels.csv`` holds claims drawn at random from records of the Hub, and for each whether
its base model is what the model was made from. How they were drawn and read is told in
``docs/lineage.md``.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources

import numpy as np
import pyarrow as pa
from pyarrow import csv
from scipy.stats import binomtest, norm

Label = dict[str, str | int]


@dataclass(frozen=True, kw_only=True)
class Precision:
    """What share of a source's claims are right, read by hand.

    Attributes
    ----------
    stratum
        Part of the source's claims that was drawn from; empty for all of them, each stratum weighed
        by its claims.
    right, wrong, unclear
        Drawn claims; unclear ones are left out of the share.
    share
        right / (right + wrong), of a whole source weighed by stratum.
    low, high
        Wilson's 95 % interval; of a whole source normal, with each stratum's variance taken as if
        one more claim were right and one more wrong.
    relation_share
        Of claims with a right base model, the share whose relation is right, too; None where none
        could be told.
    """

    recording: str
    evidence: str
    stratum: str
    claim_count: int
    right: int
    wrong: int
    unclear: int
    share: float
    low: float
    high: float
    relation_share: float | None


def labels() -> pa.Table:
    """The claims that were read by hand; ``docs/lineage.md`` tells what the columns hold."""
    with (resources.files("analysis") / "lineage_labels.csv").open("rb") as file:
        return csv.read_csv(file, convert_options=csv.ConvertOptions(strings_can_be_null=False))


def precisions(labelled: pa.Table) -> list[Precision]:
    """Precision of each stratum of labelled claims, and of each source over its strata."""
    rows = labelled.to_pylist()
    keys = sorted({(r["evidence"], r["recording"], r["stratum"]) for r in rows})
    strata = [
        _precision_of([r for r in rows if (r["evidence"], r["recording"], r["stratum"]) == key])
        for key in keys
    ]
    sources = sorted({one.evidence for one in strata})
    return strata + [_over([s for s in strata if s.evidence == source]) for source in sources]


def rereading(labelled: pa.Table) -> dict[str, tuple[int, int, float]]:
    """Two readings of the same claims: for parent and relation, how many, how many alike, kappa."""
    twice = [r for r in labelled.to_pylist() if r["second_parent"]]
    return {
        what: _kappa([(r[f"first_{what}"], r[f"second_{what}"]) for r in twice])
        for what in ("parent", "relation")
    }


def wilson(right: int, count: int) -> tuple[float, float]:
    """Wilson's 95 % interval of a share, from 0 to 1 where nothing was counted."""
    if count == 0:
        return 0.0, 1.0
    found = binomtest(right, count).proportion_ci(0.95, method="wilson")
    return float(found.low), float(found.high)


def _precision_of(rows: list[Label]) -> Precision:
    told = [r["is_parent"] for r in rows]
    right, wrong = told.count("yes"), told.count("no")
    low, high = wilson(right, right + wrong)
    return Precision(
        recording=str(rows[0]["recording"]),
        evidence=str(rows[0]["evidence"]),
        stratum=str(rows[0]["stratum"]),
        claim_count=int(rows[0]["stratum_count"]),
        right=right,
        wrong=wrong,
        unclear=told.count("unclear"),
        share=right / max(right + wrong, 1),
        low=low,
        high=high,
        relation_share=_relation_share(rows),
    )


def _relation_share(rows: list[Label]) -> float | None:
    told = [r["is_relation"] for r in rows if r["is_parent"] == "yes"]
    known = told.count("yes") + told.count("no")
    return told.count("yes") / known if known else None


def _over(strata: list[Precision]) -> Precision:
    weight = np.array([s.claim_count for s in strata], np.float64)
    weight /= weight.sum()
    told = np.array([s.right + s.wrong for s in strata])
    cautious = np.array([s.right + 1 for s in strata]) / (told + 2)
    share = float(weight @ [s.share for s in strata])
    error = np.sqrt(np.sum(weight**2 * cautious * (1 - cautious) / np.maximum(told, 1)))
    reach = float(norm.ppf(0.975) * error)
    relation = [(w, s.relation_share) for w, s in zip(weight, strata, strict=True)]
    known = [(w, r) for w, r in relation if r is not None]
    return Precision(
        recording="",
        evidence=strata[0].evidence,
        stratum="",
        claim_count=sum(s.claim_count for s in strata),
        right=sum(s.right for s in strata),
        wrong=sum(s.wrong for s in strata),
        unclear=sum(s.unclear for s in strata),
        share=share,
        low=max(0.0, share - reach),
        high=min(1.0, share + reach),
        relation_share=sum(w * r for w, r in known) / sum(w for w, _ in known) if known else None,
    )


def _kappa(pairs: list[tuple[str, str]]) -> tuple[int, int, float]:
    """Cohen's kappa; 1 where both readings give every claim the same single label."""
    alike = sum(one == other for one, other in pairs)
    seen = alike / len(pairs)
    first, second = zip(*pairs, strict=True)
    chance = sum(first.count(x) * second.count(x) for x in set(first)) / len(pairs) ** 2
    return len(pairs), alike, 1.0 if chance == 1 else (seen - chance) / (1 - chance)
