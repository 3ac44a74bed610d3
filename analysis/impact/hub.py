"""Blast radius over a whole hub: a step of the study of its anatomy."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from analysis.impact.concentration import note_concentration
from analysis.impact.dependence import Dependence, read_dependence
from analysis.impact.mirrors import find_mirrors
from analysis.impact.orphans import note_orphans
from analysis.impact.repos import Impacts, count_impacts
from analysis.impact.shares import Shares, note_shares, read_rows
from analysis.study.measures import Study
from analysis.trees import NONE

NO_HASHES = "the hash of no weight file of a repo that others depend on is known"


def impact(study: Study) -> None:
    """Keep ``mirror``, ``repo_impact`` and ``lost_base``; note how dependence is concentrated.

    What depends on what, and how, is defined in `analysis.impact.dependence`.
    """
    dependence, rows = read_dependence(study.db), read_rows(study)
    impacts = count_impacts(dependence)
    find_mirrors(study.db, models="node")
    study.keep("mirror")
    study.keep("repo_impact", _rows(dependence, impacts))
    note_concentration(study, dependence, impacts, rows)
    note_orphans(study, dependence, rows)
    _note_mirrors(study, dependence)


def _rows(dependence: Dependence, impacts: Impacts) -> pa.Table:
    kept = np.flatnonzero(impacts.columns["descendant_count"])
    above = impacts.dominator[kept]
    columns = {name: column[kept] for name, column in impacts.columns.items()}
    dominator = pa.array(dependence.node[above], mask=above == NONE)
    return pa.table({"node": dependence.node[kept], "dominator": dominator, **columns})


def _note_mirrors(study: Study, dependence: Dependence) -> None:
    """Of the repos that others depend on and whose hashes are known: which lie elsewhere, too."""
    found = study.arrays("""
        select node.node, repo_impact.mirror
        from repo_impact
        join node using (repo_id)
        where repo_impact.mirror is not null
        order by node.node""")
    rows = read_rows(study)
    mirror = np.full(dependence.graph.count, "", dtype=object)
    mirror[np.searchsorted(dependence.node, found["node"].astype(np.int64))] = found["mirror"]
    parts = {state: mirror == state for state in ("other_owner", "same_owner", "part", "none")}
    asked = Shares(rows=rows, base=mirror != "", parts=parts, nothing=NO_HASHES)
    note_shares(study, "mirror_share", asked)
