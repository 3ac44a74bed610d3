"""The rule table ``analysis/license_rules.csv``: what each licence asks of what is made from it.

Its rows cite the licence's own text and section. What the law leaves open says ``unclear`` there.
It is advice: nobody's judgement of a case.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import license_expression
import pyarrow as pa

# From what asks least to what asks most; drift is counted along this order.
CLASSES = (
    "permissive",
    "weak copyleft",
    "copyleft",
    "use-restricted",
    "named terms",
    "non-commercial",
    "no-derivatives",
    "research-only",
)
UNKNOWN_CLASS = "unknown"
# What a model card's licence can show to be kept or dropped; other duties are only told of.
KINDS = (
    "share_alike",
    "use_restrictions",
    "non_commercial",
    "research_only",
    "no_derivatives",
    "naming",
)
TOLD = ("attribution", "threshold", "acceptable_use", "patent")
# How ScanCode files an SPDX licence that has no row of its own, as the class that is sure of it.
CATEGORIES = {
    "Permissive": "permissive",
    "Public Domain": "permissive",
    "Copyleft Limited": "weak copyleft",
    "Copyleft": "copyleft",
}


@dataclass(frozen=True)
class Rule:
    """One licence of the table.

    Attributes
    ----------
    license
        Its id, as the Hub spells it or would.
    spdx
        SPDX id; None where it has none.
    family
        Versions and kin: whether one of them stands for another is unclear unless ``kept_by`` says.
    duties
        By name of `KINDS` and `TOLD`: ``yes``, ``unclear``, or what exactly (the name, the
        threshold); what is not asked is left out.
    adapter, quantized
        Whether duties reach these derivatives: ``yes`` or ``unclear``. A finetune and a merge they
        always reach.
    kept_by
        Further licences under which share_alike or use_restrictions are kept.
    has_terms
        Whether what it asks is known at all.
    source
        Document and section.
    """

    license: str
    name: str
    spdx: str | None
    family: str
    license_class: str
    duties: dict[str, str]
    adapter: str
    quantized: str
    kept_by: frozenset[str]
    aliases: tuple[str, ...]
    has_terms: bool
    source: str
    note: str


@cache
def rules() -> dict[str, Rule]:
    """The table, by licence."""
    with (resources.files("analysis") / "license_rules.csv").open(encoding="utf-8") as file:
        return {row["license"]: _rule(row) for row in csv.DictReader(file)}


@cache
def named() -> dict[str, str]:
    """Licences by all their names in lower case: ids, aliases, SPDX ids."""
    names = {entry.license: entry.license for entry in rules().values()}
    for entry in rules().values():
        names |= dict.fromkeys(entry.aliases, entry.license)
    for spdx, (_, spellings) in _spdx_index().items():
        for name in spellings:
            names.setdefault(name.lower(), _of_spdx().get(spdx, spdx.lower()))
    return names


@cache
def rule(license_id: str) -> Rule:
    """The row of a licence that `named` knows; of one that only SPDX knows, by its category."""
    found = rules().get(license_id)
    if found is not None:
        return found
    spdx = {name.lower(): name for name in _spdx_index()}[license_id]
    category = _spdx_index()[spdx][0]
    license_class = CATEGORIES.get(category, UNKNOWN_CLASS)
    copyleft = {"share_alike": "unclear"} if "copyleft" in license_class else {}
    return Rule(
        license=license_id,
        name=spdx,
        spdx=spdx,
        family=license_id,
        license_class=license_class,
        duties={"attribution": "unclear", **copyleft},
        adapter="unclear",
        quantized="unclear",
        kept_by=frozenset(),
        aliases=(),
        has_terms=category in CATEGORIES,
        source=f"SPDX licence list; ScanCode LicenseDB, category {category}",
        note="Its text was not read for this table",
    )


@cache
def exceptions() -> dict[str, str]:
    """SPDX's licence exceptions by their names in lower case."""
    index = license_expression.get_license_index()
    found = [entry["spdx_license_key"] for entry in index if entry["is_exception"]]
    return {name.lower(): name for name in found if name and not name.startswith("LicenseRef")}


def as_rows() -> pa.Table:
    """The table as it is published: one row a licence, duties as columns, null where not asked."""
    return pa.Table.from_pylist([_row(entry) for entry in rules().values()], schema=_schema())


def _rule(row: dict[str, str]) -> Rule:
    return Rule(
        license=row["license"],
        name=row["name"],
        spdx=row["spdx"] or None,
        family=row["family"],
        license_class=row["class"],
        duties={duty: row[duty] for duty in (*TOLD, *KINDS) if row[duty]},
        adapter=row["adapter"],
        quantized=row["quantized"],
        kept_by=frozenset(filter(None, row["kept_by"].split("|"))),
        aliases=tuple(filter(None, row["aliases"].split("|"))),
        has_terms=row["class"] != UNKNOWN_CLASS,
        source=row["source"],
        note=row["note"],
    )


def _row(entry: Rule) -> dict[str, Any]:
    return {
        "license": entry.license,
        "name": entry.name,
        "spdx": entry.spdx,
        "family": entry.family,
        "license_class": entry.license_class,
        **{duty: entry.duties.get(duty) for duty in (*TOLD, *KINDS)},
        "adapter": entry.adapter,
        "quantized": entry.quantized,
        "kept_by": sorted(entry.kept_by),
        "source": entry.source,
        "note": entry.note or None,
    }


def _schema() -> pa.Schema:
    columns = ("license", "name", "spdx", "family", "license_class", *TOLD, *KINDS, "adapter")
    text = [(column, pa.string()) for column in (*columns, "quantized", "source", "note")]
    return pa.schema([*text, ("kept_by", pa.list_(pa.string()))])


@cache
def _of_spdx() -> dict[str, str]:
    return {entry.spdx: entry.license for entry in rules().values() if entry.spdx}


@cache
def _spdx_index() -> dict[str, tuple[str, tuple[str, ...]]]:
    """Category and all names, also those that SPDX has given up, by SPDX id."""
    found = {}
    for entry in license_expression.get_license_index():
        spdx = entry["spdx_license_key"]
        if spdx and not spdx.startswith("LicenseRef") and not entry["is_exception"]:
            old = [name for name in entry["other_spdx_license_keys"] if not name.startswith("Lic")]
            found[spdx] = (entry["category"], (spdx, *old))
    return found
