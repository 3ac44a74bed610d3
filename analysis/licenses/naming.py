"""What a declared licence is: an SPDX expression where it can be one, else a named model licence.

Licences are typed by hand: ids, names, free text, expressions, mistakes. What cannot be told for
sure is unknown, never the nearest guess.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, lru_cache

import license_expression
from license_expression import ExpressionError

from analysis.licenses.rules import exceptions, named, rule

# Longer text is somebody's prose, and deeper nesting nobody's licence.
LONGEST = 200
MOST_SYMBOLS = 20
UNNAMED = "?"
EXPRESSION = re.compile(r"[A-Za-z0-9.+()\- ]+")
# Words that tell nothing apart. "general public" stays: it is the name of a licence.
FILLER = re.compile(r"\b(the|a|licen[sc]ed?|licen[sc]ing|version|agreement)\b")
DEPARTED = re.compile(r"\bv(?:er)?\.? ?(?=\d)")
SEPARATORS = re.compile(r"[\s_,:;/()\"'-]+")


@dataclass(frozen=True)
class Named:
    """One licence by its id in the rule table, or by its SPDX id in lower case.

    ``license`` is `UNNAMED` where it cannot be told which; ``exception`` is an SPDX id.
    """

    license: str
    exception: str | None = None

    def __str__(self) -> str:
        return self.license + (f" with {self.exception}" if self.exception else "")


@dataclass(frozen=True)
class AllOf:
    """Licences that all bind."""

    parts: tuple[Terms, ...]

    def __str__(self) -> str:
        inner = (f"({part})" if isinstance(part, AnyOf) else str(part) for part in self.parts)
        return " and ".join(sorted(inner))


@dataclass(frozen=True)
class AnyOf:
    """Licences of which who takes the model may choose one."""

    parts: tuple[Terms, ...]

    def __str__(self) -> str:
        inner = (f"({part})" if isinstance(part, AllOf) else str(part) for part in self.parts)
        return " or ".join(sorted(inner))


Terms = Named | AllOf | AnyOf
UNKNOWN = Named(UNNAMED)


@lru_cache(maxsize=65_536)
def read_license(text: str) -> Terms:
    """What a declared licence is; `UNKNOWN` where that cannot be told, as of ``other``.

    ``str()`` of what it returns reads as the same licence again.
    """
    if len(text) > LONGEST or not text.strip():
        return UNKNOWN
    plain = _plain(text)
    for name in (text.strip().lower(), plain, plain.replace("-v", "-")):
        if name in named():
            return Named(named()[name])
    return _read_expression(text.strip())


def all_of(parts: Iterable[Terms]) -> Terms:
    """Several declared licences of one model: all bind. Doubles count once."""
    return _joined(AllOf, parts)


def licenses_in(terms: Terms) -> list[Named]:
    """The licences that an expression names."""
    if isinstance(terms, Named):
        return [terms]
    return [leaf for part in terms.parts for leaf in licenses_in(part)]


def is_known(terms: Terms) -> bool:
    """Whether each licence in it is named."""
    return all(leaf.license != UNNAMED for leaf in licenses_in(terms))


def spdx_of(terms: Terms) -> str | None:
    """The SPDX expression; None where a licence in it has no SPDX id."""
    if isinstance(terms, Named):
        spdx = None if terms.license == UNNAMED else rule(terms.license).spdx
        return f"{spdx} WITH {terms.exception}" if spdx and terms.exception else spdx
    found = [spdx_of(part) for part in terms.parts]
    told = [part for part in found if part is not None]
    if len(told) < len(found):
        return None
    inner = [
        f"({spdx})" if not isinstance(part, Named) and type(part) is not type(terms) else spdx
        for part, spdx in zip(terms.parts, told, strict=True)
    ]
    return (" AND " if isinstance(terms, AllOf) else " OR ").join(sorted(inner))


def _plain(text: str) -> str:
    said = DEPARTED.sub("", FILLER.sub(" ", text.lower().replace("_", " ")))
    return SEPARATORS.sub("-", said).strip("-.")


def _read_expression(text: str) -> Terms:
    if not EXPRESSION.fullmatch(text) or len(text.split()) > MOST_SYMBOLS:
        return UNKNOWN
    try:
        parsed = _licensing().parse(text, simple=True)
    except (ExpressionError, IndexError):  # empty parentheses end in the latter
        return UNKNOWN
    terms = UNKNOWN if parsed is None else _terms(parsed)
    return terms if is_known(terms) else UNKNOWN


def _terms(parsed: license_expression.LicenseExpression) -> Terms:
    if isinstance(parsed, license_expression.LicenseWithExceptionSymbol):
        licensed = named().get(parsed.license_symbol.key.lower())
        exception = exceptions().get(parsed.exception_symbol.key.lower())
        return Named(licensed, exception) if licensed and exception else UNKNOWN
    if isinstance(parsed, license_expression.LicenseSymbol):
        licensed = named().get(parsed.key.lower())
        return Named(licensed) if licensed else UNKNOWN
    joint = AllOf if isinstance(parsed, license_expression.AND) else AnyOf
    return _joined(joint, map(_terms, parsed.args))


def _joined(joint: type[AllOf] | type[AnyOf], parts: Iterable[Terms]) -> Terms:
    flat: set[Terms] = set()
    for part in parts:
        flat |= set(part.parts) if isinstance(part, joint) else {part}
    found = sorted(flat, key=str)
    return found[0] if len(found) == 1 else joint(tuple(found))


@cache
def _licensing() -> license_expression.Licensing:
    return license_expression.Licensing()
