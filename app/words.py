"""Names and numbers as words on a page. Whatever the Hub says passes through here first."""

from __future__ import annotations

import re
from datetime import datetime
from html import escape
from urllib.parse import urlencode

import pandas as pd

FIRST_CREATION = datetime(2022, 3, 2, 23, 29, 4)
# Two ways out of a label's text that a backslash does not close: emoji and icon shortcodes, and
# bare addresses that become links. An invisible word joiner parts them.
JOINER = "\u2060"
PUNCTUATION = re.compile(r"([!\"#$%&'()*+,\-./;<=>?\[\\\]^_`{|}~])")
BREAKABLE = re.compile(r"[:@]|www(?=\.)", re.I)


def plain(text: str) -> str:
    """Text for a place that reads Markdown, such that it appears letter by letter."""
    one_line = " ".join(text.split())
    escaped = PUNCTUATION.sub(r"\\\1", BREAKABLE.sub(lambda m: m[0] + JOINER, one_line))
    # A label that begins with a number and a full stop would be a list.
    return escaped or "(no name)"


def html_text(value: object) -> str:
    """Text for a place that reads HTML."""
    return escape(str(value), quote=True)


def address(page: str, **query: str) -> str:
    """A page's address within the atlas, as it may stand in an HTML attribute."""
    return escape(f"/{page}?{urlencode(query)}", quote=True)


def count(number: int | float | None, noun: str = "", plural: str | None = None) -> str:
    """A number with its noun: 1 model, 2,345 models; an em dash where it is missing."""
    if number is None or pd.isna(number):
        return "—"
    said = f"{int(number):,}"
    return f"{said} {noun if number == 1 else plural or noun + 's'}" if noun else said


def size(byte_count: float | None) -> str:
    """Bytes in decimal units, as hubs count them."""
    if byte_count is None or pd.isna(byte_count):
        return "—"
    number = float(byte_count)
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if number < 1000 or unit == "TB":
            break
        number /= 1000
    return f"{number:.0f} B" if unit == "B" else f"{number:.1f} {unit}"


def parameters(number: float | None) -> str:
    """A parameter count in the field's short form: 7.2 B, 110 M."""
    if number is None or pd.isna(number):
        return "—"
    for scale, unit in ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "K")):
        if number >= scale:
            return f"{number / scale:.3g} {unit}"
    return f"{int(number)}"


def creation_day(moment: datetime | None) -> str:
    """A date of creation; the Hub gives every repo older than its records one and the same time."""
    return f"{day(moment)} or before" if moment == FIRST_CREATION else day(moment)


def day(moment: datetime | None) -> str:
    """A date, 23 Nov 2026, or an em dash."""
    if moment is None:
        return "—"
    return f"{moment.day} {moment:%b %Y}"
