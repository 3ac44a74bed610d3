"""Cards with the names, numbers and parents of another model in them.

A card is cut once, at what has to differ from model to model: the repo's own id and name, numbers,
links to other models, and the part of its front matter that says what the record says too. What is
between stays as its author wrote it, odd front matter included.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum, auto

from benchmarks.resample.sources import Body

HUB = "https://huggingface.co"
MODEL_LINK = re.compile(
    r"\[(?P<shown>[^\[\]\n]+)\]\(https?://(?:www\.)?huggingface\.co/"
    r"(?P<target>(?!(?:datasets|spaces|docs|models|blog|papers|transformers|tasks)\b)[^)\s#?]+)\)"
)
# The sentences with bare ids that the warehouse reads base models from.
BARE_PARENT = re.compile(
    r"(?i)finetuned from(?: model)?[^\w:\n]{0,4}(?:\[optional\])?[^\w\n]{0,8}"
    r"(?P<named>\w[\w.\-]{0,95}/\w[\w.\-]{0,95})"
    r"|(?:static|weighted/imatrix) quants of (?P<linked>https?://huggingface\.co/[^)\s#?]+)"
)
# Neither in names and links nor in dates; the first digit stays, for no number begins with 0.
NUMBER = re.compile(
    r"(?<![\w./:#=-])(?:\d+\.(?P<fraction>\d{2,})|\d(?P<rest>\d{2,}))(?![\w/:-])", re.ASCII
)
FRONT_MATTER = re.compile(r"\A---[ \t]*\r?\n(?P<yaml>.*?)^---[ \t]*\r?$", re.DOTALL | re.MULTILINE)
TOLD_BY_RECORD = re.compile(
    r"^(?:license|language|languages|pipeline_tag|base_model|base_model_relation)[ \t]*:.*\n?"
    r"(?:(?:[ \t]+\S|-[ \t]).*\n?)*",
    re.MULTILINE,
)
LEAST_NAME = 5  # shorter names are words of their own


class Slot(Enum):
    """What is filled in anew for each model."""

    FRONT = auto()
    OWN_ID = auto()
    OWN_NAME = auto()
    LINK = auto()
    PARENT_ID = auto()
    PARENT_URL = auto()
    DIGITS = auto()


@dataclass(frozen=True)
class Facts:
    """What a card has to say of its model; ``front`` is lines of YAML, or empty."""

    repo_id: str
    parents: list[str]
    front: str


@dataclass
class Digits:
    """Random digits, taken piece by piece; begins anew at its end."""

    text: str
    at: int = 0

    def take(self, count: int) -> str:
        """The next digits."""
        if self.at + count > len(self.text):
            self.at = 0
        self.at += count
        return self.text[self.at - count : self.at]


@dataclass(frozen=True)
class CardTemplate:
    """A card cut at its slots: text, then (slot, what stood there, text) again and again."""

    has_front: bool
    head: str
    pieces: list[tuple[Slot, str, str]] = field(repr=False)

    def filled(self, facts: Facts, digits: Digits) -> str:
        """The card of another model."""
        text = [self.head] if self.has_front else [_fenced(facts.front, facts.parents), self.head]
        link = 0
        for slot, stood, after in self.pieces:
            if slot is Slot.DIGITS:
                text.append(digits.take(len(stood)))
            elif slot is Slot.OWN_ID:
                text.append(facts.repo_id)
            elif slot is Slot.OWN_NAME:
                text.append(facts.repo_id.rpartition("/")[2])
            elif slot is Slot.FRONT:
                text.append(facts.front)
            else:
                text.append(_parent(slot, stood, facts.parents, link))
                link += 1
            text.append(after)
        return "".join(text)


def cut_card(body: Body) -> CardTemplate:
    """Cut a body's card; it must have one."""
    card = body.card or ""
    front = FRONT_MATTER.match(card)
    if front is None:
        head, pieces = _cut(card, body.repo_id)
        return CardTemplate(False, head, pieces)
    start = front.start("yaml")
    head, pieces = _cut(
        TOLD_BY_RECORD.sub("", front["yaml"]) + card[front.end("yaml") :], body.repo_id
    )
    return CardTemplate(True, card[:start], [(Slot.FRONT, "", head), *pieces])


def cut_digits(text: str) -> list[str]:
    """Text before, digits, text between, … of names in a file list that hold long numbers."""
    return re.split(r"(\d{4,})", text)


def _cut(text: str, repo_id: str) -> tuple[str, list[tuple[Slot, str, str]]]:
    cuts: list[tuple[Slot, str, str]] = []
    head, at, slot, stood = "", 0, None, ""
    for start, end, following in sorted(_spans(text, repo_id), key=lambda s: (s[0], -s[1])):
        if start < at:
            continue  # within what is cut out already
        between = text[at:start]
        if slot is None:
            head = between
        else:
            cuts.append((slot, stood, between))
        slot, stood, at = following, _kept(following, text[start:end]), end
    if slot is None:
        return text, []
    return head, [*cuts, (slot, stood, text[at:])]


def _spans(text: str, repo_id: str) -> Iterator[tuple[int, int, Slot]]:
    name = repo_id.rpartition("/")[2]
    for found in MODEL_LINK.finditer(text):
        if found["target"].rstrip("/") != repo_id:
            yield *found.span(), Slot.LINK
    for found in BARE_PARENT.finditer(text):
        kind = "named" if found["named"] else "linked"
        yield *found.span(kind), Slot.PARENT_ID if found["named"] else Slot.PARENT_URL
    if "/" in repo_id:
        for found in re.finditer(re.escape(repo_id) + r"(?![\w-])", text):
            yield *found.span(), Slot.OWN_ID
    if len(name) >= LEAST_NAME:
        for found in re.finditer(r"(?<![\w-])" + re.escape(name) + r"(?![\w-])", text):
            yield *found.span(), Slot.OWN_NAME
    for found in NUMBER.finditer(text):
        yield *found.span("fraction" if found["fraction"] else "rest"), Slot.DIGITS


def _kept(slot: Slot, text: str) -> str:
    if slot is Slot.LINK:
        return text[1 : text.index("](")]
    return text.rpartition("/")[2] if slot is Slot.PARENT_ID else text


def _parent(slot: Slot, stood: str, parents: list[str], place: int) -> str:
    # Who has no parent must not name one: the words stay, the link goes.
    if not parents:
        return f"{HUB}/models" if slot is Slot.PARENT_URL else stood
    parent = parents[place % len(parents)]
    if slot is Slot.PARENT_ID:
        return parent
    return f"[{parent}]({HUB}/{parent})" if slot is Slot.LINK else f"{HUB}/{parent}"


def _fenced(front: str, parents: list[str]) -> str:
    return f"---\n{front}---\n" if parents else ""
