"""The table of licences: that it holds together, and verdicts that its rows have to come to."""

import csv
import re
from collections import Counter
from importlib import resources

import pytest

from analysis.licenses.judging import KINDS, asks, class_of, judge
from analysis.licenses.naming import UNKNOWN, read_license, spdx_of
from analysis.licenses.rules import CLASSES, TOLD, UNKNOWN_CLASS, named, rules

with (resources.files("analysis") / "license_rules.csv").open(encoding="utf-8") as file:
    ROWS = list(csv.DictReader(file))
KEPT, UNCLEAR, DROPPED = 0, 2, 3
VALUES = {"", "yes", "unclear"}
# From which class on a licence has to ask the duty that the class is called after.
ASKED_BY_CLASS = {
    "weak copyleft": {"share_alike"},
    "copyleft": {"share_alike"},
    "use-restricted": {"use_restrictions"},
    "named terms": {"use_restrictions"},
    "non-commercial": {"non_commercial"},
    "no-derivatives": {"no_derivatives"},
    "research-only": {"research_only"},
}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["license"])
def test_a_row_keeps_to_its_words(row):
    assert None not in row  # no cell too many
    assert None not in row.values()
    assert row["name"]
    assert row["family"]
    assert row["source"].strip()
    assert row["class"] in {*CLASSES, UNKNOWN_CLASS}
    for duty in {*KINDS, *TOLD} - {"naming", "threshold"}:
        assert row[duty] in VALUES, duty
    assert {row["adapter"], row["quantized"]} <= {"yes", "unclear"}
    asked = {kind for kind in KINDS if row[kind]}
    assert ASKED_BY_CLASS.get(row["class"], set()) <= asked
    # a class promises no less than the row asks for sure
    sure = {kind for kind in KINDS if row[kind] == "yes"}
    if row["class"] in {"permissive", UNKNOWN_CLASS}:
        assert not sure
    if row["kept_by"]:
        assert asked & {"share_alike", "use_restrictions"}
    if row["threshold"]:
        assert re.match(r"unclear|\d+ million", row["threshold"])


def test_no_name_means_two_licences():
    names = Counter(row["license"] for row in ROWS)
    names.update(alias for row in ROWS for alias in row["aliases"].split("|") if alias)
    assert [name for name, count in names.items() if count > 1] == []
    for row in ROWS:
        for name in (row["license"], *filter(None, row["aliases"].split("|"))):
            assert named()[name] == row["license"]
            assert read_license(name).license == row["license"]
    spdx = Counter(row["spdx"] for row in ROWS if row["spdx"])
    assert max(spdx.values()) == 1


def test_what_keeps_a_licence_is_spelled_as_it_is_compared():
    for row in ROWS:
        kept_by = [name for name in row["kept_by"].split("|") if name]
        assert len(set(kept_by)) == len(kept_by)
        assert row["license"] not in kept_by
        for name in kept_by:
            assert str(read_license(name)) == name, (row["license"], name)
            kinds = [k for k in ("share_alike", "use_restrictions") if row[k]]
            for kind in kinds:
                assert judge(kind, read_license(row["license"]), read_license(name)) == KEPT


def test_every_licence_keeps_itself():
    for row in ROWS:
        own = read_license(row["license"])
        for kind in set(KINDS) - {"naming", "no_derivatives"}:
            if row[kind] and row["class"] != UNKNOWN_CLASS:
                assert judge(kind, own, own) == KEPT


@pytest.mark.parametrize(
    ("origin", "child", "verdict"),
    [
        # a family whose version is not told: any version of it, where the text says so
        ("gfdl", "gfdl-1.3", KEPT),
        ("gfdl", "GFDL-1.2-no-invariants-or-later", KEPT),
        ("gfdl", "mit", DROPPED),
        # the tag may be of a licence that names a version
        ("gpl", "gpl-3.0", UNCLEAR),
        ("gpl", "mit", DROPPED),
        # "only" allows no later version, "or later" allows both
        ("gpl-3.0", "GPL-3.0-or-later", UNCLEAR),
        ("gpl-2.0", "gpl-3.0", UNCLEAR),
        ("GPL-2.0-or-later", "gpl-3.0", KEPT),
        ("agpl-3.0", "gpl-3.0", UNCLEAR),
        ("lgpl", "gpl-3.0", KEPT),
        ("lgpl-3.0", "gpl-2.0", DROPPED),
        ("lgpl-2.1", "gpl-2.0", KEPT),
        ("mpl-2.0", "GPL-2.0-or-later", KEPT),
        # lists of compatible licences
        ("eupl-1.2", "CECILL-2.1", KEPT),
        ("eupl-1.2", "cc-by-sa-3.0", KEPT),
        ("eupl-1.2", "eupl-1.1", KEPT),
        ("eupl-1.1", "gpl-3.0", DROPPED),
        ("eupl-1.2", "apache-2.0", DROPPED),
        ("cc-by-sa-4.0", "gpl-3.0", KEPT),
        ("cc-by-sa-4.0", "GPL-3.0-or-later", DROPPED),
        ("cc-by-sa-4.0", "LAL-1.3", KEPT),
        ("cc-by-sa-4.0", "agpl-3.0", DROPPED),
        ("cc-by-sa-3.0", "CC-BY-SA-3.0-DE", KEPT),
        ("cc-by-sa-3.0", "gpl-3.0", DROPPED),
        ("cc-by-nc-sa-4.0", "cc-by-nc-4.0", DROPPED),
        ("osl-3.0", "gpl-3.0", DROPPED),
    ],
)
def test_what_keeps_share_alike(origin, child, verdict):
    assert judge("share_alike", read_license(origin), read_license(child)) == verdict


PERMISSIVE = (
    *("apache-2.0", "mit", "bsd-2-clause", "bsd-3-clause", "isc", "unlicense", "cc0-1.0"),
    *("wtfpl", "zlib", "cc-by-4.0", "bsl-1.0", "public-domain", "odc-by"),
)


@pytest.mark.parametrize("license_id", PERMISSIVE)
def test_permissive_licences_ask_nothing_of_a_derivatives_licence(license_id):
    terms = read_license(license_id)
    assert class_of(terms) == "permissive"
    assert [kind for kind in KINDS if asks(terms, kind)] == []


def test_model_licences():
    for version in ("3", "3.1", "3.2", "3.3", "4"):
        duties = rules()[f"llama{version}"].duties
        assert duties["naming"] == "Llama"
        assert duties["threshold"] == "700 million monthly active users"
    assert "naming" not in rules()["llama2"].duties
    assert rules()["gemma"].duties["use_restrictions"] == "yes"
    assert (rules()["gemma"].adapter, rules()["gemma"].quantized) == ("yes", "yes")
    rail = [entry for entry in rules().values() if entry.family == "rail"]
    assert {entry.duties["use_restrictions"] for entry in rail} == {"yes"}
    # their texts allow a derivative other terms beside a copy of the agreement
    for name in ("qwen", "tongyi-qianwen", "qwen-research"):
        assert rules()[name].duties["use_restrictions"] == "unclear"


@pytest.mark.parametrize("name", ["cc-nc", "artistic", "x11-mit", "llama", "rail-m", "openmdw-2"])
def test_a_name_of_several_licences_is_unknown(name):
    assert read_license(name) == UNKNOWN


def test_public_domain_is_no_certain_dedication():
    terms = read_license("Public Domain")
    assert (terms.license, spdx_of(terms)) == ("public-domain", None)
