"""A hub out of real records: it builds, has the published shares, and is the same every time."""

import re
import subprocess
import sys
from pathlib import Path

import duckdb
import numpy as np
import orjson
import pytest
from hubs import model, recording
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from analysis.lineage import derive_lineage
from benchmarks.resample import published
from benchmarks.resample.cards import Digits, Facts, cut_card
from benchmarks.resample.columns import Wanted
from benchmarks.resample.families import draw_families
from benchmarks.resample.hub import main, resample
from benchmarks.resample.population import draw_population
from benchmarks.resample.sources import Body, NothingToResample, read_templates
from crawler.raw import body_of, read_raw
from warehouse.build import build

ROOT = Path(__file__).parent.parent
LICENSES = ("mit", "apache-2.0", "gemma", "llama3", "other")
TASKS = ("text-generation", "fill-mask", "text-to-image", "summarization")
CARD = """---
license: mit
language:
- en
tags:
- summary
---
# {name}
This model is a fine-tuned version of [bert](https://huggingface.co/bert-base-uncased) on squad.
It scores 0.8{n}213 after 1{n}000 steps. See {id} and [squad](https://huggingface.co/datasets/squad).
"""
WANTED = Wanted(models=3_000, cards=1_800, commits=12_000, days=2)


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    return recording(tmp_path_factory.mktemp("source"), [line(n) for n in range(120)])


@pytest.fixture(scope="module")
def told_and_home(source, tmp_path_factory):
    home = tmp_path_factory.mktemp("home")
    return resample([source], home, WANTED), home


@pytest.fixture(scope="module")
def db(told_and_home):
    with duckdb.connect(build(told_and_home[1], derive=derive_lineage), read_only=True) as opened:
        yield opened


@pytest.fixture(scope="module")
def families():
    return draw_families(200_000, np.random.default_rng(1))


def line(n):
    repo_id = f"owner{n % 50}/model-{n}-of-many"
    return model(
        repo_id,
        card=CARD.format(name=f"model-{n}-of-many", n=n % 9, id=repo_id) if n % 2 else None,
        createdAt=f"2026-08-{1 + n % 28:02d}T01:00:00.000Z",
        lastModified=f"2026-08-{1 + n % 28:02d}T0{2 + n % 7}:00:00.000Z",
        tags=["transformers", "en", TASKS[n % 4], f"license:{LICENSES[n % 5]}", "base_model:a/b"],
        pipeline_tag=TASKS[n % 4],
        downloads=n**2,
        likes=n,
        siblings=[{"rfilename": "config.json"}, {"rfilename": f"checkpoint-{n}500/model.bin"}],
        config={"model_type": "bert"},
    )


def raw_bytes(home):
    folder = home / "raw"
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*.zst"))}


def one(db, sql):
    return db.execute(sql).fetchone()[0]


def test_all_that_was_asked_for_is_in_the_warehouse(db, told_and_home):
    new = WANTED.days * WANTED.new_a_day
    assert one(db, "select count(*) from model where known") == 3_000 + new
    assert one(db, "select count(distinct hub_id) from model") == 3_000 + new
    assert one(db, "select count(*) from card") == pytest.approx(1_800, abs=new)
    assert one(db, "select count(*) from commit") == pytest.approx(12_000, rel=0.03)
    assert one(db, "select count(*) from repo_file") == 2 * (3_000 + new)
    assert one(db, "select sum(request_count) from crawl_run") == sum(
        told_and_home[0][f"{facet} answers"] for facet in ("model", "card", "commits")
    )


def test_only_models_that_declare_themselves_are_rejected(db):
    rejected = db.execute("select distinct reason, key from rejected").fetchall()
    assert len(rejected) == round(WANTED.all_models * published.SELF_LOOP_SHARE)
    assert all(reason == f"declares itself as its base model: {key}" for reason, key in rejected)


def test_every_edge_is_in_the_tags_and_in_the_card_where_there_is_one(db):
    lacking = """
        select count(*) from base_model_edge left join card on card.repo_id = child_id
        where not list_contains(evidence, 'tag')
            or (card.repo_id is not null and not list_contains(evidence, 'front_matter'))"""
    assert one(db, lacking) == 0
    assert one(db, "select count(*) from base_model_edge where len(evidence) = 3") > 100


def test_a_hub_has_ghosts_cycles_case_twins_and_ids_without_owner(db):
    assert one(db, "select count(*) from model where not known") > 0
    assert one(db, "select sum(cycle_count) from family") == published.CYCLE_COUNT
    assert one(db, "select count(*) - count(distinct lower(repo_id)) from model where known") == 1
    assert one(db, "select count(*) from model where known and not contains(repo_id, '/')") == 1


def test_names_are_used_by_several_owners_and_ids_once(db):
    reused = (
        "select name from (select split_part(repo_id, '/', 2) as name from model) group by name"
    )
    assert one(db, f"select count(*) from ({reused} having count(*) > 1)") > 10
    assert one(db, "select count(*) - count(distinct repo_id) from model") == 0


def test_days_add_looks_new_models_and_commits_that_continue(db):
    later = "select count(*) from model_observation where observed_at > '2026-09-15 12:00'"
    assert one(db, later) > WANTED.days * 3_000 * published.CHANGED_A_DAY
    born = "select count(*) from model where first_seen_at > '2026-09-15 12:00' and known"
    assert one(db, born) == WANTED.days * WANTED.new_a_day
    assert one(db, "select count(*) from history_rewrite") == 0
    assert one(db, "select count(*) from commit where not is_current") == 0
    moved = "select count(*) from (select 1 from model_observation group by repo_id"
    assert one(db, f"{moved} having count(distinct commit_sha) = 2)") > 30
    assert db.execute("select kind, outcome from sweep order by sweep_id").fetchall() == [
        ("full", "complete"),
        *[("incremental", "complete")] * 2,
    ]


def test_the_newest_commit_is_the_one_that_was_listed(db):
    apart = """
        select count(*) from model join commit using (repo_id)
        where position = 1 and model.commit_sha <> commit.commit_sha"""
    assert one(db, apart) == 0


def test_raw_files_say_what_a_crawl_says(told_and_home):
    _, home = told_and_home
    (page,) = read_raw(home / "raw/model/00001-000000.jsonl.zst")
    records = orjson.loads(body_of(page))
    assert len(records) == 1000
    assert [r["createdAt"] for r in records] == sorted(
        (r["createdAt"] for r in records), reverse=True
    )
    card_files, commit_files = (
        sorted((home / "raw" / facet).iterdir()) for facet in ("card", "commits")
    )
    assert [p.name[:7] for p in (*card_files[:6], commit_files[0])] == [
        f"{n:07d}" for n in range(1, 8)
    ]
    (card, *_), (commits, *_) = read_raw(card_files[0]), read_raw(commit_files[0])
    assert {"known_commit", "page", "revision", "failure"} <= commits.keys()
    assert card["path"] == "README.md"
    assert card.keys() - {"path"} == commits.keys() - {"known_commit"}


def test_the_same_seed_gives_the_same_bytes_and_another_gives_others(source, tmp_path):
    wanted = Wanted(models=300, cards=150, commits=1_000, days=1)
    homes = [tmp_path / name for name in ("first", "again", "other")]
    for home, seed in zip(homes, (7, 7, 8), strict=True):
        resample([source], home, wanted, seed=seed)
    first, again, other = map(raw_bytes, homes)
    assert first == again
    assert first.keys() == other.keys()
    assert first["model/00001-000000.jsonl.zst"] != other["model/00001-000000.jsonl.zst"]


def test_a_home_is_a_source_too(told_and_home, tmp_path):
    _, home = told_and_home
    templates = read_templates([home])
    assert len(templates.looks) == 3_000 + WANTED.days * WANTED.new_a_day
    assert len(templates.carded) == pytest.approx(1_800, abs=20)
    told = resample([home], tmp_path, Wanted(models=200, cards=100, commits=800))
    assert (told["listed"], told["commits"]) == (200, 800)


def test_edges_have_the_published_relations(families):
    shares = np.bincount(families.relation) / len(families.child)
    expected = np.array(published.EDGE_COUNTS) / sum(published.EDGE_COUNTS)
    assert shares == pytest.approx(expected, abs=0.01)
    assert len(families.child) / 200_000 == pytest.approx(573_653 / 1_860_411, rel=0.02)


def test_components_are_as_many_as_published(families):
    count = 200_000 + families.ghost_count
    ends = np.where(families.parent < 0, 199_999 - families.parent, families.parent)
    ones = np.ones(len(ends), dtype=np.int8)
    graph = coo_array((ones, (families.child, ends)), shape=(count, count))
    found, label = connected_components(graph, connection="weak")
    assert found / count == pytest.approx(1_308_021 / 1_860_411, rel=0.01)
    largest = np.sort(np.bincount(label))[::-1]
    assert 0.005 < largest[0] / count < 0.15
    assert largest[10] > 20 * largest[1000] > 20


def test_children_have_children_as_often_as_published(families):
    parents = np.unique(families.parent[families.parent != families.child])
    for relation in (published.FINETUNE, published.ADAPTER, published.QUANTIZED):
        fertile = np.isin(families.child[families.relation == relation], parents).mean()
        assert fertile == pytest.approx(published.FERTILE_SHARES[relation], rel=0.1, abs=0.002)


def test_merges_and_self_loops_are_as_rare_as_published(families):
    _, counts = np.unique(families.child, return_counts=True)
    assert (counts > 1).sum() / 200_000 == pytest.approx(published.MULTI_PARENT_SHARE, rel=0.05)
    loops = (families.child == families.parent).sum()
    assert loops == round(200_000 * published.SELF_LOOP_SHARE)


def test_traits_mutate_at_the_published_rates(source):
    templates = read_templates([source])
    hub = draw_population(Wanted(60_000, 36_000, 240_000), templates, np.random.default_rng(2))
    child = np.repeat(np.arange(len(hub)), np.diff(hub.first_edge))
    known = (hub.parent >= 0) & (hub.parent < child)
    child, parent = child[known], hub.parent[known]
    for trait, attribute in (("license", "license"), ("task", "task")):
        values = np.array([getattr(look, attribute) for look in templates.looks])
        drawn = values[getattr(hub, trait)]
        changed = (drawn[child] != drawn[parent]).mean()
        assert changed == pytest.approx(published.MUTATION_RATES[trait], abs=0.04)


def test_a_card_speaks_of_another_model():
    card = cut_card(
        Body("lab/model-one", "", b"", CARD.format(name="model-one", n=3, id="lab/model-one"))
    )
    child = card.filled(Facts("new/child", ["old/base"], "license: gemma\n"), Digits("9" * 100))
    assert child.startswith("---\nlicense: gemma\ntags:\n- summary\n---\n# child\n")
    assert "fine-tuned version of [old/base](https://huggingface.co/old/base) on squad" in child
    assert "It scores 0.99999 after 19999 steps. See new/child and [squad]" in child
    orphan = card.filled(Facts("new/child", [], ""), Digits("9" * 100))
    assert "fine-tuned version of bert on squad" in orphan


def test_a_card_without_front_matter_gets_some_only_to_declare_a_parent():
    card = cut_card(Body("lab/model-one", "", b"", "# Hello"))
    front = "base_model:\n- old/base\n"
    assert (
        card.filled(Facts("a/b", ["old/base"], front), Digits("1")) == f"---\n{front}---\n# Hello"
    )
    assert card.filled(Facts("a/b", [], "license: mit\n"), Digits("1")) == "# Hello"


def test_a_home_that_holds_raw_files_is_refused(source, told_and_home):
    with pytest.raises(NothingToResample, match="holds raw files already"):
        resample([source], told_and_home[1], WANTED)


def test_records_without_files_are_refused(tmp_path):
    bare = recording(tmp_path, [model("a/b")])
    with pytest.raises(NothingToResample, match="lists files"):
        resample([bare], tmp_path / "home", WANTED)


def test_the_command_says_what_it_wrote(source, tmp_path, capsys):
    command = [sys.executable, "-m", "benchmarks.resample", str(source), str(tmp_path / "home")]
    ran = subprocess.run(
        [*command, "--models", "200"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert re.search(r"^commits +800$", ran.stdout, re.MULTILINE)
    with pytest.raises(SystemExit, match="too small"):
        main([str(source), str(tmp_path / "small"), "--models", "5"])


def test_later_days_ask_for_commits_down_to_the_one_that_is_known(told_and_home):
    last = sorted((told_and_home[1] / "raw" / "commits").iterdir())[-1]
    answers = list(read_raw(last))
    known = [answer for answer in answers if answer["known_commit"]]
    assert len(answers) - len(known) == WANTED.new_a_day
    for answer in known:
        newest, before, *_ = orjson.loads(body_of(answer))
        assert (newest["id"], before["id"]) == (answer["revision"], answer["known_commit"])
        assert newest["date"] > before["date"]


def test_a_warehouse_of_it_is_measured_and_the_usual_way_finds_the_same(told_and_home, tmp_path):
    command = [sys.executable, "-m", "benchmarks.warehouse", told_and_home[1], tmp_path / "work"]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    steps = [line.split("  ")[0] for line in ran.stdout.splitlines()]
    assert steps[:6] == [
        *("step", "build from scratch", "database", "card text in it", "build of one day more"),
        "named queries, the middle one",
    ]
    assert steps[-5:-1] == ["families derived", "families read", "licence drift", "top parents"]
