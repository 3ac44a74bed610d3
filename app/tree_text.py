"""Branches as indented text for a terminal."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text
from rich.tree import Tree

from app.terminal import printable
from atlas.branches import Branch, count_models

CHILDREN_SHOWN = 40
HEADLINES = {"ancestors": "made from", "descendants": "what was made of it"}


def tree_text(shown: dict[str, Branch]) -> str:
    """Each part (ancestors, descendants) under its headline; an empty part says so."""
    console = Console(width=160, highlight=False)
    with console.capture() as capture:
        for part, branch in shown.items():
            count = count_models(branch) - 1
            console.print(Text(f"{HEADLINES[part]}: {count or 'nothing known'}"))
            console.print(_tree(branch))
    return capture.get()


def _tree(top: Branch) -> Tree:
    root = Tree(_label(top))
    left = [(top, root)]
    while left:
        branch, node = left.pop()
        drawn = branch.branches[:CHILDREN_SHOWN]
        left += [(below, node.add(_label(below))) for below in drawn]
        unseen = branch.cut + len(branch.branches[CHILDREN_SHOWN:])
        if unseen:
            node.add(Text(f"… {unseen:,} more", style="dim"))
    return root


def _label(branch: Branch) -> Text:
    label = Text(printable(branch.repo_id), style="bold" if branch.known else "dim italic")
    if branch.relation:
        label.append(f"  {branch.relation}", style="cyan")
        label.append(f" ({', '.join(branch.evidence)})", style="dim")
    if not branch.known:
        label.append("  not in this hub", style="yellow")
    if branch.again:
        label.append("  (shown elsewhere)", style="dim")
    if branch.others:
        others = ", ".join(map(printable, branch.others[:5]))
        label.append(f"  also: {others}", style="magenta")
    return label
