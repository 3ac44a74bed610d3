"""The main job on real input, against a count that shares no code with us."""

import csv
import os
import re
from pathlib import Path

import duckdb
import orjson
import pytest
import zstandard
from hubs import built_in_steps, contents, crawled
from huggingface_hub.utils import HFValidationError, validate_repo_id
from test_storm import held, stormy, warehouse

from analysis.lineage import derive_lineage
from crawler.raw import read_raw
from warehouse.build import build

RECORDINGS = os.environ.get("HUBATLAS_RECORDINGS")
pytestmark = pytest.mark.skipif(
    not RECORDINGS, reason="HUBATLAS_RECORDINGS names no folder of real records"
)
OF_2022 = "hub_2022_02.jsonl.zst"
RELATIONS = ("finetune", "adapter", "quantized", "merge")
# The only name there that no repo bears and that is known to be another's.
MEANT = {("hub_2026_08.jsonl.zst", "gpt2"): "openai-community/gpt2"}


def lines_of(name):
    packed = (Path(RECORDINGS) / name).read_bytes()
    content = zstandard.ZstdDecompressor().stream_reader(packed).read()
    return [orjson.loads(line) for line in content.splitlines()]


def is_valid(repo_id):
    try:
        validate_repo_id(repo_id)
    except HFValidationError:
        return False
    return True


def counted(name):
    """Models, cards, and distinct child-parent pairs by relation, straight from the file."""
    lines, pairs = lines_of(name), {}
    for line in lines:
        child = line["model"]["id"]
        for tag in line["model"]["tags"]:
            if tag.startswith("base_model:"):
                kind, _, rest = tag.removeprefix("base_model:").partition(":")
                relation, parent = (kind, rest) if kind in RELATIONS else ("unknown", tag[11:])
                parent = MEANT.get((name, parent), parent)
                if parent != child and is_valid(parent):
                    known = pairs.get((child, parent), "unknown")
                    pairs[child, parent] = relation if known == "unknown" else known
    by_relation = {r: list(pairs.values()).count(r) for r in set(pairs.values())}
    return len(lines), sum(line["card"] is not None for line in lines), by_relation, lines


@pytest.fixture(scope="module", params=[OF_2022, "hub_2026_08.jsonl.zst"])
def real(request, tmp_path_factory):
    home = tmp_path_factory.mktemp("real") / "home"
    crawled(home, Path(RECORDINGS) / request.param)
    with duckdb.connect(build(home, derive=derive_lineage), read_only=True) as db:
        yield db, home, counted(request.param)


def test_models_cards_and_edges_are_those_of_the_file(real):
    db, _, (models, cards, by_relation, lines) = real
    assert db.execute("select count(*) from model where known").fetchone() == (models,)
    readable = [line for line in lines if not line["model"].get("gated")]
    assert sum(line["card"] is not None for line in readable) == cards
    assert db.execute("select count(*) from card").fetchone() == (cards,)
    rows = db.execute(
        "select relation, count(*) from base_model_edge"
        " where list_contains(evidence, 'tag') group by all"
    ).fetchall()
    assert dict(rows) == by_relation


def test_every_card_is_the_file_s_own_text_but_for_addresses(real):
    db, _, (_, _, _, lines) = real
    texts = dict(db.execute("select repo_id, text from card").fetchall())
    cards = {x["model"]["id"]: x["card"] for x in lines if x["card"] is not None}
    assert texts.keys() == cards.keys()
    differing = [(cards[name], text) for name, text in texts.items() if text != cards[name]]
    assert all("@" in card and "[e-mail]" in text for card, text in differing)
    assert len(differing) <= len(cards) / 50
    for card, text in differing:
        between = [re.escape(part) for part in text.split("[e-mail]")]
        assert re.fullmatch(r"[^\s@]+@[^\s@]+".join(between), card)


def test_the_same_raw_files_in_three_parts_give_the_same_relations(real, tmp_path):
    db, home, _ = real
    published = built_in_steps(home / "raw", tmp_path, seed=1)
    with duckdb.connect(published, read_only=True) as stepwise:
        assert contents(stepwise) == contents(db)


@pytest.mark.parametrize("real", [OF_2022], indirect=True)
def test_crawled_in_a_storm_and_killed_ten_times_it_is_the_same(real, tmp_path):
    db, _, (models, *_) = real
    source, home = Path(RECORDINGS) / OF_2022, tmp_path / "home"
    assert stormy(home, source, ("card",), kills=10, seed=7) == 10
    assert warehouse(home) == held(db)
    answers = [answer for path in (home / "raw" / "card").glob("*") for answer in read_raw(path)]
    assert len({answer["repo_id"] for answer in answers}) == models == 24_179


def test_card_sentences_agree_with_what_a_bot_read_in_2023(real):
    db, _, _ = real
    with (Path(RECORDINGS) / "base_model_prs.csv").open(encoding="utf-8") as file:
        proposed = {(row["child"], row["parent"]) for row in csv.DictReader(file)}
    edges = db.execute(
        "select child_id, parent_id from base_model_edge where list_contains(evidence, 'card_text')"
    ).fetchall()
    parents = dict(edges)
    # Names only: owners were added to ids like bert-base-uncased between 2022 and the bot.
    agreed = [_name(parents[child]) == _name(p) for child, p in proposed if child in parents]
    cards = db.execute("select count(*) from card").fetchone()[0]
    assert (len(agreed) > 300) is (cards > 0)
    assert agreed.count(True) >= 0.95 * len(agreed)


def _name(repo_id):
    return repo_id.rpartition("/")[2].lower()
