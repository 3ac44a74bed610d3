"""The command licenses: what it says of a model and of what is unknown, and hostile names."""

from __future__ import annotations

import json

import pytest
from raw_homes import RawHome
from typer.testing import CliRunner

from analysis.licenses.chain import explain
from app.cli import ERRORS, cli
from app.license_text import ADVICE, license_text
from atlas.branches import UnknownModel
from warehouse.read import NoWarehouse, open_warehouse


def record(repo_id, *said, bases=(), **fields):
    tags = [f"license:{one}" for one in said] + [f"base_model:{base}" for base in bases]
    return {"id": repo_id, "tags": tags, **fields}


HUB = [
    record("meta/base", "gemma"),
    record("ada/left", "gemma", bases=["finetune:meta/base"]),
    record("ada/right", bases=["quantized:meta/base"]),
    record("bob/join", "mit", bases=["merge:ada/left", "merge:ada/right", "merge:lost/ghost"]),
    record("bob/data", "mit", cardData={"datasets": ["squad"]}),
    record("eve/odd", "\x1b[31m<b>mine</b>\u202e" + "x" * 300, bases=["finetune:meta/base"]),
]


@pytest.fixture
def home(tmp_path):
    made = RawHome(tmp_path / "home")
    made.listing(*HUB)
    made.built().close()
    return made.folder


def ran(home, *words):
    return CliRunner().invoke(cli, ["--home", str(home), "licenses", *words])


TOLD = """\
bob/join: mit (permissive; SPDX MIT; in its tag)

made from: 4
  1 hop: ada/left: gemma (named terms; no SPDX id; in its tag)
      -> bob/join  merge (tag)
  1 hop: ada/right: unknown (declares none)
      -> bob/join  merge (tag)
  1 hop: lost/ghost: unknown (not in this hub)
      -> bob/join  merge (tag)
  2 hops: meta/base: gemma (named terms; no SPDX id; in its tag)
      -> ada/left  finetune (tag)
      -> ada/right  quantized (tag)

what is asked of it: 1
  use restrictions, from model meta/base (gemma), 2 hops
      conflict (it declares mit)
      first dropped at ada/left -> bob/join, 2 hops from there, or before: a licence on the way is \
unknown
      by: Gemma Terms of Use §"""


def test_a_model_is_explained_hop_by_hop(home):
    found = ran(home, "bob/join")
    assert found.exit_code == 0
    assert found.stdout.startswith(TOLD)
    assert "unknown what is asked by: ada/right, lost/ghost\n" in found.stdout
    assert "  gemma: acceptable use\n" in found.stdout
    assert found.stdout.endswith(f"datasets: none declared\n\n{ADVICE}\n")
    # an ancestor stands once
    assert found.stdout.count(": meta/base:") == 1


def test_json_says_the_same(home):
    told = json.loads(ran(home, "bob/join", "--format", "json").stdout)
    assert told["advice"] == ADVICE
    assert [link["repo_id"] for link in told["links"]] == [
        *("bob/join", "ada/left", "ada/right", "lost/ghost", "meta/base"),
    ]
    (duty,) = told["duties"]
    assert (duty["verdict"], duty["drop_child_id"], duty["may_be_earlier"]) == (
        *("conflict", "bob/join"),
        True,
    )
    assert told["links"][3]["known"] is False


def test_a_ghost_and_a_root_are_explained_too(home):
    ghost = ran(home, "lost/ghost").stdout
    assert ghost.startswith("lost/ghost: unknown (not in this hub)\n\nmade from: nothing known\n")
    assert "what is asked of it: nothing that is known\n" in ran(home, "meta/base").stdout


def test_hostile_declarations_are_shown_plain_and_short(home):
    said = ran(home, "eve/odd").stdout
    assert "unknown (declares \\u001b[31m<b>mine</b>\\u202e" in said
    assert "\x1b" not in said
    assert "x" * 61 not in said
    assert "unknown: its licence is not known\n" in said


def test_a_model_that_nobody_knows_is_one_line(home):
    found = ran(home, "bob/joim")
    assert isinstance(found.exception, UnknownModel)
    assert isinstance(found.exception, ERRORS)
    assert str(found.exception) == ("no model 'bob/joim' in this warehouse; did you mean bob/join?")


def test_without_a_warehouse_it_says_what_to_run(tmp_path):
    assert isinstance(ran(tmp_path, "a/b").exception, NoWarehouse)


def test_it_wants_a_model_or_a_file(home):
    found = ran(home)
    assert found.exit_code == 2
    assert "name a model, or a file with --datasets" in found.stderr


def test_licences_of_datasets_are_given_and_stay(home, tmp_path):
    assert "  squad: unknown, by bob/data\n" in ran(home, "bob/data").stdout
    file = tmp_path / "datasets.csv"
    file.write_text("dataset_id,license\nsquad,CC BY-SA 4.0\n")
    found = ran(home, "bob/data", "--datasets", str(file))
    assert "licences of 1 dataset" in found.stderr
    assert "  squad: cc-by-sa-4.0, by bob/data\n" in found.stdout
    assert (
        "  share alike, from dataset squad (cc-by-sa-4.0), 1 hop\n"
        "      unclear: whether it passes on to what is made so is open (it declares mit)\n"
        "      first dropped at squad -> bob/data, 1 hop from there\n"
    ) in found.stdout
    assert "  squad: cc-by-sa-4.0, by bob/data\n" in ran(home, "bob/data").stdout
    rows = RawHome(home).rows("select dataset_id, declared, license, spdx from dataset_license")
    assert rows == [("squad", "CC BY-SA 4.0", "cc-by-sa-4.0", "CC-BY-SA-4.0")]


def test_a_chain_that_is_too_long_says_what_it_leaves_out(home):
    with open_warehouse(home) as db:
        told = explain(db, "bob/join", most=2)
    assert [link.repo_id for link in told.links] == ["bob/join", "ada/left", "ada/right"]
    assert told.cut_count == 2
    assert "  and 2 farther ones, which are left out here" in list(license_text(told))
