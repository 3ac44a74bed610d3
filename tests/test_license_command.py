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


def test_a_name_that_is_no_text_is_unknown(home):
    # as a shell hands over bytes that are not UTF-8
    found = ran(home, "\udcff/x")
    assert isinstance(found.exception, UnknownModel)
    assert str(found.exception) == ("no model '\\udcff/x' in this warehouse: its name is not UTF-8")


MANY = 300
SAID = (
    *("x" * 10_000, "<script>alert(1)</script>", "\x1b[31mred\x1b[0m\x07", '[["mit"]]', "null"),
    *("3", "GPL", "apache 2.0", "GPL-2.0-only WITH Classpath-exception-2.0", "mit\u202etxt"),
    *("a\r\nb", "(" * 150),
)
NESTED = {"license": [["mit", ["gpl"]], None, 3, {"a": [1]}, "mit"], "license_name": ["x"]}


@pytest.fixture(scope="module")
def odd_home(tmp_path_factory):
    made = RawHome(tmp_path_factory.mktemp("odd"))
    chain = [
        record(f"w/m{at}", said, bases=[f"finetune:w/m{at - 1}"] if at else [])
        for at, said in enumerate(SAID)
    ]
    last = f"finetune:w/m{len(SAID) - 1}"
    datasets = ["d\x1b[1m", ["q"], None, 3, "s" * 5_000]
    made.listing(
        *chain,
        record("w/lists", bases=[last], cardData={**NESTED, "datasets": datasets}),
        record("c/a", "gpl-3.0", bases=["finetune:c/b", "finetune:c/a"]),
        record("c/b", "mit", bases=["finetune:c/a"]),
        record("e/below", "mit", bases=["finetune:c/a", "finetune:c/b"]),
        record("l/many", *[f"odd {at}" for at in range(MANY)]),
        record("l/below", "mit", bases=["finetune:l/many"]),
        record("d/many", "mit", cardData={"datasets": [f"s/d{at}" for at in range(MANY)]}),
    )
    for start in range(0, 60_000, 10_000):
        made.listing(
            *(
                record(f"big/k{at}", "mit", bases=["finetune:big/base"])
                for at in range(start, start + 10_000)
            )
        )
    made.listing(record("big/base", "cc-by-nc-4.0"))
    made.built().close()
    return made.folder


@pytest.mark.parametrize(
    ("model", "most_lines"),
    [
        *(("w/m0", 20), ("w/lists", 60), ("c/a", 20), ("c/b", 20), ("e/below", 30)),
        *(("l/many", 20), ("l/below", 20), ("d/many", 120), ("big/base", 20), ("big/k1", 30)),
    ],
)
def test_an_explanation_is_bounded_and_plain(odd_home, model, most_lines):
    found = ran(odd_home, model)
    assert found.exit_code == 0
    lines = found.stdout.splitlines()
    assert len(lines) < most_lines
    assert max(map(len, lines)) < 1_000
    assert not set("\x1b\x07\r\u202e") & set(found.stdout)
    assert lines[-1] == ADVICE
    told = json.loads(ran(odd_home, model, "--format", "json").stdout)
    assert told["repo_id"] == model


def test_what_is_left_out_of_an_explanation_is_counted(odd_home):
    assert " and 290 more\n" in ran(odd_home, "l/many").stdout
    assert "  and 200 more, which --format json tells\n" in ran(odd_home, "d/many").stdout
    told = json.loads(ran(odd_home, "d/many", "--format", "json").stdout)
    assert len(told["datasets"]) == MANY


def test_odd_declarations_are_told_for_what_they_are(odd_home):
    said = ran(odd_home, "w/lists").stdout
    assert 'w/lists: unknown (declares ["mit",["gpl"]] in its card data); and unknown (' in said
    assert "and mit (permissive; SPDX MIT; in its card data)\n" in said
    assert "w/m6: gpl (copyleft; no SPDX id; in its tag, as GPL)\n" in said
    assert "w/m7: apache-2.0 (permissive; SPDX Apache-2.0; in its tag, as apache 2.0)\n" in said
    assert "w/m4: unknown (declares null in its tag)\n" in said
    # one exception more or less is for its own text to say
    assert "  share alike, from model w/m8 (gpl-2.0 with Classpath-exception-2.0), 4 hops\n" in said


def test_below_a_cycle_the_first_drop_is_told(odd_home):
    said = ran(odd_home, "e/below").stdout
    assert (
        "share alike, from model c/a (gpl-3.0), 1 hop\n      conflict (it declares mit)\n" in said
    )
