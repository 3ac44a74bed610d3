"""A model: what is known of it, where it comes from, what was made from it, and its card."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import pandas as pd
import streamlit as st

from app import parts
from app.card_html import card_html
from app.trees import draw_tree
from app.warehouse_cache import reading
from app.words import count, creation_day, day, parameters, plain, size
from atlas.branches import Branch, Direction, UnknownModel, check_known, count_models, lineage
from atlas.dossier import (
    Connection,
    ancestry,
    card,
    children,
    files,
    model_facts,
    parent_claims,
)
from atlas.overview import search_models
from atlas.pruning import prune, walk
from atlas.tree_chart import Paint, Shape, usual_shape

MODELS_DRAWN = 600


def show() -> None:
    """Draw the page that the address names, or a search."""
    wanted = st.query_params.get("id", "").strip()
    with reading() as db:
        if not wanted:
            _choose(db)
            return
        try:
            check_known(db, wanted)
        except UnknownModel:
            parts.unknown(db, "model", wanted)
            return
        _one(db, wanted)


def _choose(db: Connection) -> None:
    st.html('<h1 class="atlas-title">Models</h1>')
    text = st.text_input("Search models by name", key="find", bind="query-params", max_chars=200)
    found = search_models(db, text, most=200)
    if found.empty:
        parts.note("No model here has this in its name. Try a shorter part of it.")
        return
    parts.pick_from(found, key="models", identity="repo_id", columns=FOUND_COLUMNS)


def _one(db: Connection, repo_id: str) -> None:
    known = model_facts(db, repo_id)
    _breadcrumb(ancestry(db, repo_id))
    parts.title("Model" if known["known"] else "Ghost", repo_id, _chips(known))
    if known["known"]:
        _facts(known)
    else:
        parts.note(
            "Nobody listed this model: it is here because the models below name it as their base."
            " It may be private, renamed, deleted, or outside the crawl."
        )
    parts.page_link(
        "family",
        known["family_id"],
        label=f"Family of {known['family_id']}",
        aside=count(known["member_count"], "member"),
    )
    tree, told, held = st.tabs(["Lineage", "Card", "Files"], key="part", bind="query-params")
    with tree:
        if tree.open:
            _lineage(db, repo_id, known["relation"])
    with told:
        if told.open:
            _card(db, repo_id)
    with held:
        if held.open:
            _files(db, repo_id)


def _breadcrumb(names: list[str]) -> None:
    if len(names) < 2:
        return
    with st.container(horizontal=True, key="crumbs", vertical_alignment="center"):
        for name in names[:-1]:
            parts.page_link("model", name)
            st.markdown(":gray[→]", width="content")
        st.markdown(f":small[{plain(names[-1])}]", width="content")


GONE = {"gone": "gone from", "disabled": "disabled on", "gated": "gated and unlisted on"}


def _chips(known: dict[str, Any]) -> list[str]:
    chips = ["root of its tree"] if known["is_root"] and known["member_count"] > 1 else []
    if known["generation"]:
        chips.append(f"generation {known['generation']}")
    if known["gated"] not in (None, "false"):
        chips.append("gated" if known["gated"] == "true" else f"gated: {known['gated']}")
    if known["cycle_id"]:
        chips.append("in a cycle")
    if known["gone_at"]:
        chips.append(f"{GONE[known['gone_reason']]} the hub by {day(known['gone_at'])}")
    return chips + [word for word in ("private", "disabled") if known[f"is_{word}"]]


def _facts(known: dict[str, Any]) -> None:
    parts.facts(
        {
            "Task": known["pipeline_tag"],
            "Library": known["library_name"],
            "Licence": known["license"],
            "Architecture": known["architecture"] or known["model_type"],
            "Parameters": parameters(known["parameter_count"]),
            "Storage": size(known["used_storage_bytes"]),
            "Downloads, 30 days": count(known["downloads_30d"]),
            "Downloads, all time": count(known["downloads_all_time"]),
            "Likes": count(known["likes_count"]),
            "Created": creation_day(known["created_at"]),
            "Last modified": day(known["last_modified_at"]),
            "Last seen": day(known["last_seen_at"]),
            "Commit": (known["commit_sha"] or "")[:12],
        }
    )


def _lineage(db: Connection, repo_id: str, relation: str | None) -> None:
    claims, made = parent_claims(db, repo_id), children(db, repo_id)
    if claims.empty and made.empty:
        parts.note("It declares no base model, and no model here declares it as one.")
        return
    up, down = (lineage(db, repo_id, direction=way) for way in DIRECTIONS)
    walked = Counter(at.relation for at in walk([up, down]) if at.relation)
    if walked:
        parts.legend(walked, parts.colours())
    if not claims.empty:
        st.subheader("Where it comes from", anchor=False)
        _walk(up, upwards=True)
        _evidence(claims)
    if not made.empty:
        st.subheader("What was made from it", anchor=False)
        # The walk starts here and knows no parent, but the mark is that of a model that has one.
        _walk(replace(down, relation=relation), upwards=False)
        parts.note("Those that name it as their base, with the evidence for it:")
        parts.pick_from(made, key="children", identity="child_id", columns=CHILD_COLUMNS)


def _walk(tree: Branch, *, upwards: bool) -> None:
    total = count_models(tree)
    if total == 1:
        return
    cut = prune([tree], most=MODELS_DRAWN, total_count=total)
    shape: Shape = "left to right" if upwards else usual_shape(cut.drawn_count)
    kind = "Ancestors" if upwards else "Descendants"
    draw_tree(
        cut,
        Paint(shape, parts.colours(), upwards=upwards, here=tree.repo_id),
        key=f"{kind}-{tree.repo_id}",
        alt=f"{kind} of {tree.repo_id}",
    )
    if cut.drawn_count < cut.total_count:
        parts.note(f"Drawn are {count(cut.drawn_count)} of {count(cut.total_count, 'model')}.")


def _evidence(claims: pd.DataFrame) -> None:
    look = parts.colours()
    parts.table(
        ("base model", "relation", "found in", "refused because"),
        (
            (
                _base_cell(row["parent_id"], refused=isinstance(row["refusal"], str)),
                parts.relation_cell(row["relation"], look),
                parts.text_cell(EVIDENCE.get(row["evidence"], row["evidence"])),
                parts.text_cell(row["refusal"] if isinstance(row["refusal"], str) else ""),
            )
            for row in claims.to_dict("records")
        ),
    )


def _base_cell(parent_id: str, *, refused: bool) -> str:
    # A refused name need not be any model's, so it does not link.
    return parts.text_cell(parent_id[:200]) if refused else parts.link_cell("model", parent_id)


def _card(db: Connection, repo_id: str) -> None:
    found = card(db, repo_id)
    if found is None:
        parts.note("No card: the repo has no README.md, or it was not fetched.")
        return
    if found.front_matter:
        with st.expander("Front matter"):
            st.json(found.front_matter)
    shown = card_html(found.text)
    if shown.left_out_count:
        parts.note(
            f"This card has {count(found.character_count, 'character')}; the last"
            f" {count(shown.left_out_count)} are left out here."
        )
    if not shown.html.strip():
        parts.note("The card has no text beyond its front matter.")
        return
    with st.container(border=True):
        st.html(f'<div class="atlas-card">{shown.html}</div>')


def _files(db: Connection, repo_id: str) -> None:
    held = files(db, repo_id)
    if held.empty:
        parts.note("No files are known of this repo.")
        return
    told = f"{count(len(held), 'file')}"
    if held["size_bytes"].notna().any():
        told += f", {size(held['size_bytes'].sum())}"
    else:
        told += "; their sizes and hashes come with hubatlas crawl --facets card,tree"
    parts.note(told)
    st.dataframe(
        held, hide_index=True, placeholder="—", column_config=FILE_COLUMNS, alt=f"{len(held)} files"
    )


DIRECTIONS: tuple[Direction, ...] = ("up", "down")
EVIDENCE = {
    "tag": "a tag",
    "card_data": "the server's card data",
    "front_matter": "the card's front matter",
    "mergekit_config": "mergekit_config.yml",
    "adapter_config": "adapter_config.json",
    "card_text": "a sentence of the card",
    "config": "config.json",
    "name": "the name of the repo",
}
TEXT = st.column_config.TextColumn
NUMBER = st.column_config.NumberColumn
FOUND_COLUMNS = {
    "repo_id": TEXT("model", width="large"),
    "known": st.column_config.CheckboxColumn("listed"),
    "downloads_30d": NUMBER("downloads", format="localized"),
    "likes_count": NUMBER("likes", format="localized"),
    "pipeline_tag": "task",
    "family_id": TEXT("family", width="medium"),
    "member_count": NUMBER("in family", format="localized"),
}
CHILD_COLUMNS = {
    "child_id": TEXT("model", width="large"),
    "downloads_30d": NUMBER("downloads", format="localized"),
}
FILE_COLUMNS = {
    "path": TEXT("path", width="large"),
    "size_bytes": NUMBER("size", format="bytes"),
    "lfs_sha256": TEXT("LFS SHA-256", width="medium"),
}

show()
