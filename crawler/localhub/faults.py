"""Ways in which a server that calls itself a hub goes wrong, chosen when it starts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from crawler.localhub.catalogue import SHUFFLED
from crawler.localhub.fields import BARE, BASIC
from crawler.localhub.spoilers import (
    Spoiler,
    date_first,
    no_ranges,
    reset_first,
    short_files,
    storm,
    throttle_first,
    untouched,
    wrong_ranges,
)

LinkRule = Callable[[str, str | None], str | None]
ELSEWHERE = "https://elsewhere.invalid"


@dataclass(frozen=True)
class Fault:
    """What one mode does.

    Attributes
    ----------
    does
        One sentence.
    next_link
        From this page's URL and the true next one (None: last page) to the URL in ``Link``.
    refused_expands
        ``expand`` values that a list answers with 400; some have been refused at times.
    order
        What every list is sorted by, downwards, whatever was asked; None: as asked.
    fields
        What every list shows, whatever was asked; None: as asked.
    most_a_page, over_most
        The largest page of a list, and the status of an answer to who asks for a larger one.
    moving
        Change records between the pages of a list.
    bare
        Speak no more than the least that passes for a hub: the list, records and files.
    hide_missing
        401 for a repo that is not there, to callers without a token.
    uncounted_discussions
        How many more discussions are counted than there are.
    redirect_loop, gzip_bomb, huge_header
        Of ``/resolve``; see `FAULTS`.
    html
        Answer everything 200 with a web page, as a captive portal does.
    spoiler
        Wraps the hub and its CDN.
    within_quota
        Whether a spoilt answer tells the caller's quota too.
    """

    does: str
    next_link: LinkRule = lambda here, after: after
    refused_expands: frozenset[str] = frozenset()
    order: str | None = None
    fields: tuple[str, ...] | None = None
    most_a_page: int = 1000
    over_most: int | None = None
    moving: bool = False
    bare: bool = False
    hide_missing: bool = False
    uncounted_discussions: int = 0
    redirect_loop: bool = False
    gzip_bomb: bool = False
    huge_header: bool = False
    html: bool = False
    spoiler: Spoiler = untouched
    within_quota: bool = False


def _elsewhere(here: str, after: str | None) -> str | None:
    if after is None:
        return None
    origin = "{0.scheme}://{0.netloc}".format(urlsplit(after))
    return ELSEWHERE + after.removeprefix(origin)


FAULTS = {
    "plain": Fault("Nothing goes wrong."),
    "no-link": Fault(
        "A list of many pages ends after its first: no Link.",
        next_link=lambda here, after: None,
    ),
    "loop-cursor": Fault(
        "Every page of a list names itself as the next.", next_link=lambda here, after: here
    ),
    "foreign-link": Fault("The next page of a list lies on another origin.", next_link=_elsewhere),
    "refuse-expand": Fault(
        "A list answers 400 to expand=baseModels, childrenModelCount or usedStorage.",
        refused_expands=frozenset({"baseModels", "childrenModelCount", "usedStorage"}),
    ),
    "ignore-expand": Fault("A list shows its basic fields, whatever was asked.", fields=BASIC),
    "ignore-sort": Fault("A list is sorted by likes, whatever was asked.", order="likes"),
    "refuse-limit": Fault(
        "A list answers 422 to a limit above 100.", most_a_page=100, over_most=422
    ),
    "slow-pages": Fault(
        "A list takes too long (504) for a limit above 250.", most_a_page=250, over_most=504
    ),
    "moving": Fault(
        "Likes, downloads and lastModified of some repos change between the pages of a list.",
        moving=True,
    ),
    "bare": Fault(
        "The least that passes for a hub: lists in an order and with fields of its own, without"
        " Link, X-Error-Code and RateLimit; no refs, commits, trees or discussions.",
        next_link=lambda here, after: None,
        order=SHUFFLED,
        fields=BARE,
        bare=True,
    ),
    "hide-missing": Fault(
        "401 RepoNotFound for a repo that is not there, to callers without a token.",
        hide_missing=True,
    ),
    "endless-discussions": Fault(
        "A thousand more discussions are counted than shown, on empty pages for ever.",
        uncounted_discussions=1000,
    ),
    "html": Fault("Everything is answered 200 with a web page.", html=True),
    "redirect-loop": Fault("A file's address leads to itself (302).", redirect_loop=True),
    "gzip-bomb": Fault(
        "A README is 1 MB of gzip that grows to more than 1 GiB, for clients that take gzip.",
        gzip_bomb=True,
    ),
    "huge-header": Fault(
        "Every .safetensors file begins with a header of 25 MiB.", huge_header=True
    ),
    "reset": Fault(
        "The connection is reset in the middle of the first answer to each path.",
        spoiler=reset_first,
    ),
    "short-body": Fault(
        "Half of a file is sent under the Content-Length of the whole.", spoiler=short_files
    ),
    "wrong-range": Fault(
        "Content-Range names a span one byte further on than the one sent.", spoiler=wrong_ranges
    ),
    "no-range": Fault("A range is answered with the whole file and 200.", spoiler=no_ranges),
    "http-date": Fault(
        "429 at the first try of each path, with Retry-After as a date one second ahead.",
        spoiler=date_first,
    ),
    "granular": Fault(
        "429 at the first try of each path, though RateLimit says that requests are left.",
        spoiler=throttle_first,
        within_quota=True,
    ),
    "storm": Fault(
        "A share of all requests fails: 500, 503, 504, 429, a reset, half a body; every third"
        " try of a path is spared.",
        spoiler=storm,
    ),
}
