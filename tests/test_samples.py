"""Crawling a sample: drawn of a listing that is there, said, stored, gone on with."""

import json

import pytest
from hubs import model, recording

from crawler.crawl import NothingKnown, crawl
from crawler.hub import BudgetSpent
from crawler.localhub.running import running
from crawler.plan import (
    MOST_SEED,
    OptionsContradict,
    SampleRequest,
    SampleTooSmall,
    SeedOutOfBounds,
    StrataUnreadable,
)
from crawler.raw import body_of, read_raw
from crawler.sample import NothingToSample

TASKS = ["text-generation"] * 30 + [f"task-{n}" for n in range(10)]
RECORDS = [
    model(f"o/m{n:03d}", card=f"# {n}", sha=f"{n:040x}", downloads=n, pipeline_tag=task)
    for n, task in enumerate(TASKS * 5)
]
BY_TASK = ("pipeline_tag",)


@pytest.fixture(scope="module")
def hub(tmp_path_factory):
    with running(recording(tmp_path_factory.mktemp("hub"), RECORDS)) as endpoint:
        yield endpoint


def sampled(home, endpoint, request, **options):
    told = []
    plan = {"facets": ("card",), "sample": request, "hub_name": "test", **options}
    return crawl(home, endpoint=endpoint, tell=told.append, **plan), told


def samples(home):
    files = sorted((home / "raw" / "sample").glob("*"))
    return [json.loads(body_of(next(read_raw(file)))) for file in files]


def cards(home):
    files = (home / "raw" / "card").glob("*")
    return sorted(e["repo_id"] for file in files for e in read_raw(file))


def listings(home):
    return len(list((home / "raw" / "model").glob("*")))


def test_a_small_sample_pools_its_smallest_strata_and_says_so(hub, tmp_path):
    done, told = sampled(tmp_path, hub, SampleRequest(12, BY_TASK))
    assert done.answered == {"card": 12}
    assert told == [
        "sample 1 draws 12 of 200 models from 2 strata; 10 too small for it are pooled into one"
    ]
    (sample,) = samples(tmp_path)
    assert sample["pooled"] == [f"pipeline_tag=task-{n}" for n in range(10)]
    assert [s["stratum"] for s in sample["stratum"]] == [
        "pipeline_tag=text-generation",
        "pooled (10 strata)",
    ]
    assert sum(s["frame_count"] * s["inclusion_probability"] for s in sample["stratum"]) == 12
    assert cards(tmp_path) == sorted(repo_id for repo_id, _ in sample["members"])


def test_another_sample_is_drawn_of_the_listing_that_is_there(hub, tmp_path):
    sampled(tmp_path, hub, SampleRequest(12, BY_TASK))
    done, told = sampled(tmp_path, hub, SampleRequest(50, BY_TASK, "neyman", seed=1))
    assert (listings(tmp_path), done.has_listed, done.listed_count) == (1, False, 0)
    assert told[0].endswith(" UTC is used again, 200 models; crawl --anew lists anew")
    assert [sample["sample_count"] for sample in samples(tmp_path)] == [12, 50]
    sampled(tmp_path, hub, SampleRequest(12, BY_TASK), anew=True)
    assert listings(tmp_path) == 2


def test_a_listing_cut_by_a_limit_is_used_again_for_that_limit_only(hub, tmp_path):
    for limit, pages in ((60, 1), (60, 1), (None, 2), (60, 2)):
        sampled(tmp_path, hub, SampleRequest(8, ()), model_limit=limit)
        assert listings(tmp_path) == pages


def test_the_same_sample_of_the_same_listing_is_drawn_once(hub, tmp_path):
    for facets in (("card",), ("card", "refs")):
        done, _ = sampled(tmp_path, hub, SampleRequest(12, BY_TASK), facets=facets)
    assert len(samples(tmp_path)) == 1
    assert done.answered == {"card": 0, "refs": 12}


def test_a_sample_that_broke_off_goes_on_also_with_a_further_facet(hub, tmp_path):
    with pytest.raises(BudgetSpent):
        sampled(tmp_path, hub, SampleRequest(12, BY_TASK), max_requests=9)
    begun = len(cards(tmp_path))
    done, _ = sampled(tmp_path, hub, SampleRequest(12, BY_TASK), facets=("card", "refs"))
    assert begun > 0
    assert done.answered == {"card": 12 - begun, "refs": 12}


def test_what_is_left_of_an_earlier_sample_is_not_asked_with_another(hub, tmp_path):
    with pytest.raises(BudgetSpent):
        sampled(tmp_path, hub, SampleRequest(150, BY_TASK), max_requests=9)
    sampled(tmp_path, hub, SampleRequest(12, (), seed=5))
    large, small = ({repo_id for repo_id, _ in s["members"]} for s in samples(tmp_path))
    assert small <= set(cards(tmp_path))
    assert len(large & set(cards(tmp_path)) - small) < 9


def test_a_sample_is_refused_before_any_request_where_it_cannot_be(tmp_path):
    nobody = "http://127.0.0.1:9"
    for refused, options in (
        (SampleTooSmall, {"sample": SampleRequest(1, ())}),
        (StrataUnreadable, {"sample": SampleRequest(9, ("colour",))}),
        (OptionsContradict, {"sample": SampleRequest(9, ()), "listing": False}),
        (OptionsContradict, {"sample": SampleRequest(9, ()), "since": "auto"}),
        (OptionsContradict, {"sample": SampleRequest(9, ()), "facets": ()}),
        (OptionsContradict, {"model_limit": 9, "listing": False}),
        (SeedOutOfBounds, {"sample": SampleRequest(9, (), seed=-1)}),
        (SeedOutOfBounds, {"sample": SampleRequest(9, (), seed=2**63)}),
        (NothingKnown, {"listing": False}),
    ):
        with pytest.raises(refused):
            crawl(tmp_path / "home", endpoint=nobody, **options)
    assert not (tmp_path / "home").exists()


def test_of_a_hub_without_models_no_sample_is_drawn(tmp_path):
    with running(recording(tmp_path, [])) as endpoint, pytest.raises(NothingToSample):
        sampled(tmp_path / "home", endpoint, SampleRequest(9, ()))
    assert samples(tmp_path / "home") == []


def test_a_name_that_passed_to_another_repo_is_drawn_once(tmp_path):
    day = "2026-01-{:02d}T00:00:00.000Z".format
    lines = [
        model(f"o/m{n}", _id=f"{n:024x}", createdAt=day(1), lastModified=day(1)) for n in range(9)
    ]
    again = model("o/m3", _id="f" * 24, createdAt=day(5), lastModified=day(5))
    home = tmp_path / "home"
    for records, since in ((lines, None), ([*lines[:3], again, *lines[4:]], "2026-01-04")):
        with running(recording(tmp_path, records)) as endpoint:
            crawl(home, endpoint=endpoint, hub_name="test", facets=(), since=since)
    with running(tmp_path / "recording.jsonl") as endpoint:
        sampled(home, endpoint, SampleRequest(9, (), seed=MOST_SEED))
    assert sorted(repo_id for repo_id, _ in samples(home)[0]["members"]) == [
        f"o/m{n}" for n in range(9)
    ]
