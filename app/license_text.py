"""A chain of licences as lines for a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from analysis.licenses.chain import Chain, Link

ADVICE = (
    "This is advice from declared licences and a table of rules, no legal judgement: "
    "read the licences themselves."
)
SHOWN = 60
SHOWN_LICENSE = 200
MOST_SHOWN = 10  # of what stands in one line
MOST_DATASETS = 100
PLACES = {"tag": "its tag", "card_data": "its card data", "front_matter": "its front matter"}
BECAUSE = {
    "license": "whether its licence keeps it is open",
    "relation": "whether it passes on to what is made so is open",
}
BY_NAME_OR_DEED = {"naming": "by its name", "no_derivatives": "by being published"}


def license_text(chain: Chain) -> Iterator[str]:
    """Lines; each ancestor stands once, with every edge that leads down from it."""
    own, *ancestors = chain.links
    yield f"{own.repo_id}: {_licenses(own)}"
    yield ""
    yield from _ancestors(ancestors, chain.cut_count)
    yield ""
    yield from _duties(chain)
    yield ""
    yield from _notices(chain.notices)
    yield ""
    yield from _datasets(chain.datasets)
    yield ""
    yield ADVICE


def _licenses(link: Link) -> str:
    if not link.known:
        return "unknown (not in this hub)"
    if not link.licenses:
        return "unknown (declares none)"
    return _first([_license(entry) for entry in link.licenses], "; and ")


def _license(entry: dict[str, Any]) -> str:
    declared = _short(entry["declared"])
    if entry["license_name"]:
        declared = f"{declared}, {_short(entry['license_name'])}"
    place = PLACES[entry["evidence"]]
    if entry["license"] is None:
        return f"unknown (declares {declared} in {place})"
    spdx = f"SPDX {entry['spdx']}" if entry["spdx"] else "no SPDX id"
    said = "" if declared == entry["license"] else f", as {declared}"
    license_id = _short(entry["license"], SHOWN_LICENSE)
    return f"{license_id} ({entry['license_class']}; {spdx}; in {place}{said})"


def _ancestors(links: list[Link], cut_count: int) -> Iterator[str]:
    yield f"made from: {len(links) + cut_count or 'nothing known'}"
    for link in links:
        yield f"  {_hops(link.hops)}: {link.repo_id}: {_licenses(link)}"
        for edge in link.made:
            how = f"{edge['relation']} ({', '.join(edge['evidence'])})"
            yield f"      -> {edge['child_id']}  {how}"
    if cut_count:
        yield f"  and {cut_count:,} farther ones, which are left out here"


def _duties(chain: Chain) -> Iterator[str]:
    yield f"what is asked of it: {len(chain.duties) or 'nothing that is known'}"
    worst = ("conflict", "unclear", "unknown", "kept")
    for duty in sorted(chain.duties, key=lambda duty: worst.index(duty["verdict"])):
        asking = _short(duty["origin_license"], SHOWN_LICENSE)
        origin = f"{duty['origin_kind']} {_short(duty['origin_id'], SHOWN_LICENSE)} ({asking})"
        yield f"  {_words(duty['obligation'])}, from {origin}, {_hops(duty['hops'])}"
        yield f"      {_verdict(duty)}"
        if duty["drop_child_id"] is not None:
            yield f"      {_drop(duty)}"
        yield f"      by: {duty['source']}"
    unseen = [link.repo_id for link in chain.links[1:] if not _is_told(link)]
    if unseen:
        yield f"  unknown what is asked by: {_first(unseen, ', ')}"


def _is_told(link: Link) -> bool:
    classes = [entry["license_class"] for entry in link.licenses]
    return bool(classes) and "unknown" not in classes


def _verdict(duty: dict[str, Any]) -> str:
    own = duty["child_license"]
    if duty["verdict"] == "unknown":
        return "unknown: its licence is not known"
    said = {None: "it declares none", "?": "its licence is not known"}.get(
        own, f"it declares {_short(own or '', SHOWN_LICENSE)}"
    )
    said = BY_NAME_OR_DEED.get(duty["obligation"], said)
    if duty["verdict"] == "unclear":
        return f"unclear: {BECAUSE[duty['unclear_because']]} ({said})"
    return f"{duty['verdict']} ({said})"


def _drop(duty: dict[str, Any]) -> str:
    edge = f"{duty['drop_parent_id']} -> {duty['drop_child_id']}"
    blind = ", or before: a licence on the way is unknown" if duty["may_be_earlier"] else ""
    return f"first dropped at {edge}, {_hops(duty['drop_hops'])} from there{blind}"


def _notices(notices: list[dict[str, Any]]) -> Iterator[str]:
    yield f"what no declared licence shows: {len(notices) or 'nothing known'}"
    for notice in notices:
        said = {"yes": "", "unclear": ": unclear"}.get(notice["said"], f": {notice['said']}")
        yield f"  {notice['license']}: {_words(notice['duty'])}{said}"


def _datasets(datasets: list[dict[str, Any]]) -> Iterator[str]:
    yield f"datasets: {len(datasets) or 'none declared'}"
    for dataset in datasets[:MOST_DATASETS]:
        known = [part for part in dataset["license"] if part != "?"]
        unknown = ["unknown"] if "?" in dataset["license"] else []
        by = dataset["declared_by"]
        more = f" and {len(by) - 1:,} more" if len(by) > 1 else ""
        said = _first([_short(part) for part in known + unknown], ", ")
        yield f"  {_short(dataset['dataset_id'])}: {said}, by {by[0]}{more}"
    if len(datasets) > MOST_DATASETS:
        yield f"  and {len(datasets) - MOST_DATASETS:,} more, which --format json tells"


def _hops(count: int) -> str:
    return f"{count} hop" if count == 1 else f"{count} hops"


def _words(name: str) -> str:
    return name.replace("_", " ")


def _first(texts: list[str], joint: str) -> str:
    more = len(texts) - MOST_SHOWN
    return joint.join(texts[:MOST_SHOWN]) + (f" and {more:,} more" if more > 0 else "")


def _short(text: str, most: int = SHOWN) -> str:
    return text if len(text) <= most else f"{text[:most]}…"
