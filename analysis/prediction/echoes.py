"""Echoes: what is written about a model and only restates the attribute that is to be predicted.

A predictor that reads them looks better than it is: who lacks the attribute lacks its echoes too.
``echoes.csv`` lists them by attribute. Its ``text`` is ``*`` (any token of that kind), ``=value``
(any value that anybody declares for the attribute, however it is hyphenated), ``=part`` (a part of
such a value that is spelled in several words) or a text itself. Its ``kind`` ``word`` stands for
words of all lines, ``word[license]`` for those of lines that talk about licences. What is no
token at all needs no rule: tags with a prefix other than ``dataset:`` and ``arxiv:`` (``license:``,
``base_model:``, ``region:``), front matter, cardData and configurations.

The name of a repo is no echo: it is there whether or not the attribute is declared.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable
from importlib import resources

import numpy as np
import numpy.typing as npt

from analysis.prediction.tokens import Dictionary

Bools = npt.NDArray[np.bool_]
VALUE, PART, ANY = "=value", "=part", "*"


def echo_columns(attribute: str, values: Iterable[str], dictionary: Dictionary) -> Bools:
    """Which columns to drop when an attribute is predicted.

    Parameters
    ----------
    values
        All values that anybody declares for it.

    Returns
    -------
    Shape (d,): true where the token is an echo.
    """
    rules = [(row["kind"], row["text"]) for row in _rules() if row["attribute"] == attribute]
    texts = _texts(values)
    refused = {kind: _refused(kind, rules, texts) for kind in set(dictionary.kind)}
    tokens = zip(dictionary.kind, dictionary.text, strict=True)
    told = [ANY in refused[kind] or _folded(text) in refused[kind] for kind, text in tokens]
    return np.array(told, np.bool_)


def _refused(kind: str, rules: list[tuple[str, str]], texts: dict[str, set[str]]) -> set[str]:
    """Folded texts of a kind that are echoes; `ANY` among them if all are."""
    refused: set[str] = set()
    for rule_kind, text in rules:
        if _covers(rule_kind, kind):
            refused |= {ANY} if text == ANY else texts.get(text, {_folded(text)})
    return refused


def _covers(rule_kind: str, kind: str) -> bool:
    if not (rule_kind.startswith("word") and kind.startswith("word")):
        return rule_kind == kind
    talked = set(_talked(kind))
    return rule_kind == "word" or set(_talked(rule_kind)) <= talked


def _talked(kind: str) -> list[str]:
    return kind.removeprefix("word").strip("[]").split(",")


def _texts(values: Iterable[str]) -> dict[str, set[str]]:
    """What the words VALUE and PART stand for."""
    values = list(values)
    spelled = [re.split(r"[^a-z0-9.]+", value.lower()) for value in values]
    parts = {_folded(part) for words in spelled if len(words) > 1 for part in words}
    return {VALUE: {_folded(value) for value in values} - {""}, PART: parts - {""}}


def _folded(text: str) -> str:
    """Letters and digits alone, so that text_generation is text-generation."""
    return re.sub(r"[^a-z0-9]", "", text.lower())


def _rules() -> list[dict[str, str]]:
    with (resources.files("analysis.prediction") / "echoes.csv").open() as file:
        return list(csv.DictReader(file))
