"""What is asked: an attribute of models, or the relation of edges, with what is known of it.

A question has instances (models, or edges), a label of each (the number of its class, or none) and
sources of votes. Classes are the `MOST_CLASSES` values that most instances declare, each at least
`FEWEST_DECLARED` times; all other values are one class more, which is never told.
"""

from __future__ import annotations

import csv
from collections import Counter
from dataclasses import dataclass
from fnmatch import fnmatchcase
from importlib import resources

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from analysis.prediction.votes import Source, edge_sources, node_sources
from analysis.study.measures import Arrays, Study

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
MISSING = -1
MOST_CLASSES = 40
FEWEST_DECLARED = 20
RELATION = "relation"
ATTRIBUTES = ("pipeline_tag", "library_name", "license", "license_family", "model_type")
VALUE_COLUMNS = {"license_family": "license"}
MODELS = """
select node, coalesce(primary_parent, -1)::bigint as parent, family::bigint as family, owner,
    created_at, is_bulk, is_dated, known
from node
order by node
"""
VALUES = "select pipeline_tag, library_name, license, model_type from node order by node"
EDGES = """
select child as node, kin.parent, family::bigint as family, owner, created_at, is_bulk, is_dated,
    true as known
from kin
join node on node.node = kin.child
order by edge
"""
# Says that nothing is known of it, which is no licence.
NOTHING_SAID = ("unknown", "???", "")


@dataclass(frozen=True)
class Question:
    """An attribute over n instances.

    Attributes
    ----------
    name
        The attribute.
    values
        All values that are declared, the most frequent first.
    spellings
        What is declared, as it is spelled (of a family of licences, the licences).
    class_count
        c: how many of them, from the first, can be told.
    code
        Shape (n,): the number of the value declared, `MISSING` for none.
    is_asked
        Shape (n,): of whom an answer is wanted: listed, and without a label.
    node, parent
        Shape (n,): the model (of an edge, its child) and the parent that it is seen beside; -1 for
        none.
    family, owner
        Shape (n,): numbers of the model's.
    created_at
        Shape (n,): UTC; NaT where it is not known.
    is_bulk, is_dated
        Shape (n,), of the model.
    sources
        Where votes come from.
    """

    name: str
    values: list[str]
    spellings: list[str]
    class_count: int
    code: Ints
    is_asked: Bools
    node: Ints
    parent: Ints
    family: Ints
    owner: Ints
    created_at: npt.NDArray[np.datetime64]
    is_bulk: Bools
    is_dated: Bools
    sources: list[Source]

    @property
    def classes(self) -> list[str]:
        """The c values that can be told."""
        return self.values[: self.class_count]

    @property
    def label(self) -> Ints:
        """Shape (n,): the class declared, c for a rarer value, `MISSING` for none."""
        return np.minimum(self.code, self.class_count)


def license_family(license_name: str | None) -> str | None:
    """A coarse class of a declared licence, by ``license_families.csv``, the first row that fits.

    None where none is declared, or one that says nothing (``unknown``).
    """
    if license_name is None or license_name.lower() in NOTHING_SAID:
        return None
    folded = license_name.lower()
    return next(name for pattern, name in _families() if fnmatchcase(folded, pattern))


def model_questions(study: Study) -> list[Question]:
    """One question for each of `ATTRIBUTES`, about all models, ghosts too."""
    told = study.arrays(MODELS)
    values = study.db.sql(VALUES).to_arrow_table()
    edges = study.arrays("select child, parent from kin order by edge")
    sources = node_sources(told, edges["child"], edges["parent"])
    return [
        _question(name, values[VALUE_COLUMNS.get(name, name)], told, sources) for name in ATTRIBUTES
    ]


def relation_question(study: Study) -> Question:
    """The question of which relation each edge is."""
    told = study.arrays(EDGES)
    values = study.db.sql("select relation from kin order by edge").to_arrow_table()
    return _question(RELATION, values["relation"], told, edge_sources(told))


def _question(name: str, column: pa.ChunkedArray, told: Arrays, sources: list[Source]) -> Question:
    encoded = column.combine_chunks().dictionary_encode()
    values, code = _coded(encoded, name)
    support = np.bincount(code[code != MISSING], minlength=len(values))
    return Question(
        name=name,
        values=values,
        spellings=encoded.dictionary.to_pylist(),
        class_count=int(np.count_nonzero(support[:MOST_CLASSES] >= FEWEST_DECLARED)),
        code=code,
        is_asked=(code == MISSING) & told["known"],
        **{key: told[key] for key in ("node", "parent", "family", "owner")},
        **{key: told[key] for key in ("created_at", "is_bulk", "is_dated")},
        sources=sources,
    )


def _coded(encoded: pa.DictionaryArray, name: str) -> tuple[list[str], Ints]:
    """The values declared, the most frequent first (of equals by name), and of each row which."""
    raw = [*(_meaning(value, name) for value in encoded.dictionary.to_pylist()), None]
    at = pc.fill_null(encoded.indices, len(raw) - 1).to_numpy()
    support: Counter[str] = Counter()
    for value, count in zip(raw, np.bincount(at, minlength=len(raw)).tolist(), strict=True):
        if value is not None:
            support[value] += count
    values = sorted(support, key=lambda value: (-support[value], value))
    number: dict[str | None, int] = {None: MISSING, **{one: at for at, one in enumerate(values)}}
    return values, np.array([number[value] for value in raw])[at]


def _meaning(value: str, name: str) -> str | None:
    """What a declared value says of the attribute; None where it says nothing."""
    if name == RELATION:
        return None if value == "unknown" else value
    if name == "license":
        return value if license_family(value) else None
    return license_family(value) if name == "license_family" else value


def _families() -> list[tuple[str, str]]:
    with (resources.files("analysis.prediction") / "license_families.csv").open() as file:
        return [(row["pattern"], row["license_family"]) for row in csv.DictReader(file)]
