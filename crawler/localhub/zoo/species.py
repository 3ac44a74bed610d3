"""The words in which `plan` describes an animal."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass


@dataclass(frozen=True)
class Lora:
    """A low-rank adapter: ΔW = alpha/r · BA, or alpha/√r · BA where ``rslora``."""

    r: int
    alpha: int
    targets: tuple[str, ...] = ("q_proj", "v_proj")
    rslora: bool = False

    @property
    def scale(self) -> float:
        """What BA is multiplied with (rank stabilised: arXiv 2312.03732)."""
        return self.alpha / (self.r**0.5 if self.rslora else self.r)


@dataclass(frozen=True)
class Merge:
    """How the parents, in their order, are weighed; mergekit's names.

    ``linear`` divides by the sum of the coefficients; ``task_arithmetic`` adds them to the
    base; ``slerp`` has one coefficient, the way t from the first parent to the second.
    """

    method: str
    coefficients: tuple[float, ...]
    base: str = ""


@dataclass(frozen=True)
class Animal:
    """One row of the plan.

    Attributes
    ----------
    repo_id, kind, parents, born
        ``kind`` is one of `KINDS`; ``parents`` the true ones; ``born`` the day of creation,
        or an instant where two repos shall share it.
    task
        Steps of `tasks` joined by ``+``; empty: that of the first parent.
    shape
        Roots only: a row of `plan.SHAPES`.
    steps
        Steps of training; 0 is the usual number for the kind.
    lora, merge, quant
        What the kinds adapter, merge and quantized need.
    run
        Checkpoints only: the repo whose training they are cut from, at ``steps``.
    voice
        Where the parents are declared: ``card`` (front matter), ``relation`` (with
        base_model_relation), ``words``, ``config``, ``adapter_config``, ``mergekit`` or
        ``none``.
    declares
        What is declared, where that is not the true parents.
    card
        A quirk of the card, one of `cards.QUIRKS`, or empty.
    history
        ``plain``, ``releases`` (two versions, tagged), ``silent`` (weights replaced under an
        unchanged card), ``relicensed``, ``bare`` (only .gitattributes) or ``nothing``.
    odd
        What is deliberately wrong or unusual: copied into the truth.
    published
        False: trained, named as a parent, but not on the hub (deleted).
    """

    repo_id: str
    kind: str
    parents: tuple[str, ...]
    born: str
    _: KW_ONLY
    task: str = ""
    license: str = "apache-2.0"
    shape: str = ""
    steps: int = 0
    lora: Lora | None = None
    merge: Merge | None = None
    quant: str = ""
    run: str = ""
    voice: str = "card"
    declares: tuple[str, ...] | None = None
    card: str = ""
    history: str = "plain"
    odd: tuple[str, ...] = ()
    sharded: bool = False
    gated: str = ""
    former_ids: tuple[str, ...] = ()
    published: bool = True
    talked_about: bool = False

    @property
    def owner(self) -> str:
        """The first half of the name."""
        return self.repo_id.split("/")[0]

    @property
    def name(self) -> str:
        """The second half of the name."""
        return self.repo_id.split("/")[1]

    @property
    def declared(self) -> tuple[str, ...]:
        """The parents that the repo names somewhere; empty where it names none."""
        if self.voice == "none":
            return ()
        return self.parents if self.declares is None else self.declares


KINDS = {
    "root": "trained from scratch",
    "finetune": "all weights trained further",
    "vocabulary": "fine-tuned with more tokens than its parent",
    "checkpoint": "cut from a run of training before its end",
    "adapter": "low-rank adapter on a frozen base",
    "folded": "an adapter multiplied out into its base",
    "quantized": "the parent's weights in fewer bits",
    "merge": "a combination of the parents' weights",
    "duplicate": "the parent's files under another name",
    "empty": "no weights at all",
}
