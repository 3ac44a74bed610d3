"""Pieces that several pages are made of. Every piece escapes what it is given."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Literal

import pandas as pd
import streamlit as st

from app.words import address, count, html_text, plain
from atlas.branches import nearest_models
from atlas.dossier import Connection
from atlas.overview import Freshness
from atlas.palette import MEANING, RELATIONS, Palette, palette

MODEL_PAGE = "screens/model.py"
FAMILY_PAGE = "screens/family.py"
PAGES = {"model": MODEL_PAGE, "family": FAMILY_PAGE}


def colours() -> Palette:
    """The palette of the theme that the reader sees."""
    return palette(st.context.theme.type)


def fresh_line(at: Freshness) -> None:
    """How old what is shown is."""
    seen = "no listing" if at.data_as_of is None else f"{at.data_as_of:%Y-%m-%d %H:%M} UTC"
    st.html(
        f'<p class="atlas-fresh">data as of {seen} · built {at.built_at:%Y-%m-%d %H:%M} UTC</p>'
    )


def title(kicker: str, repo_id: str, chips: Iterable[str] = ()) -> None:
    """A page's heading, and its name in the browser; a repo's owner is lighter than its name."""
    named = repo_id if kicker == "Model" else f"{kicker} {repo_id}"
    st.set_page_config(page_title=f"{named} · hubatlas")
    owner, slash, name = repo_id.rpartition("/")
    marks = "".join(f'<span class="atlas-chip">{html_text(chip)}</span>' for chip in chips)
    st.html(
        f'<p class="atlas-kicker">{html_text(kicker)}</p>'
        f'<h1 class="atlas-title"><span class="owner">{html_text(owner + slash)}</span>'
        f"{html_text(name)}</h1>{marks}"
    )


def note(sentence: str) -> None:
    """A quiet sentence."""
    st.html(f'<p class="atlas-note">{html_text(sentence)}</p>')


def stats(numbers: dict[str, int | float | None]) -> None:
    """A row of large numbers under their names."""
    cells = "".join(
        f"<div><dt>{html_text(name)}</dt><dd>{count(number)}</dd></div>"
        for name, number in numbers.items()
    )
    st.html(f'<dl class="atlas-stats">{cells}</dl>')


def facts(pairs: dict[str, object]) -> None:
    """A grid of facts; what is missing is said by an em dash."""
    cells = "".join(
        f"<div><dt>{html_text(name)}</dt><dd>{html_text(_or_dash(value))}</dd></div>"
        for name, value in pairs.items()
    )
    st.html(f'<dl class="atlas-facts">{cells}</dl>')


def legend(counts: dict[str, int], look: Palette, *, dots: bool = True) -> None:
    """What the colours mean; with dots, also what the shapes mean."""
    marks = [
        f'<span title="{html_text(MEANING[name])}"><b class="{"" if dots else "square"}"'
        f' style="background:{look.of(name)}"></b>{name} <i>{counts[name]:,}</i></span>'
        for name in RELATIONS
        if name in counts
    ]
    if not dots:
        marks.append(_mark("root", f"background:{look.faint}", "square"))
    else:
        marks.append(_mark("root", f"background:{look.root}"))
        marks.append(_mark("ghost, listed by nobody", f"border:2px solid {look.ghost}"))
        marks.append(_mark("has further parents", f"background:{look.faint}", "diamond"))
    st.html(f'<p class="atlas-legend"><i>edges:</i>{"".join(marks)}</p>')


def model_link(repo_id: str, *, aside: str = "") -> None:
    """A link to a model's page."""
    page_link("model", repo_id, aside=aside)


def page_link(
    page: str,
    identity: str,
    *,
    aside: str = "",
    label: str | None = None,
    width: Literal["content", "stretch"] = "content",
) -> None:
    """A link to a model's or a family's page, with a quiet word beside it."""
    beside = f" :gray[{plain(aside)}]" if aside else ""
    st.page_link(
        PAGES[page],
        label=plain(label or identity) + beside,
        query_params={"id": identity},
        width=width,
    )


def link_list(key: str, places: Iterable[tuple[str, str, str]]) -> None:
    """Links under one another: (page, identity, aside)."""
    with st.container(key=f"links-{key}", gap=None):
        for page, identity, aside in places:
            page_link(page, identity, aside=aside, width="stretch")


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """A small table of cells that are HTML already (see `link_cell` and `text_cell`)."""
    top = "".join(f"<th>{html_text(name)}</th>" for name in head)
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    st.html(
        f'<div class="atlas-scroll"><table class="atlas-table"><thead><tr>{top}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def text_cell(value: object) -> str:
    """A cell of plain text."""
    return html_text(_or_dash(value))


def link_cell(page: str, identity: str) -> str:
    """A cell that links to a page."""
    return f'<a href="{address(page, id=identity)}">{html_text(identity)}</a>'


def relation_cell(relation: str, look: Palette) -> str:
    """A cell with a relation's dot and name."""
    dot = f'<span class="atlas-dot" style="background:{look.of(relation)}"></span>'
    return dot + html_text(relation)


def pick_from(frame: pd.DataFrame, *, key: str, identity: str, columns: dict[str, Any]) -> None:
    """A table whose selected row offers its model's page; the offer stands above the table."""
    offer = st.container()
    event = st.dataframe(
        frame,
        key=key,
        hide_index=True,
        on_select="rerun",
        selection_mode="single-row",
        placeholder="—",
        column_config=columns,
        alt=f"Table of {len(frame)} rows",
    )
    rows = event.selection.rows
    with offer:
        if rows and rows[0] < len(frame):
            model_link(str(frame[identity].iloc[rows[0]]), aside="open this model")
        else:
            note("Select a row for a link to its model.")


def unknown(db: Connection, what: str, wanted: str) -> None:
    """Say that an address names nothing here, and link to the nearest names."""
    title(f"No such {what}", wanted[:200])
    near = nearest_models(db, wanted)
    hint = " It may be spelled otherwise:" if near else ""
    note(f"No {what} of this name is in this warehouse.{hint}")
    link_list("nearest", (("model", name, "") for name in near))
    st.page_link("screens/home.py", label="Search the atlas")


def _mark(words: str, style: str, shape: str = "") -> str:
    return f'<span><b class="{shape}" style="{style}"></b>{words}</span>'


def _or_dash(value: object) -> object:
    return "—" if value is None or value == "" else value
