"""Ways in which a server that calls itself a hub goes wrong, chosen when it starts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

LinkRule = Callable[[str, str | None], str | None]


@dataclass(frozen=True)
class Fault:
    """What one mode does.

    Attributes
    ----------
    next_link
        From this page's URL and the true next one (None: last page) to the URL in ``Link``.
    refused_expands
        ``expand`` values that a list answers with 400; some have been refused at times.
    html
        Answer everything 200 with a web page, as a captive portal does.
    """

    next_link: LinkRule = lambda here, after: after
    refused_expands: frozenset[str] = frozenset()
    html: bool = False


FAULTS = {
    "plain": Fault(),
    "no-link": Fault(next_link=lambda here, after: None),
    "loop-cursor": Fault(next_link=lambda here, after: here),
    "refuse-expand": Fault(
        refused_expands=frozenset({"baseModels", "childrenModelCount", "usedStorage"})
    ),
    "html": Fault(html=True),
}
