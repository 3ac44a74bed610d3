"""The command ``impact``: what depends on a model, or on all that an owner has."""

from __future__ import annotations

import sys
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import orjson
import typer

from app import AppError
from app.terminal import printable

if TYPE_CHECKING:
    import duckdb

    from analysis.impact.asking import BlastRadius, Dependant

HEADLINES = {
    "descendant": "most downloaded of all that was made from it",
    "load": "further ones that load with it",
    "poison": "further ones that poison would reach",
    "poison_unknown": "further ones that poison may reach",
    "child": "further ones that could not be made again",
}
LOSSES = {
    "gone": "gone: deleted or private",
    "disabled": "disabled by the hub",
    "gated": "gated: not for everybody",
    "ghost": "a ghost: no listing held it; it may be private, deleted, misspelt or not crawled",
}
MIRROR_STATES = {
    "other_owner": "every weight file lies with another owner, too",
    "same_owner": "every weight file lies in another repo, some only of the same owner",
    "part": "some weight files lie elsewhere, too",
    "none": "no weight file lies elsewhere that is known",
    "unknown": "not known: no hash of a weight file is",
}


class UnknownOwner(AppError):
    """Nobody of that name has a model in the warehouse."""


class ImpactStyle(StrEnum):
    """How a blast radius is written."""

    TEXT = "text"
    JSON = "json"


def impact(
    ctx: typer.Context,
    model: Annotated[str | None, typer.Argument(help="A repo_id.")] = None,
    owner: Annotated[
        str | None, typer.Option("--owner", help="All repos of this owner instead, at once.")
    ] = None,
    top: Annotated[int, typer.Option(min=0, help="Dependants of each kind to name.")] = 5,
    style: Annotated[ImpactStyle, typer.Option("--format")] = ImpactStyle.TEXT,
) -> None:
    """Show what depends on a model: what breaks, and where poison flows.

    Adapters need their base at load and break without it. Everything else carries its weights, but
    poison in a parent went into what was made from it later, and without a parent it cannot be made
    again.
    """
    from analysis.impact.asking import blast_radius
    from warehouse.read import open_warehouse

    if (model is None) == (owner is None):
        raise typer.BadParameter("give one MODEL, or --owner OWNER")
    with open_warehouse(ctx.obj) as db:
        repo_ids = _repos(db, model, owner)
        found = blast_radius(db, repo_ids, most=top)
    if style is ImpactStyle.JSON:
        plain = {"model": model, "owner": owner, "repo_count": len(repo_ids), **found.as_json()}
        sys.stdout.buffer.write(orjson.dumps(plain, option=orjson.OPT_INDENT_2) + b"\n")
    else:
        subject = model if model is not None else f"{owner}, {_of(len(repo_ids), 'repo')}"
        sys.stdout.write("\n".join(impact_lines(str(subject), found)) + "\n")


def impact_lines(subject: str, found: BlastRadius) -> list[str]:
    """A blast radius as lines for a terminal; names of strangers are made visible."""
    lines = [printable(subject), *_counted(found.counts), *_lost(found), *_mirrored(found)]
    named: set[str] = set()
    for kind, headline in HEADLINES.items():
        further = [one for one in found.dependants.get(kind, []) if one.repo_id not in named]
        named |= {one.repo_id for one in further}
        if further:
            lines += ["", f"{headline}:", *map(_line, further)]
    return lines


def _repos(db: duckdb.DuckDBPyConnection, model: str | None, owner: str | None) -> list[str]:
    from atlas.branches import check_known

    if model is not None:
        check_known(db, model)
        return [model]
    sql = "select repo_id from model where coalesce(author, repo_id) = ? order by repo_id"
    repo_ids = [repo_id for (repo_id,) in db.execute(sql, [owner]).fetchall()]
    if not repo_ids:
        raise UnknownOwner(f"no owner {owner!r} in this warehouse{_hint(db, str(owner))}")
    return repo_ids


def _hint(db: duckdb.DuckDBPyConnection, owner: str) -> str:
    sql = (
        "select author from model where lower(author) = lower(?) group by author"
        " order by count(*) desc, author limit 3"
    )
    near = [name for (name,) in db.execute(sql, [owner]).fetchall()]
    return f"; did you mean {', '.join(near)}?" if near else "; names of owners are case-sensitive"


def _counted(counts: dict[str, int]) -> list[str]:
    relations = {
        name: counts[f"{name}_count"]
        for name in ("finetune", "adapter", "quantized", "merge", "unknown")
    }
    direct = ", ".join(f"{number:,} {name}" for name, number in relations.items() if number)
    may, perhaps = counts["load_count"] - counts["break_count"], counts["poison_unknown_count"]
    lines = {
        "made from it": [_sum(counts, "descendant")],
        "directly": [f"{counts['child_count']:,}" + (f" ({direct})" if direct else "")],
        "deleted or gated": [
            f"breaks {_sum(counts, 'break')}",
            f"may break {may:,} more: they declare another base as well" if may else "",
        ],
        "weights replaced": [f"taken up at the next load by {_sum(counts, 'load')}"],
        "poisoned": [
            f"reaches {_sum(counts, 'poison')}",
            f"may reach {perhaps:,} more: an order of creation is unknown" if perhaps else "",
        ],
        "re-making": [f"impossible for {_of(counts['child_count'], 'direct dependant')}"],
        "no way around": [f"for {_sum(counts, 'cut')}"],
    }
    return [
        f"  {'' if at else name:<18}{line}"
        for name, told in lines.items()
        for at, line in enumerate(filter(None, told))
    ]


def _lost(found: BlastRadius) -> list[str]:
    said = [f"{number:,}: {LOSSES[loss]}" for loss, number in found.losses.items()]
    return [f"  {'' if at else 'lost already':<18}{line}" for at, line in enumerate(said)]


def _mirrored(found: BlastRadius) -> list[str]:
    repo_count = sum(found.mirror_states.values())
    lines: list[str] = []
    for state, number in found.mirror_states.items():
        said = MIRROR_STATES[state] if repo_count == 1 else f"{number:,}: {MIRROR_STATES[state]}"
        lines.append(f"  {'' if lines else 'mirrors':<18}{said}")
    for mirror in found.mirrors:
        held = f"{mirror.file_count:,} of {_of(mirror.of_count, 'weight file')}"
        lines.append(f"  {'':<18}{printable(mirror.repo_id)}  {held}")
    return lines


def _sum(counts: dict[str, int], kind: str) -> str:
    models, owners = counts[f"{kind}_count"], counts[f"{kind}_owner_count"]
    if not models:
        return "none"
    downloads = _of(counts[f"{kind}_downloads_30d"], "download")
    return f"{_of(models, 'model')} of {_of(owners, 'owner')}, {downloads} in 30 days"


def _of(number: int, thing: str) -> str:
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def _line(one: Dependant) -> str:
    said = [one.relation or "by others"]
    said += {"yes": ["breaks"], "maybe": ["may break"], "no": []}[one.breaks]
    said += {"yes": ["poison"], "maybe": ["poison perhaps"], "no": []}[one.poison]
    said += ["way around"] if one.has_way_around else []
    downloads = _of(one.downloads_30d, "download")
    return f"  {printable(one.repo_id)}  {downloads}  ({'; '.join(said)})"
