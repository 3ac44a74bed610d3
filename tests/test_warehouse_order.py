"""Whatever the order and the number of builds, the warehouse is the one that raw files make."""

import random

import orjson
import pytest
from hubs import relations
from raw_homes import RawHome, answer

from crawler.raw import write_raw

REPOS = ["o/a", "o/A", "p/c", "q/a-GGUF", "openai-community/gpt2", "gpt2"]
HUB_IDS = ["i1", "i2", "i3"]
SHAS = ["c1", "c2"]
TAGS = [
    *("base_model:o/a", "base_model:adapter:o/A", "base_model:gone/x", "license:mit", "en"),
    *("base_model:O/A", "base_model:P/C", "base_model:gpt2", "base_model:GPT2"),
]
CARDS = [b"# A", b"---\nbase_model: p/c\n---\n", b"---\n: [\n---\n", b"finetuned from o/a model"]
OPTIONAL = {
    "sha": SHAS,
    "likes": [1, 2, -1],
    "siblings": [[{"rfilename": "README.md"}, {"rfilename": "old.bin"}]],
    "cardData": [{"base_model": "p/c"}, {"license": "gpl"}],
    "private": [True, False, False],
    "localPath": ["/models/x"],
    "config": [{"peft": {"base_model_name_or_path": "o/A"}}],
    "surprise": [{"a": 1}],
}


def record(rng):
    optional = {k: rng.choice(v) for k, v in OPTIONAL.items() if rng.random() < 0.4}
    tags = rng.sample(TAGS, rng.randint(0, 3))
    return {"id": rng.choice(REPOS), "_id": rng.choice(HUB_IDS), "tags": tags, **optional}


def listing(rng):
    return orjson.dumps([record(rng) for _ in range(rng.randint(1, 3))]), {}


def card(rng):
    return rng.choice(CARDS), {}


def tree(rng):
    listed = [{"type": "file", "path": rng.choice(SHAS), "size": 3, "oid": "x"}]
    return orjson.dumps(listed), {"revision": rng.choice(SHAS)}


def commits(rng):
    shas = rng.sample(["c1", "c2", "c3"], 2)
    return orjson.dumps([{"id": sha} for sha in shas]), {"known_commit": rng.choice([None, *SHAS])}


def probe(rng):
    return orjson.dumps({"id": rng.choice(REPOS)}), {"failure": "moved"}


def refs(rng):
    return b'{"branches": [{"name": "main", "ref": "refs/heads/main"}]}', {}


def adapter_config(rng):
    base = rng.choice([*REPOS, "P/c", "merged", "./out"])
    return orjson.dumps({"base_model_name_or_path": base}), {"path": "adapter_config.json"}


def mergekit_config(rng):
    bases = rng.sample(["o/a", "O/a", "gpt2+o/A", "gone/x"], 2)
    return orjson.dumps({"models": [{"model": base} for base in bases]}), {}


def config(rng):
    return orjson.dumps({"_name_or_path": rng.choice([*REPOS, "P/C", "gone/x"])}), {}


ANSWERS = {
    **{"card": card, "tree": tree, "commits": commits, "probe": probe, "refs": refs},
    **{"adapter_config": adapter_config, "mergekit_config": mergekit_config, "config": config},
}


def raw_file(rng, home, number):
    """Write one raw file: a page of a listing, or an answer about a repo, good or failed."""
    facet = "model" if rng.random() < 0.5 else rng.choice(list(ANSWERS))
    about = {"facet": facet, "day": rng.randint(1, 4)}
    if facet == "model":
        (body, fields), about["sweep_id"] = listing(rng), 1
    else:
        (body, fields), about["repo_id"] = ANSWERS[facet](rng), rng.choice(REPOS)
        if rng.random() < 0.3:
            failure = rng.choice(["gone", "entry-missing", "transient"])
            body, fields = b"no", {"status": 404, "failure": failure}
    path = home.folder / "raw" / facet / f"{number:05d}.jsonl.zst"
    write_raw(path, [answer(body, **about, **fields)])


def everything(db):
    """All rows of all relations, but when the file was built."""
    return {
        name: sorted(map(repr, db.execute(f"select * from {name}").fetchall()))
        for name in relations(db)
    }


@pytest.mark.parametrize("seed", range(30))
def test_any_order_of_loading_gives_what_a_build_from_scratch_gives(tmp_path, seed):
    rng = random.Random(seed)
    home = RawHome(tmp_path)
    numbers = rng.sample(range(100), rng.randint(3, 9))
    for number in numbers:
        raw_file(rng, home, number)
        if rng.random() < 0.5:
            home.built().close()
    with home.built() as db:
        stepwise = everything(db)
    with home.built(from_scratch=True) as db:
        assert everything(db) == stepwise
