"""The YAML at the head of a card, read by the rules of YAML 1.2 and within bounds.

YAML 1.1 would turn ``language: no`` into False; here strings stay strings. Cards are hostile
input: size, depth and what aliases expand to are limited.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any

import yaml
from yaml._yaml import CParser

MAX_CHARACTERS = 400_000
MAX_VALUES = 100_000
MAX_DEPTH = 60
# What opens a level without taking room for its indentation, and how many may be read unchecked.
NESTING = ("[", "{", "- ", "? ")
MAX_NESTING = 2_000
FENCED = re.compile(r"\A\ufeff?\s*---[ \t]*\r?\n(.*?)^(?:---|\.\.\.)[ \t]*\r?$", re.S | re.M)


class FrontMatterBroken(Exception):
    """The front matter cannot be read; the message is one line."""


def split_card(text: str) -> tuple[str | None, str]:
    """A card's front matter (None where it has none) and the body after it."""
    found = FENCED.match(text)
    return (found[1], text[found.end() :]) if found else (None, text)


def read_front_matter(
    source: str, *, called: str = "front matter"
) -> tuple[dict[str, Any], list[str]]:
    """Read front matter, or another mapping in YAML, into plain JSON values.

    Parameters
    ----------
    source
        The YAML between the fences.
    called
        What messages call it.

    Returns
    -------
    The mapping, and its duplicate keys: as on the Hub the last one counts, but it is told.

    Raises
    ------
    FrontMatterBroken
        Not YAML, not a mapping, or beyond the limits of this module.
    """
    if len(source) > MAX_CHARACTERS:
        raise FrontMatterBroken(f"{called} of {len(source):,} characters")
    building = _Building(called)
    parser = _Parser(source)
    try:
        if sum(map(source.count, NESTING)) > MAX_NESTING:
            _check_depth(source, called)
        root = parser.get_single_node()
        loaded = None if root is None else building.value(root, 0)
    except (yaml.YAMLError, ValueError, RecursionError) as broken:
        raise FrontMatterBroken(f"{called} is not YAML: {_first_line(broken)}") from broken
    finally:
        parser.dispose()
    if not isinstance(loaded, dict | None):
        raise FrontMatterBroken(f"{called} is a {type(loaded).__name__}, not a mapping")
    return loaded or {}, sorted(building.duplicates)


def _check_depth(source: str, called: str) -> None:
    # libyaml's nodes are made by recursion in C, which ends the process where it goes too deep;
    # its events are not.
    depth, events = 0, CParser(source)
    while events.check_event():
        event = events.get_event()
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_DEPTH:
            raise FrontMatterBroken(f"{called} expands to more than {MAX_DEPTH} levels")


TAG = "tag:yaml.org,2002:"
TEXT = f"{TAG}str"
# The core schema of YAML 1.2 (https://yaml.org/spec/1.2.2/#103), by a plain scalar's first letter.
_NULL = (re.compile(r"~|null|Null|NULL"), f"{TAG}null")
_BOOL = (re.compile(r"true|True|TRUE|false|False|FALSE"), f"{TAG}bool")
_INT = (re.compile(r"[-+]?[0-9]{1,18}"), f"{TAG}int")
_FLOAT = (re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?"), f"{TAG}float")
PLAIN = {
    **dict.fromkeys("~nN", (_NULL,)),
    **dict.fromkeys("tTfF", (_BOOL,)),
    **dict.fromkeys("-+.0123456789", (_INT, _FLOAT)),
}
COLLECTIONS = {f"{TAG}{kind}" for kind in ("map", "seq", "set", "omap", "pairs")}
# What is done with a scalar, by its tag; other tags are refused.
READ: dict[str, Callable[[str], Any]] = {
    TEXT: str,
    f"{TAG}int": lambda text: _within(int(text)),
    f"{TAG}float": lambda text: _finite(text),  # noqa: PLW0108 - defined below
    f"{TAG}null": lambda _: None,
    f"{TAG}bool": lambda text: {"true": True, "false": False}[text.lower()],
    # Types of YAML 1.1 alone
    **dict.fromkeys((f"{TAG}timestamp", f"{TAG}binary"), str),
}


class _Parser(CParser):
    """libyaml, which asks here what an untagged node is; nothing is constructed by it."""

    def resolve(self, kind: Any, value: str | None, implicit: Any) -> str:
        if kind is not yaml.ScalarNode:
            return f"{TAG}map" if kind is yaml.MappingNode else f"{TAG}seq"
        if not implicit[0]:  # quoted
            return TEXT
        if not value:
            return f"{TAG}null"
        for pattern, tag in PLAIN.get(value[0], ()):
            if pattern.fullmatch(value):
                return tag
        return TEXT

    # A parser without constructors knows no paths that would tell a node's type.
    def descend_resolver(self, *_: object) -> None: ...
    def ascend_resolver(self) -> None: ...


class _Building:
    """Makes JSON values of nodes, counting: aliases may expand without end, or hold themselves."""

    def __init__(self, called: str) -> None:
        self.called = called
        self.values = 0
        self.duplicates: set[str] = set()

    def value(self, node: yaml.Node, depth: int) -> Any:
        self.values += 1
        if self.values > MAX_VALUES or depth > MAX_DEPTH:
            raise FrontMatterBroken(
                f"{self.called} expands to more than {MAX_VALUES:,} values or {MAX_DEPTH} levels"
            )
        if isinstance(node, yaml.ScalarNode):
            return _scalar(node)
        if node.tag not in COLLECTIONS:
            raise ValueError(f"the unknown tag {node.tag[:80]!r}")
        if isinstance(node, yaml.SequenceNode):
            return [self.value(entry, depth + 1) for entry in node.value]
        return self._mapping(node, depth + 1)

    def _mapping(self, node: yaml.Node, depth: int) -> dict[str, Any]:
        mapping: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = str(self.value(key_node, depth))
            if key in mapping:
                self.duplicates.add(key)
            mapping[key] = self.value(value_node, depth)
        return mapping


def _scalar(node: yaml.ScalarNode) -> Any:
    try:
        return READ[node.tag](node.value)
    except KeyError:
        raise ValueError(f"{node.value[:80]!r} is no {node.tag.removeprefix(TAG)}") from None


def _finite(text: str) -> float | str:
    """A number as JSON has it; one that is beyond it, or none, stays text."""
    number = float(text)
    return number if math.isfinite(number) else text


def _within(number: int) -> int:
    if not -(2**63) <= number < 2**63:
        raise ValueError("a whole number of more than 64 bits")
    return number


def _first_line(broken: Exception) -> str:
    return str(broken).split("\n", 1)[0][:200]
