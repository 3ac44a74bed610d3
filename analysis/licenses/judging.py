"""What a licence asks of derivatives, and whether the licence that one declares keeps it.

Advice from declared licences and the rule table. Where the law or the texts leave it open the
answer is `UNCLEAR`; where a licence is not known it is `UNKNOWN`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from analysis.licenses.ledger import Ints
from analysis.licenses.naming import UNNAMED, AnyOf, Named, Terms
from analysis.licenses.rules import CLASSES, KINDS, UNKNOWN_CLASS, Rule, rule

Codes = npt.NDArray[np.int8]
KEPT, UNKNOWN, UNCLEAR, DROPPED = range(4)
VERDICTS = ("kept", "unknown", "unclear", "dropped")
# How a model came of what it was made from; that it comes of its data is not settled.
RELATIONS = ("finetune", "adapter", "quantized", "merge", "unknown", "dataset")
NOT_ASKED, PERHAPS, ASKED = range(3)
NAMING = KINDS.index("naming")
# They bind whoever publishes a derivative, whatever licence that one names.
BY_NAME_OR_DEED = frozenset({"naming", "no_derivatives"})


def class_of(terms: Terms) -> str:
    """Class of a declared licence: of several that bind the strictest, of a choice the mildest."""
    if isinstance(terms, Named):
        return UNKNOWN_CLASS if terms.license == UNNAMED else rule(terms.license).license_class
    found = [class_of(part) for part in terms.parts]
    if UNKNOWN_CLASS in found:
        return UNKNOWN_CLASS
    return (min if isinstance(terms, AnyOf) else max)(found, key=CLASSES.index)


def has_terms(terms: Terms) -> bool:
    """Whether it is known what a declared licence asks."""
    return class_of(terms) != UNKNOWN_CLASS


def asks(terms: Terms, kind: str) -> int:
    """Whether derivatives must keep it: `ASKED`, `PERHAPS` where unclear, `NOT_ASKED`.

    Of a choice only what every licence of it asks.
    """
    if isinstance(terms, Named):
        said = None if terms.license == UNNAMED else rule(terms.license).duties.get(kind)
        if said is None:
            return NOT_ASKED
        # What an exception lifts is for its text to say.
        return PERHAPS if said == "unclear" or terms.exception else ASKED
    found = [asks(part, kind) for part in terms.parts]
    return min(found) if isinstance(terms, AnyOf) else max(found)


def reaches(terms: Terms, kind: str, relation: str) -> int:
    """Whether a duty passes to a derivative made so: `ASKED` or `PERHAPS`."""
    found = [_reaches(entry, kind, relation) for entry in _asking(terms, kind)]
    return max(found, default=PERHAPS)


def judge(kind: str, origin: Terms, child: Terms) -> int:
    """Whether a child's licence keeps what its origin's asks; a naming rule is not judged here."""
    if kind == "no_derivatives":
        return DROPPED
    if not isinstance(origin, Named):
        found = [judge(kind, part, child) for part in origin.parts if asks(part, kind)]
        return min(found) if isinstance(origin, AnyOf) else max(found)
    if isinstance(child, Named):
        return _judge(kind, rule(origin.license), child)
    # All bind: one that keeps it is enough. A choice: the mildest may be chosen.
    found = [judge(kind, origin, part) for part in child.parts]
    return max(found) if isinstance(child, AnyOf) else min(found)


def judge_names(names: Sequence[str], prefix: str) -> Codes:
    """Whether names of repos begin as a naming rule wants, shape (n,).

    A name that has the word elsewhere is `UNCLEAR`: a repo's name need not be the model's.
    """
    wanted = prefix.lower()
    plain = [name.rpartition("/")[2].lower() for name in names]
    codes = [KEPT if n.startswith(wanted) else UNCLEAR if wanted in n else DROPPED for n in plain]
    return np.array(codes, dtype=np.int8)


class Bench:
    """Judgements over many rows, each distinct case judged once.

    Parameters
    ----------
    states
        Distinct declared licences; rows name them by their places. The first is unknown.
    names
        Shape (n,): repo_ids of the nodes that may be judged.

    Attributes
    ----------
    asked
        Shape (states, kinds): whether a licence asks it; see `asks`.
    reach
        Shape (states, kinds, relations): whether what it asks passes on; see `reaches`.
    is_unknown
        Shape (states,): whether it is not known what a licence asks, all or in part.
    """

    def __init__(self, states: Sequence[Terms], names: pa.Array) -> None:
        self.states, self._names = states, names
        self.is_unknown = np.array([not has_terms(terms) for terms in states])
        self.asked = np.array([[asks(terms, kind) for kind in KINDS] for terms in states], np.int8)
        self.reach = np.array(
            [[[reaches(t, k, r) for r in RELATIONS] for k in KINDS] for t in states], np.int8
        )
        self._prefix, self._prefixes = _prefixes(states)
        self._cache: dict[int, int] = {}

    def judge(self, kind: Ints, origin: Ints, node: Ints, child: Ints) -> Codes:
        """Verdicts on rows, shape (r,): kind, the origin's state, the node and its state."""
        count = len(self.states)
        cases, place = np.unique((kind * count + origin) * count + child, return_inverse=True)
        verdicts = np.array([self._case(case) for case in cases.tolist()], dtype=np.int8)
        found = verdicts[place] if len(cases) else np.empty(0, np.int8)
        for at, prefix in enumerate(self._prefixes):
            rows = (kind == NAMING) & (self._prefix[origin] == at)
            nodes, place = np.unique(node[rows], return_inverse=True)
            found[rows] = judge_names(self._names.take(pa.array(nodes)).to_pylist(), prefix)[place]
        return found

    def _case(self, case: int) -> int:
        if case not in self._cache:
            count = len(self.states)
            rest, child = divmod(case, count)
            kind, origin = divmod(rest, count)
            named = KINDS[kind] == "naming"  # overwritten by what the name says
            terms = self.states[origin], self.states[child]
            self._cache[case] = KEPT if named else judge(KINDS[kind], *terms)
        return self._cache[case]


def _judge(kind: str, origin: Rule, child: Named) -> int:
    if child.license == UNNAMED or not rule(child.license).has_terms:
        return UNKNOWN
    own = rule(child.license)
    if own.license == origin.license:
        return KEPT
    if kind in {"share_alike", "use_restrictions"}:
        return _judge_terms(kind, origin, own)
    # Research alone is no commerce either.
    keeping = {own.duties.get(kind), kind == "non_commercial" and own.duties.get("research_only")}
    if "yes" in keeping:
        return KEPT
    return UNCLEAR if "unclear" in keeping else DROPPED


def _judge_terms(kind: str, origin: Rule, own: Rule) -> int:
    if own.license in origin.kept_by:
        return KEPT
    kin = own.family == origin.family and kind in own.duties
    return UNCLEAR if kin else DROPPED


def _asking(terms: Terms, kind: str) -> list[Rule]:
    if isinstance(terms, Named):
        return [rule(terms.license)] if asks(terms, kind) else []
    return [entry for part in terms.parts for entry in _asking(part, kind)]


def _reaches(entry: Rule, kind: str, relation: str) -> int:
    if relation in {"finetune", "merge"}:
        return ASKED
    # A name is asked of a model that is trained or improved; others may be neither.
    if kind == "naming":
        return PERHAPS
    told = {"adapter": entry.adapter, "quantized": entry.quantized}
    told["unknown"] = "yes" if set(told.values()) == {"yes"} else "unclear"
    return ASKED if told.get(relation) == "yes" else PERHAPS


def _prefixes(states: Iterable[Terms]) -> tuple[Ints, list[str]]:
    wanted = [_prefix(terms) for terms in states]
    prefixes = sorted({prefix for prefix in wanted if prefix})
    return np.array([prefixes.index(p) if p else -1 for p in wanted], dtype=np.int64), prefixes


@cache
def _prefix(terms: Terms) -> str:
    asking = _asking(terms, "naming")
    return asking[0].duties["naming"] if asking else ""
