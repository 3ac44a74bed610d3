"""The first page: what is here, a search, and places worth a look."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import streamlit as st

from app import parts
from app.warehouse_cache import edition, reading
from app.words import count, html_text, plain
from atlas.overview import (
    Connection,
    Counts,
    count_matches,
    counts,
    examples,
    largest_families,
    rejected_reasons,
    relation_counts,
    search_models,
)
from atlas.overview_chart import families_option, selected_family
from warehouse.read import Edition

FAMILIES_DRAWN = 30


def show() -> None:
    """Draw the page."""
    now = edition()
    _what_this_is(now)
    _search()
    _largest(now)
    _examples(now)
    _rejected(now)


@st.cache_data(max_entries=2, show_spinner=False)
def _counted(now: Edition) -> tuple[Counts, dict[str, int]]:
    with reading() as db:
        return counts(db), relation_counts(db)


def _what_this_is(now: Edition) -> None:
    counted, _ = _counted(now)
    st.html(
        '<h1 class="atlas-title">The family trees of a model hub</h1>'
        '<p class="atlas-lead">Who was made from whom: every model here stands in its family, '
        "with the evidence for each declared base model.</p>"
    )
    parts.stats(
        {
            "Known models": counted.known_count,
            "Ghosts": counted.ghost_count,
            "Cards": counted.card_count,
            "Lineage edges": counted.edge_count,
            "Families": counted.family_count,
            "Without relatives": counted.single_count,
            "Rejected": counted.rejected_count,
        }
    )


def _search() -> None:
    text = st.text_input(
        "Search models by name",
        key="q",
        bind="query-params",
        placeholder="part of a name, such as distil or org/",
        max_chars=200,
    )
    if not text.strip():
        return
    with reading() as db:
        _results(db, text)


def _results(db: Connection, text: str) -> None:
    found, total = search_models(db, text), count_matches(db, text)
    if not total:
        parts.note(f"No model here has “{text.strip()}” in its name. Try a shorter part of it.")
        return
    parts.note(f"{count(total, 'model')} found; the most downloaded first.")
    parts.link_list(
        "results",
        (("model", row["repo_id"], _aside(row)) for row in found.to_dict("records")),
    )


def _aside(row: dict[Hashable, Any]) -> str:
    if not row["known"]:
        return "ghost"
    said = count(row["downloads_30d"], "download")
    task = row["pipeline_tag"]
    return f"{said} · {task}" if isinstance(task, str) else said


def _largest(now: Edition) -> None:
    with reading() as db:
        mix = largest_families(db, most=FAMILIES_DRAWN)
    if mix.empty:
        parts.note("No model here declares a base model, so there are no family trees to draw.")
        return
    look = parts.colours()
    number = mix["family_id"].nunique()
    st.subheader(f"The {number} largest families" if number > 1 else "The one family", anchor=False)
    parts.legend(_counted(now)[1], look, dots=False)
    chosen = st.echarts_chart(
        families_option(mix, colours=look),
        height=430,
        key="largest",
        on_select="rerun",
        theme=None,
        alt=f"Treemap of the {number} largest families, each split by relation",
    )
    indices = [index for group in chosen.selection.selected for index in group["data_indices"]]
    if indices and (family_id := selected_family(mix, indices[0])):
        st.switch_page(parts.FAMILY_PAGE, query_params={"id": family_id})
    parts.note(
        "A tile is a family and its area the number of members, coloured by each member's"
        " relation to its parent. Click a tile to open its tree."
    )


def _examples(now: Edition) -> None:
    with reading() as db:
        found = examples(db, most=5)
    if not found:
        return
    st.subheader("Places to start", anchor=False)
    for column, (heading, places) in zip(st.columns(len(found)), found.items(), strict=True):
        with column:
            st.html(f'<p class="atlas-kicker">{html_text(heading)}</p>')
            parts.link_list(
                f"example-{heading.replace(' ', '-')}",
                ((place.page, place.identity, place.note) for place in places),
            )


def _rejected(now: Edition) -> None:
    total = _counted(now)[0].rejected_count
    if not total:
        return
    with st.expander(f"What was rejected, and why ({plain(count(total))})"):
        with reading() as db:
            reasons = rejected_reasons(db)
        parts.table(
            ("stage", "reason", "how many", "for example"),
            (
                (
                    parts.text_cell(row["stage"]),
                    parts.text_cell(row["reason"]),
                    parts.text_cell(count(row["rejected_count"])),
                    parts.text_cell(row["example"]),
                )
                for row in reasons.to_dict("records")
            ),
        )


show()
