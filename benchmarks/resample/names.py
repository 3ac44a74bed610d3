"""Names of a made-up hub's models, each made of its row alone: no table of names is kept."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from benchmarks.resample.columns import CASE_TWIN, OWNERLESS, PLAIN
from benchmarks.resample.families import Ints
from benchmarks.resample.population import Population
from benchmarks.resample.published import RELATIONS
from benchmarks.resample.sources import Templates

QUANTIZATIONS = ("GGUF", "AWQ", "GPTQ-Int4", "4bit", "i1-GGUF", "8bit", "bnb-4bit", "NVFP4")

Parents = list[tuple[str, str]]


@dataclass(frozen=True)
class Names:
    """Who is called what, and who names whom; models are rows of the population."""

    hub: Population
    templates: Templates

    def ids(self, models: Ints) -> list[str]:
        """Ids of models and, by the numbers -1 - g, of ghosts."""
        rows = np.where(models < 0, len(self.hub) - 1 - models, models)
        is_twin = self.hub.naming[rows] == CASE_TWIN
        named = rows - is_twin  # a case twin has the name of the model before it
        columns = (named, self.hub.owner[named], self.hub.name[named], self.hub.naming[named])
        made = [self._id(*parts) for parts in zip(*(c.tolist() for c in columns), strict=True)]
        for place in np.flatnonzero(is_twin).tolist():
            made[place] = made[place].swapcase()
        return made

    def parents(self, models: Ints) -> list[Parents]:
        """(relation, id) of each model's declared base models."""
        first, last = self.hub.first_edge[models], self.hub.first_edge[models + 1]
        edges = np.concatenate([np.arange(a, b) for a, b in zip(first, last, strict=True)])
        relations = [RELATIONS[number] for number in self.hub.relation[edges].tolist()]
        named = list(zip(relations, self.ids(self.hub.parent[edges]), strict=True))
        ends = np.cumsum(last - first).tolist()
        return [named[a:b] for a, b in zip([0, *ends], ends, strict=False)]

    def _id(self, row: int, owner: int, name: int, naming: int) -> str:
        text = self.templates.names[name]
        if naming != PLAIN:
            # An odd factor, so that no two of 2**32 rows have the same code.
            text += f"-{row * 0x9E3779B1 & 0xFFFFFFFF:x}"
        if row < len(self.hub) and self.hub.quantized[row]:
            text += f"-{QUANTIZATIONS[row % len(QUANTIZATIONS)]}"
        return text if naming == OWNERLESS else f"{self._owner(owner)}/{text}"

    def _owner(self, number: int) -> str:
        again, place = divmod(number, len(self.templates.owners))
        return self.templates.owners[place] + (f"-{again}" if again else "")


def scattered(row: int) -> int:
    """64 bits that no other row has, far from those of its neighbours (splitmix64)."""
    mask = 2**64 - 1
    number = (row + 1) * 0x9E3779B97F4A7C15 & mask
    number = (number ^ number >> 30) * 0xBF58476D1CE4E5B9 & mask
    return number ^ number >> 27
