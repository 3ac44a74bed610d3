"""What a crawl is asked for, checked before a hub is asked or a file is made."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Literal

import orjson

from crawler import CrawlError
from crawler.facets import FACETS
from crawler.times import api_time

AUTO = "auto"
# Fewer give no variance, so that nothing could be said of what was not drawn.
LEAST_SAMPLE = 2
# The warehouse keeps it as a bigint, and a generator takes none below zero.
MOST_SEED = 2**63 - 1
STRATA = ("pipeline_tag", "size", "popularity", "cohort")
Allocation = Literal["proportional", "neyman"]


class OptionRefused(CrawlError):
    """What was asked for cannot be; nothing was asked of a hub, nothing was written."""


class QueryFilesNotAllowed(OptionRefused):
    """A facet was asked for whose requests the Hub counts as downloads."""


class OptionsContradict(OptionRefused):
    """Two options were given of which one would have no effect."""


class SeedOutOfBounds(OptionRefused):
    """A seed is negative or wider than 63 bits."""


class SampleTooSmall(OptionRefused):
    """A sample of so few says nothing of the rest."""


class SinceUnreadable(OptionRefused):
    """``since`` is neither ``auto`` nor a time."""


class StrataUnreadable(OptionRefused):
    """Strata were named that there are none of."""


@dataclass(frozen=True)
class SampleRequest:
    """How to sample: how many models, by which strata, and by which allocation.

    Attributes
    ----------
    size
        Models to draw, 2 at least.
    strata
        Names out of `STRATA`; none for one stratum of all.
    allocation
        ``proportional`` to the strata's sizes, or ``neyman``: to size times deviation of the
        target, log(1 + downloads).
    seed
        The same seed draws the same sample of the same listing; 0 to 2**63 - 1.
    """

    size: int
    strata: tuple[str, ...]
    allocation: Allocation = "proportional"
    seed: int = 0

    @property
    def as_text(self) -> str:
        """What the state remembers it by."""
        return orjson.dumps(asdict(self), option=orjson.OPT_SORT_KEYS).decode()


@dataclass(frozen=True)
class Plan:
    """The options of one crawl; `crawler.crawl.crawl` says what each means."""

    facets: tuple[str, ...] = ()
    since: str | None = None
    anew: bool = False
    listing: bool = True
    model_limit: int | None = None
    sample: SampleRequest | None = None
    query_files: bool = False
    time_limit_s: float | None = None

    def check(self) -> None:
        """Raise the `OptionRefused` that says what is wrong with it."""
        check_query_files(self.facets, allowed=self.query_files)
        if self.since is not None and self.since != AUTO:
            since_time(self.since)
        if self.sample:
            _check_sample(self.sample)
        self._check_effects()

    def _check_effects(self) -> None:
        asked = {
            "--sample": self.sample,
            "--since": self.since,
            "--anew": self.anew,
            "--limit": self.model_limit,
        }
        if not self.listing and (needing := [name for name, value in asked.items() if value]):
            raise OptionsContradict(f"{needing[0]} needs a listing: leave --no-listing away")
        if self.sample and self.since:
            raise OptionsContradict(
                "--sample is drawn from a full listing: leave --since away, or say --anew"
            )
        if self.sample and not self.facets:
            raise OptionsContradict("--sample fetches facets of what it draws: name one")


def check_query_files(facets: tuple[str, ...], *, allowed: bool) -> None:
    """Raise `QueryFilesNotAllowed` where facets count as downloads, and that is not allowed."""
    counted = [name for name in facets if FACETS[name].query_file]
    if counted and not allowed:
        raise QueryFilesNotAllowed(
            f"the Hub counts each request for {', '.join(counted)} as a download of the model;"
            " --query-files allows it"
        )


def check_strata(names: tuple[str, ...]) -> None:
    """Raise `StrataUnreadable` where one of the names is none of `STRATA`."""
    if unknown := [name for name in names if name not in STRATA]:
        raise StrataUnreadable(
            f"no strata by {', '.join(map(repr, unknown))}; there are {', '.join(STRATA)}"
        )


def since_time(since: str) -> str:
    """A time as the API spells it, out of ISO 8601; raises `SinceUnreadable`."""
    try:
        return api_time(datetime.fromisoformat(since))
    except (ValueError, OverflowError):
        raise SinceUnreadable(f"{since!r} is no time; give auto, or one like 2026-11-01") from None


def _check_sample(request: SampleRequest) -> None:
    check_strata(request.strata)
    if not 0 <= request.seed <= MOST_SEED:
        raise SeedOutOfBounds(
            f"a seed of {request.seed} is out of bounds; 0 to {MOST_SEED} will do"
        )
    if request.size < LEAST_SAMPLE:
        raise SampleTooSmall(
            f"a sample of {request.size:,} says nothing of the rest; draw {LEAST_SAMPLE} at least"
        )
