"""The library of named queries: SQL files whose header says what they answer and with which words.

A file is ``queries/NAME.sql``: comment lines with one question, ``Params:`` where it has any,
``Caveat:`` where an honest reader must be warned and ``Ref:`` where it follows a paper, then a bare
SELECT over published relations with its parameters as ``$name``.
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from itertools import takewhile

import duckdb

from warehouse import WarehouseError

Value = int | float | str | None

# So DuckDB tells that a value is of the right kind but out of bounds.
OUT_OF_BOUNDS = (
    duckdb.BinderException,
    duckdb.ConversionException,
    duckdb.InvalidInputException,
    duckdb.OutOfRangeException,
)


class UnknownQuery(WarehouseError):
    """The library has no query of this name; the message names near ones."""


class ParamRefused(WarehouseError):
    """The query has no such parameter, or the value is not of its kind or out of bounds."""


@dataclass(frozen=True)
class Param:
    """A parameter of a named query.

    Attributes
    ----------
    default
        Used where no value is given; a given value must be of its kind: a whole number, a number
        or text. None stands for text or nothing.
    meaning
        What it does, and its unit.
    """

    name: str
    default: Value
    meaning: str


@dataclass(frozen=True)
class NamedQuery:
    """A query of the library; ``question`` is one sentence, ``caveat`` and ``ref`` may be None."""

    name: str
    question: str
    params: tuple[Param, ...]
    caveat: str | None
    ref: str | None
    sql: str

    def bind(self, given: Mapping[str, str]) -> dict[str, Value]:
        """Values for all parameters: as given, read as the default's kind, else the default.

        The text ``null`` is no value where the default is none. Raises `ParamRefused`.
        """
        known = {param.name: param for param in self.params}
        for name in given:
            if name not in known:
                has = ", ".join(known) or "none"
                raise ParamRefused(f"{self.name} has no parameter {name!r}; it has: {has}")
        bound = {name: param.default for name, param in known.items()}
        return bound | {name: _read(self.name, known[name], text) for name, text in given.items()}


@cache
def query_names() -> tuple[str, ...]:
    """Names of all queries, sorted."""
    files = (resources.files("warehouse") / "queries").iterdir()
    return tuple(sorted(file.name.removesuffix(".sql") for file in files))


@cache
def read_query(name: str) -> NamedQuery:
    """Read ``queries/name.sql``; raises `UnknownQuery`."""
    if name not in query_names():
        near = difflib.get_close_matches(name, query_names(), n=3)
        hint = f"did you mean {', '.join(near)}?" if near else "hubatlas query lists all"
        raise UnknownQuery(f"no query {name!r}; {hint}")
    text = (resources.files("warehouse") / "queries" / f"{name}.sql").read_text("utf-8")
    header = [line[3:] for line in takewhile(lambda x: x.startswith("-- "), text.splitlines())]
    field = {m[1]: m[2] for m in _HEADER_FIELD.finditer("Question: " + "\n".join(header))}
    plain = {what: " ".join(said.split()) for what, said in field.items()}
    return NamedQuery(
        name=name,
        question=plain["Question"],
        params=tuple(_param(m) for m in _PARAM.finditer(field.get("Params", ""))),
        caveat=plain.get("Caveat"),
        ref=plain.get("Ref"),
        sql=text,
    )


def ask(
    db: duckdb.DuckDBPyConnection, name: str, given: Mapping[str, str]
) -> duckdb.DuckDBPyConnection:
    """Run a query of the library; its rows are fetched from what is returned.

    Raises `UnknownQuery`, `ParamRefused`.
    """
    query = read_query(name)
    try:
        return db.execute(query.sql, query.bind(given))
    except OUT_OF_BOUNDS as refused:
        raise ParamRefused(f"{name}: {' '.join(str(refused).split())[:200]}") from refused


def _param(found: re.Match[str]) -> Param:
    return Param(found[1], _literal(found[2]), " ".join(found[3].split()))


def _literal(text: str) -> Value:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return None if text == "null" else text


def _read(query: str, param: Param, text: str) -> Value:
    if param.default is None:
        return None if text == "null" else text
    if isinstance(param.default, str):
        return text
    kind = "whole number" if isinstance(param.default, int) else "number"
    try:
        value = type(param.default)(text)
    except ValueError:
        raise ParamRefused(f"{query}: {param.name} is a {kind}, not {text!r}") from None
    if not math.isfinite(value):
        raise ParamRefused(f"{query}: {param.name} is a {kind}, not {text!r}")
    return value


_HEADER_FIELD = re.compile(
    r"^(Question|Params|Caveat|Ref):[ \n](.*(?:\n(?!Params:|Caveat:|Ref:).*)*)", re.M
)
_PARAM = re.compile(r"^  \$(\w+) (\S+): (.*(?:\n    .*)*)", re.M)
