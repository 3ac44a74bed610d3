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
    "similarity": Section(
        "Likeness of relatives",
        "Are siblings more alike than parent and child?",
        (
            "A model's metadata are its tags, task, library and architecture, without the tags that"
            " name its parent, which siblings share by definition.",
        ),
    ),
}
