"""The strata of a sample: classes that models fall into by what a listing says of them.

Source: Castaño, Martínez-Fernández, Franch, "Lessons Learned from Mining the Hugging Face
Repository" (2024), arXiv:2402.07323.
"""

from __future__ import annotations

from datetime import UTC, datetime

from crawler.plan import check_strata

UNKNOWN = "unknown"
# The Hub gives every older repo this one time of creation.
LEFT_TRUNCATED_AT = datetime(2022, 3, 2, 23, 29, 4, tzinfo=UTC)
BYTES_A_PARAMETER = 2
SIZES = (
    (100_000_000, "<100M"),
    (1_000_000_000, "100M-1B"),
    (3_000_000_000, "1B-3B"),
    (8_000_000_000, "3B-8B"),
    (30_000_000_000, "8B-30B"),
)
POPULARITIES = (
    (1, "0"),
    (10, "1-9"),
    (100, "10-99"),
    (1_000, "100-999"),
    (10_000, "1k-9k"),
)


def parse_strata(text: str) -> tuple[str, ...]:
    """Names out of `crawler.plan.STRATA`, comma-separated; ``none`` for one stratum of all.

    Raises `crawler.plan.StrataUnreadable`.
    """
    names = tuple(dict.fromkeys(name.strip() for name in text.split(",")))
    if names == ("none",):
        return ()
    check_strata(names)
    return names


def size_class(parameter_count: int | None, used_storage_bytes: int | None) -> str:
    """Class of a model's size in parameters.

    Where only the storage is known, two bytes are taken for a parameter, and the class is marked
    (``"~1B-3B"``): storage holds every format and every past commit, so such a class tends to be
    too high and must not be mixed with a counted one. Negative numbers are unknown.
    """
    if parameter_count is not None and parameter_count >= 0:
        return _class_of(parameter_count, SIZES, "30B+")
    if used_storage_bytes is not None and used_storage_bytes >= 0:
        return "~" + _class_of(used_storage_bytes // BYTES_A_PARAMETER, SIZES, "30B+")
    return UNKNOWN


def popularity_class(downloads: int | None) -> str:
    """Class of a model's downloads (the Hub's figure for 30 days); negative ones are unknown."""
    if downloads is None or downloads < 0:
        return UNKNOWN
    return _class_of(downloads, POPULARITIES, "10k+")


def cohort(created_at: str | None) -> str:
    """Month of creation in UTC, ``YYYY-MM``; ``"unknown"`` where there is no readable time.

    The Hub gives all repos from before 2022-03-02T23:29:04Z that very time: they are one class,
    ``"before 2022-03"``.
    """
    try:
        created = datetime.fromisoformat(created_at or "")
    except ValueError:
        return UNKNOWN
    moment = created.astimezone(UTC) if created.tzinfo else created.replace(tzinfo=UTC)
    return "before 2022-03" if moment <= LEFT_TRUNCATED_AT else f"{moment:%Y-%m}"


def _class_of(number: int, bounds: tuple[tuple[int, str], ...], above: str) -> str:
    return next((name for bound, name in bounds if number < bound), above)
