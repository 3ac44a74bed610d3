"""The analysis of structure, step by step."""

from __future__ import annotations

from collections.abc import Callable

from analysis.structure.counts import counts
from analysis.structure.generations import generations
from analysis.structure.graph import Graph, read_graph
from analysis.structure.growth import growth
from analysis.structure.patterns import patterns
from analysis.structure.shapes import shapes
from analysis.structure.sizes import sizes
from analysis.structure.waits import waits
from analysis.study.measures import Study

STEPS: dict[str, Callable[[Study, Graph], None]] = {
    "counts": counts,
    "family sizes": sizes,
    "shapes": shapes,
    "motifs": patterns,
    "generations": generations,
    "growth": growth,
    "waits": waits,
}


def structure(study: Study) -> None:
    """Note what families are like, all in all; keep ``family_shape`` and ``tail_fit``."""
    graph = read_graph(study)
    for done, (label, step) in enumerate(STEPS.items()):
        study.report(f"structure: {label}", done, len(STEPS))
        step(study, graph)
    study.report("structure", len(STEPS), len(STEPS))
