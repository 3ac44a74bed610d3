"""A family: its tree, what it is made of, and every member in a table."""

from __future__ import annotations

from typing import cast, get_args

import streamlit as st

from app import parts
from app.trees import draw_tree
from app.warehouse_cache import reading
from app.words import count, plain
from atlas.branches import family_trees
from atlas.dossier import (
    Connection,
    Family,
    UnknownFamily,
    cycle_members,
    family_members,
    family_of,
    family_relations,
    family_summary,
)
from atlas.overview import family_list
from atlas.pruning import Cut, prune, walk
from atlas.table_file import csv_bytes
from atlas.tree_chart import Paint, Shape, usual_shape

MODELS_DRAWN = 1_000
MODELS_READ = 20_000


def show() -> None:
    """Draw the page that the address names, or a choice of families."""
    wanted = st.query_params.get("id", "").strip()
    with reading() as db:
        if not wanted:
            _choose(db)
        else:
            _one(db, wanted)


def _choose(db: Connection) -> None:
    st.html('<h1 class="atlas-title">Families</h1>')
    parts.note(
        "A family is all models that declared base models connect, however far. It is named after"
        " the root of its largest tree; families of one are left out here."
    )
    text = st.text_input("Search families by name", key="find", bind="query-params", max_chars=200)
    found = family_list(db, text.strip())
    if found.empty:
        parts.note("No family of several models has this in its name.")
        return
    offer = st.container()
    event = st.dataframe(
        found,
        key="families",
        hide_index=True,
        on_select="rerun",
        selection_mode="single-row",
        placeholder="—",
        height=560,
        column_config=FAMILY_COLUMNS,
        alt="Families by number of members",
    )
    with offer:
        if rows := event.selection.rows:
            family_id = str(found["family_id"].iloc[rows[0]])
            parts.page_link("family", family_id, aside="open this family")
        else:
            parts.note(
                f"The {count(len(found), 'largest family', 'largest families')}. Select one."
            )


def _one(db: Connection, wanted: str) -> None:
    try:
        family = family_summary(db, wanted)
    except UnknownFamily:
        _elsewhere(db, wanted)
        return
    parts.title("Family of", family.family_id)
    _summary(db, family)
    if family.member_count == 1:
        parts.note("A family of one: nothing here declares it as a base model, nor does it any.")
        parts.model_link(family.family_id, aside="open the model")
        return
    trees = family_trees(db, family.family_id, most=MODELS_READ)
    cut = prune(trees, most=MODELS_DRAWN, total_count=family.member_count)
    _tree(family, cut)
    _roots(family)
    _members(db, family)


def _elsewhere(db: Connection, wanted: str) -> None:
    family_id = family_of(db, wanted)
    if family_id is None:
        parts.unknown(db, "family", wanted)
        return
    parts.title("Model", wanted)
    parts.note("This is the name of a model, not of a family. The model stands in this family:")
    parts.page_link("family", family_id)
    parts.model_link(wanted, aside="open the model")


def _summary(db: Connection, family: Family) -> None:
    parts.stats(
        {
            "Members": family.member_count,
            "Ghosts": family.member_count - family.known_count,
            "Roots": len(family.root_ids),
            "Generations below": family.depth,
            "Edges": family.edge_count,
            "Downloads": family.downloads_30d,
        }
    )
    for ring in cycle_members(db, family.family_id):
        named = " and ".join(ring) if len(ring) < 6 else f"{', '.join(ring[:5])} and others"
        parts.note(
            f"A cycle: {named} declare one another as base model, so none of them can be shown to"
            " come first. They share a generation."
        )
    parts.legend(family_relations(db, family.family_id), parts.colours())


def _tree(family: Family, cut: Cut) -> None:
    shape = st.segmented_control(
        "Shape of the tree",
        get_args(Shape),
        default=usual_shape(cut.drawn_count),
        required=True,
        key="shape",
        bind="query-params",
        label_visibility="collapsed",
    )
    draw_tree(
        cut,
        Paint(cast("Shape", shape), parts.colours()),
        key=f"tree-{family.family_id}",
        alt=f"Family tree of {family.family_id}, {count(cut.drawn_count, 'model')} drawn",
    )
    if cut.drawn_count < cut.total_count:
        parts.note(
            f"Drawn are {count(cut.drawn_count)} of {count(cut.total_count, 'member')}: the most"
            " downloaded, each with all on the way to its root. The table below holds them all."
        )
    if any(branch.others for branch in walk(cut.trees)):
        parts.note(
            "A model with several parents, such as a merge, hangs under one primary parent here;"
            " its tooltip and the table list the others."
        )


def _roots(family: Family) -> None:
    if len(family.root_ids) == 1:
        return
    with st.expander(f"All {plain(count(len(family.root_ids), 'root'))}"):
        parts.link_list("roots", (("model", root, "") for root in family.root_ids))


def _members(db: Connection, family: Family) -> None:
    members = family_members(db, family.family_id)
    st.subheader("All members", anchor=False)
    parts.pick_from(members, key="members", identity="repo_id", columns=MEMBER_COLUMNS)
    st.download_button(
        "All members as CSV",
        lambda: csv_bytes(members),
        file_name="family.csv",
        mime="text/csv",
        on_click="ignore",
    )


NUMBER = st.column_config.NumberColumn
FAMILY_COLUMNS = {
    "family_id": st.column_config.TextColumn("family", width="large"),
    "member_count": NUMBER("members", format="localized"),
    "root_count": NUMBER("roots", format="localized"),
    "depth": NUMBER("depth"),
    "cycle_count": NUMBER("cycles"),
    "downloads_30d": NUMBER("downloads", format="localized"),
}
MEMBER_COLUMNS = {
    "repo_id": st.column_config.TextColumn("model", width=300, pinned=True),
    "primary_parent_id": st.column_config.TextColumn("primary parent", width="medium"),
    "evidence": st.column_config.TextColumn("evidence", width="medium"),
    "other_parents": st.column_config.TextColumn("other parents"),
    "known": st.column_config.CheckboxColumn("listed"),
    "downloads_30d": NUMBER("downloads", format="localized"),
    "likes_count": NUMBER("likes", format="localized"),
    "pipeline_tag": "task",
    "library_name": "library",
    "parameter_count": NUMBER("parameters", format="compact"),
    "created_at": st.column_config.DateColumn("created"),
}

show()
