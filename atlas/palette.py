"""The colours of relations, once, for light and dark pages.

Blue, orange, green and pink keep apart under the common kinds of colour blindness; what is
unknown is grey, and a ghost is a hollow grey ring.

Ref: Okabe, Ito, "Color Universal Design" (2008), moved in lightness to suit either page.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Theme = Literal["light", "dark"]

# The order of every legend, from what changes weights most to what is least certain.
RELATIONS = ("finetune", "adapter", "quantized", "merge", "unknown")
MEANING = {
    "finetune": "weights trained further",
    "adapter": "small weights added beside frozen ones",
    "quantized": "the same weights in fewer bits",
    "merge": "weights of several models combined",
    "unknown": "a base model is named, the relation is not",
}


@dataclass(frozen=True)
class Palette:
    """Hex colours of one theme; ``relation`` has one for each of `RELATIONS`."""

    relation: dict[str, str]
    root: str
    ghost: str
    ink: str
    faint: str
    paper: str
    line: str

    def of(self, relation: str | None) -> str:
        """Colour of a model by the relation to its parent; a root has none."""
        return self.root if relation is None else self.relation.get(relation, self.ghost)


LIGHT = Palette(
    relation={
        "finetune": "#2a6fbb",
        "adapter": "#e09112",
        "quantized": "#12946f",
        "merge": "#c2588f",
        "unknown": "#8b9097",
    },
    root="#262b31",
    ghost="#9aa0a8",
    ink="#262b31",
    faint="#6a7078",
    paper="#fbfaf7",
    line="#d9d6cd",
)
DARK = Palette(
    relation={
        "finetune": "#6cb2f0",
        "adapter": "#f0b34a",
        "quantized": "#4cc7a0",
        "merge": "#e58fbd",
        "unknown": "#8d939b",
    },
    root="#f1efe9",
    ghost="#7d848d",
    ink="#ebe9e3",
    faint="#a2a7ae",
    paper="#15181c",
    line="#343a41",
)


def palette(theme: str | None) -> Palette:
    """Colours for a theme's name; anything but dark is light."""
    return DARK if theme == "dark" else LIGHT
