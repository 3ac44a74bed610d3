"""What a check of a warehouse finds, and how it is told."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice

GOOD, BROKEN, BEHIND = "good", "broken", "behind"
FROM_SCRATCH = "run: hubatlas build --from-scratch"
EXAMPLES = 3


@dataclass(frozen=True)
class Finding:
    """What a check found; ``outcome`` is ``good``, ``broken``, or ``behind``: a build is due."""

    check: str
    outcome: str
    detail: str


def some(count: int, examples: Iterable[str]) -> str:
    """A count and the first of what is counted."""
    shown = [f"[{example}]" for example in islice(examples, EXAMPLES)]
    more = " …" if count > len(shown) else ""
    return f"{count:,}: {' '.join(shown)}{more}"
