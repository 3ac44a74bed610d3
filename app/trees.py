"""A tree on a page, with the model that the reader clicked on beside it."""

from __future__ import annotations

import streamlit as st
from streamlit.typing import EChartsState

from app import parts
from app.words import count
from atlas.branches import Branch
from atlas.pruning import Cut, walk
from atlas.tree_chart import Paint, draw


@st.fragment
def draw_tree(cut: Cut, paint: Paint, *, key: str, alt: str) -> None:
    """Draw trees; a click selects a model and offers its page."""
    offer = st.container(key=f"offer-{key}", height=44, border=False)
    drawing = draw(cut.trees, paint)
    chosen = st.echarts_chart(
        drawing.option,
        height=drawing.height,
        # Another shape is another chart: without this the old one's zoom would stay.
        key=f"{key}-{paint.shape}",
        on_select="rerun",
        theme=None,
        alt=alt,
    )
    with offer:
        _offer(cut.trees, _selected(chosen, drawing.names))


def _selected(chosen: EChartsState, names: list[str | None]) -> str | None:
    groups = chosen.selection.selected
    # A line between two models can be clicked too; it is no model.
    indices = [
        at for group in groups if group["data_type"] != "edge" for at in group["data_indices"]
    ]
    return names[indices[0]] if indices and indices[0] < len(names) else None


def _offer(trees: list[Branch], repo_id: str | None) -> None:
    if repo_id is None:
        parts.note("Click a model for a link to its page; drag to move, scroll to zoom.")
        return
    branch = next(at for at in walk(trees) if at.repo_id == repo_id)
    said = count(branch.downloads_30d, "download") if branch.known else "ghost"
    parts.model_link(repo_id, aside=f"{branch.relation or 'root'} · {said} · open this model")
