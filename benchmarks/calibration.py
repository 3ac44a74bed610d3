"""``python -m benchmarks.calibration HOME [PROPOSALS.csv]``: how far sources of lineage are right.

Prints how often the sources of a warehouse agree with each other and with what a bot proposed
(columns child, parent, status, method), and the precision of claims that were read by hand.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from pyarrow import csv

from analysis.calibration import agreements
from analysis.precision import labels, precisions, rereading
from warehouse.read import open_warehouse


def main(home: Path, proposals: Path | None) -> None:
    """Print all tables."""
    show_agreements(home, proposals)
    show_precisions()


def show_agreements(home: Path, proposals: Path | None) -> None:
    """Sources against each other, and against proposals."""
    given = csv.read_csv(proposals) if proposals else None
    print("| source | against | kind | agree | share | Wilson 95 % | by owner 95 % | owners |")
    print("|---|---|---|---|---|---|---|---|")
    with open_warehouse(home) as db:
        for one in agreements(db, given, np.random.default_rng(0)):
            owner = one.by_owner
            reach = "too few" if owner.low is None else f"{owner.low:.3f} to {owner.high:.3f}"
            print(
                f"| {one.source} | {one.other} | {one.kind} | {one.agreed} of {one.compared} |"
                f" {one.share:.3f} | {one.low:.3f} to {one.high:.3f} |"
                f" {reach} | {one.owner_count} |"
            )


def show_precisions() -> None:
    """What was read by hand."""
    labelled = labels()
    print(
        "\n| evidence | recording | stratum | claims | right | wrong | unclear | precision |",
        end="",
    )
    print(" 95 % | relation right |\n|---|---|---|---|---|---|---|---|---|---|")
    for one in precisions(labelled):
        relation = "" if one.relation_share is None else f"{one.relation_share:.3f}"
        print(
            f"| {one.evidence} | {one.recording or 'both'} | {one.stratum or 'weighed'} |"
            f" {one.claim_count} | {one.right} | {one.wrong} | {one.unclear} | {one.share:.3f} |"
            f" {one.low:.3f} to {one.high:.3f} | {relation} |"
        )
    for what, (count, alike, kappa) in rereading(labelled).items():
        print(f"\n{what} read twice: {alike} of {count} alike, kappa {kappa:.2f}")


if __name__ == "__main__":
    if len(sys.argv) not in {2, 3}:
        sys.exit("usage: python -m benchmarks.calibration HOME [PROPOSALS.csv]")
    main(Path(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) == 3 else None)
