"""What a spread of duties comes to: a charge for each model, and rows for people to read."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from analysis.licenses.judging import DROPPED, UNCLEAR, UNKNOWN, Bench, Codes
from analysis.licenses.ledger import NONE, Columns, Ints, select
from analysis.licenses.rules import KINDS
from analysis.licenses.spreading import Spread

# A charge is a verdict of which it is also sure that the duty passes on; else it is unclear.
CHARGES = ("kept", "unknown", "unclear", "conflict")


def charges(reached: Columns) -> Codes:
    """What each entry of a spread comes to, as a place in `CHARGES`."""
    verdict = reached["verdict"]
    found = np.where((verdict == DROPPED) & ~reached["is_sure"].astype(np.bool_), UNCLEAR, verdict)
    return found.astype(np.int8)


def settled(spread: Spread, model_count: int) -> Codes:
    """The worst charge of each model, shape (n,); nothing charged but a licence above unknown is
    `UNKNOWN`.
    """
    found = spread.unknown_above[:model_count].astype(np.int8) * UNKNOWN
    np.maximum.at(found, spread.reached["child"], charges(spread.reached))
    return found


def duty_rows(
    spread: Spread, bench: Bench, *, names: pa.Array, state: Ints, models: int, least: int = UNCLEAR
) -> pa.Table:
    """Rows of ``license_conflict``: what is charged for sure or perhaps.

    Parameters
    ----------
    names
        Names of all nodes; those from ``models`` on are datasets.
    state
        Places of declared licences in ``bench.states``; -1 where a model declares none.
    least
        The least charge to tell of, a place in `CHARGES`.
    """
    charge = charges(spread.reached)
    rows = select(spread.reached, charge >= least)
    charge = charge[charge >= least]
    is_dropped = rows["drop_hops"] < np.iinfo(np.int64).max
    spelled = pa.array([str(terms) for terms in bench.states])
    because = np.where(rows["verdict"] == UNCLEAR, "license", "relation")
    child_state = state[rows["child"]]
    return pa.table(
        {
            "child_id": names.take(pa.array(rows["child"])),
            "child_license": spelled.take(pa.array(child_state, mask=child_state == NONE)),
            "obligation": pa.array(KINDS).take(pa.array(rows["kind"])),
            "origin_id": names.take(pa.array(rows["origin"])),
            "origin_kind": pa.array(["model", "dataset"]).take(
                pa.array((rows["origin"] >= models).astype(np.int8))
            ),
            "origin_license": spelled.take(pa.array(state[rows["origin"]])),
            "hops": rows["hops"],
            "verdict": pa.array(CHARGES).take(pa.array(charge)),
            "unclear_because": pa.array(because, pa.string(), mask=charge != UNCLEAR),
            "drop_parent_id": names.take(pa.array(rows["drop_parent"], mask=~is_dropped)),
            "drop_child_id": names.take(pa.array(rows["drop_child"], mask=~is_dropped)),
            "drop_hops": pa.array(rows["drop_hops"], mask=~is_dropped),
            "may_be_earlier": pa.array(rows["drop_blind"].astype(np.bool_), mask=~is_dropped),
        }
    )
