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
    "traits": Section(
        "Traits and mutation",
        "What do children keep of their parents, and what changes?",
        (
            "An edge counts where both of its ends report the trait: what nobody declares is in no"
            " rate, and reported_share says how many edges that leaves.",
        ),
    ),
    "drift": Section(
        "Drift",
        "Do traits change in one direction?",
        (
            "The paper counts a change of a single value twice; the twin study_counting does too.",
            "Traffic of one owner goes one way: directions are tested by turning whole owners.",
        ),
    ),
    "similarity": Section(
        "Likeness of relatives",
        "Are siblings more alike than parent and child?",
        (
            "A model's metadata are its tags, task, library and architecture, without the tags that"
            " name its parent, which siblings share by definition.",
        ),
    ),
    "licenses": Section(
        "Licences",
        "What do licences ask of what is made from a model, and where is it dropped?",
        (
            "This is advice, no legal judgement: what a repo declares is not always what binds.",
            "Most licences of datasets are not known here, and count as unknown.",
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
    "prediction": Section(
        "Undocumented attributes",
        "Can what is not declared be told from kin, owner and text?",
        (
            "What restates the answer is dropped before: its tag, its line in the front matter, its"
            " sentence in the card.",
            "An answer is told only where it is sure enough that nine in ten are right.",
        ),
    ),
}
