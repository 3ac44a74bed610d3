"""The sections of the report, in order: a heading, what is asked, what to beware of."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Section:
    """A section: its heading, its question, what to beware of in all of its numbers."""

    heading: str
    question: str
    caveats: tuple[str, ...] = ()


SECTIONS = {
    "structure": Section(
        "Families and their shapes",
        "How large, how deep, how wide are families, and which relation makes them?",
        (
            "A family is a weak component of declared lineage: one merge of two trees joins them.",
            "Ghosts, bases that no listing held, are models here; a sample of a hub has many.",
        ),
    ),
    "concentration": Section(
        "Who makes it, who is downloaded",
        "How much of the hub is made by how few?",
        ("Listings do not tell an organisation from a person: an owner is an account.",),
    ),
    "similarity": Section(
        "Likeness of relatives",
        "Are siblings more alike than parent and child?",
        (
            "A model's metadata are its tags, task, library and architecture, without the tags that"
            " name its parent, which siblings share by definition.",
        ),
    ),
    "impact": Section(
        "Blast radius",
        "What breaks, and what could be poisoned, if one repo goes or turns?",
        (
            "Deletion breaks what loads the repo when it is used: its adapters, and theirs. Poison"
            " flows into everything made from it later. Both are upper bounds: who keeps a copy,"
            " or pins a commit, is safe.",
        ),
    ),
}
