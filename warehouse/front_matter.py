"""The YAML at the head of a card, read by the rules of YAML 1.2 and within bounds.

YAML 1.1 would turn ``language: no`` into False; here strings stay strings. Cards are hostile
input: size, depth and what aliases expand to are limited.
"""

from __future__ import annotations

import re
from typing import Any

import yaml

MAX_CHARACTERS = 400_000
MAX_VALUES = 100_000
MAX_DEPTH = 60
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
    loader = _Loader(source)
    try:
        loaded = loader.get_single_data()
    except (yaml.YAMLError, ValueError, RecursionError) as broken:
        raise FrontMatterBroken(f"{called} is not YAML: {_first_line(broken)}") from broken
    finally:
        loader.dispose()
    if not isinstance(loaded, dict | None):
        raise FrontMatterBroken(f"{called} is a {type(loaded).__name__}, not a mapping")
    plain = _Plain(called).value(loaded or {}, 0)
    return plain, sorted(set(loader.duplicates))


class _Loader(yaml.CSafeLoader):
    """libyaml's parser with the core schema of YAML 1.2 (https://yaml.org/spec/1.2.2/#103)."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012

    def __init__(self, source: str) -> None:
        super().__init__(source)
        self.duplicates: list[str] = []

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        mapping: dict[Any, Any] = {}
        for key_node, value_node in node.value:
            key = str(self.construct_object(key_node, deep=True))
            if key in mapping:
                self.duplicates.append(key)
            mapping[key] = self.construct_object(value_node, deep=deep)
        return mapping


def _resolve(tag: str, pattern: str, first: str) -> None:
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{tag}", re.compile(pattern), list(first))


_resolve("bool", r"^(?:true|True|TRUE|false|False|FALSE)$", "tTfF")
_resolve("null", r"^(?:~|null|Null|NULL|)$", "~nN")
_Loader.yaml_implicit_resolvers.setdefault("", []).append(
    ("tag:yaml.org,2002:null", re.compile(r"^$"))
)
_resolve("int", r"^[-+]?[0-9]{1,18}$", "-+0123456789")
_resolve(
    "float",
    r"^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$",
    "-+.0123456789",
)
_Loader.add_constructor("tag:yaml.org,2002:int", lambda loader, node: int(node.value))
_Loader.add_constructor("tag:yaml.org,2002:float", lambda loader, node: float(node.value))


class _Plain:
    """Copies loaded YAML into JSON values, counting: aliases may expand without end."""

    def __init__(self, called: str) -> None:
        self.called = called
        self.values = 0

    def value(self, loaded: Any, depth: int) -> Any:
        self.values += 1
        if self.values > MAX_VALUES or depth > MAX_DEPTH:
            raise FrontMatterBroken(
                f"{self.called} expands to more than {MAX_VALUES:,} values or {MAX_DEPTH} levels"
            )
        if isinstance(loaded, dict):
            return {str(k): self.value(v, depth + 1) for k, v in loaded.items()}
        if isinstance(loaded, list | tuple | set):
            return [self.value(v, depth + 1) for v in loaded]
        return loaded if isinstance(loaded, str | bool | int | float | None) else str(loaded)


def _first_line(broken: Exception) -> str:
    return str(broken).split("\n", 1)[0][:200]
