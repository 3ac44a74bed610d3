"""Stratified samples and the estimates made from them, against known answers and simulation."""

import math

import numpy as np
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.sampling import StratumTooThin, stratified_mean
from crawler.plan import SampleTooSmall, StrataUnreadable
from crawler.sampling import Frame, as_json, draw_sample
from crawler.strata import cohort, parse_strata, popularity_class, size_class

TAGS = ("text-generation", "fill-mask", "unknown", "reinforcement-learning")


def frame_of(tags, target, size=None):
    n = len(tags)
    return Frame(
        repo_id=np.array([f"o/m{i:05d}" for i in range(n)], dtype=object),
        columns={
            "pipeline_tag": np.array(tags, dtype=object),
            "size": np.array(size or ["<100M"] * n, dtype=object),
        },
        target=np.array(target, dtype=float),
    )


def skewed_frame(seed, n=4000):
    rng = np.random.default_rng(seed)
    kind = rng.choice(4, n, p=[0.4, 0.3, 0.2, 0.1])
    target = np.log1p(rng.lognormal(2 * kind, 1 + kind / 4).round())
    return frame_of([TAGS[k] for k in kind], target)


def counts(sample):
    return dict(zip(sample.labels, sample.sample_count.tolist(), strict=True))


@pytest.mark.parametrize(
    ("parameters", "storage", "name"),
    [
        (None, None, "unknown"),
        (-1, None, "unknown"),
        (0, None, "<100M"),
        (99_999_999, 10**15, "<100M"),
        (100_000_000, None, "100M-1B"),
        (999_999_999, None, "100M-1B"),
        (10**9, None, "1B-3B"),
        (3 * 10**9, None, "3B-8B"),
        (8 * 10**9, None, "8B-30B"),
        (30 * 10**9, None, "30B+"),
        (None, 14 * 10**9, "~3B-8B"),
        (None, 0, "~<100M"),
    ],
)
def test_a_size_is_counted_or_marked_as_guessed_from_storage(parameters, storage, name):
    assert size_class(parameters, storage) == name


@pytest.mark.parametrize(
    ("downloads", "name"),
    [
        *((None, "unknown"), (-3, "unknown"), (0, "0"), (1, "1-9"), (9, "1-9"), (10, "10-99")),
        *((100, "100-999"), (999, "100-999"), (1000, "1k-9k"), (9999, "1k-9k"), (10_000, "10k+")),
    ],
)
def test_downloads_fall_into_powers_of_ten(downloads, name):
    assert popularity_class(downloads) == name


@pytest.mark.parametrize(
    ("created_at", "name"),
    [
        (None, "unknown"),
        ("", "unknown"),
        ("last tuesday", "unknown"),
        ("2022-03-02T23:29:04.000Z", "before 2022-03"),
        ("2021-05-01T00:00:00Z", "before 2022-03"),
        ("2022-03-02T23:29:05.000Z", "2022-03"),
        ("2025-01-01T00:30:00+01:00", "2024-12"),
        ("2024-02-29T12:00:00", "2024-02"),
    ],
)
def test_a_cohort_is_a_month_and_the_left_truncation_is_its_own(created_at, name):
    assert cohort(created_at) == name


def test_strata_are_read_from_names():
    assert parse_strata("size, pipeline_tag,size") == ("size", "pipeline_tag")
    assert parse_strata("none") == ()


@pytest.mark.parametrize("text", ["", "sizes", "size,,cohort", "size,none"])
def test_strata_that_there_are_none_of_are_told_in_one_line(text):
    with pytest.raises(StrataUnreadable, match=r"there are pipeline_tag, size, popularity") as told:
        parse_strata(text)
    assert "\n" not in str(told.value)


def test_proportional_allocation_follows_the_frame():
    frame = frame_of(["a"] * 60 + ["b"] * 30 + ["c"] * 10, [0.0] * 100)
    drawn = draw_sample(frame, size=20, strata=("pipeline_tag",), allocation="proportional", seed=1)
    assert counts(drawn) == {"pipeline_tag=a": 12, "pipeline_tag=b": 6, "pipeline_tag=c": 2}
    assert drawn.inclusion_probability.tolist() == [0.2, 0.2, 0.2]


def test_fractions_go_to_the_largest_remainders():
    frame = frame_of(["a"] * 50 + ["b"] * 30 + ["c"] * 20, [0.0] * 100)
    drawn = draw_sample(frame, size=13, strata=("pipeline_tag",), allocation="proportional", seed=1)
    # 6.5, 3.9, 2.6: two left after the floors, for b and then c
    assert list(counts(drawn).values()) == [6, 4, 3]


def test_neyman_allocation_follows_size_times_deviation():
    # Deviations over N - 1: 1 · √(100/99), 3 · √(100/99), of strata of 100 each.
    frame = frame_of(["a"] * 100 + ["b"] * 100, [-1.0, 1.0] * 50 + [-3.0, 3.0] * 50)
    drawn = draw_sample(frame, size=40, strata=("pipeline_tag",), allocation="neyman", seed=1)
    assert counts(drawn) == {"pipeline_tag=a": 10, "pipeline_tag=b": 30}
    assert drawn.deviation == pytest.approx(np.array([1.0, 3.0]) * math.sqrt(100 / 99))


def test_neyman_hands_on_what_a_small_stratum_cannot_take():
    wild = frame_of(["a"] * 100 + ["b"] * 100 + ["c"] * 5, [-1, 1] * 100 + [-90, 90, -90, 90, 0])
    drawn = draw_sample(wild, size=45, strata=("pipeline_tag",), allocation="neyman", seed=1)
    assert list(counts(drawn).values()) == [20, 20, 5]


def test_a_stratum_without_variance_gets_its_least_unless_there_is_nobody_else():
    tags = ["a"] * 50 + ["b"] * 10
    frame = frame_of(tags, [1.0] * 50 + [0.0, 9.0] * 5)
    some = draw_sample(frame, size=12, strata=("pipeline_tag",), allocation="neyman", seed=1)
    more = draw_sample(frame, size=30, strata=("pipeline_tag",), allocation="neyman", seed=1)
    flat = draw_sample(
        frame_of(tags, [1.0] * 60), size=12, strata=("pipeline_tag",), allocation="neyman", seed=1
    )
    assert [list(counts(s).values()) for s in (some, more, flat)] == [[2, 10], [20, 10], [10, 2]]


def test_a_stratum_whose_target_is_unknown_is_allocated_like_the_frame():
    frame = frame_of(["a"] * 50 + ["b"] * 50, [-1.0, 1.0] * 25 + [math.nan] * 50)
    drawn = draw_sample(frame, size=20, strata=("pipeline_tag",), allocation="neyman", seed=1)
    assert list(counts(drawn).values()) == [10, 10]
    assert math.isnan(drawn.deviation[1])
    body = as_json(drawn, frame, sample_id=1, drawn_at="2026-01-01T00:00:00.000Z", target="likes")
    assert body["stratum"][1]["deviation"] is None


def pools(tags, size, allocation="proportional", target=None):
    frame = frame_of(tags, target or [0.0] * len(tags))
    return draw_sample(frame, size=size, strata=("pipeline_tag",), allocation=allocation, seed=1)


def test_strata_are_pooled_only_where_a_sample_cannot_give_each_its_least():
    tags = ["a"] * 9 + ["b"] * 9 + ["c"]
    assert list(counts(pools(tags, 5)).values()) == [2, 2, 1]
    assert pools(tags, 5).pooled == []
    # Shares of 4: 1.9, 1.9, 0.2; all are below their least.
    assert counts(pools(tags, 4)) == {"pooled (3 strata)": 4}
    assert pools(tags, 4).pooled == ["pipeline_tag=a", "pipeline_tag=b", "pipeline_tag=c"]


def test_the_smallest_strata_are_pooled_by_their_share_until_the_pool_has_its_least():
    tags = ["a"] * 50 + ["b"] * 40 + ["c"] * 5 + ["d"] * 4 + ["e"]
    # Shares of 8: 4, 3.2, 0.4, 0.32, 0.08; the least of the five are 9.
    assert counts(pools(tags, 8)) == {
        "pipeline_tag=a": 3,
        "pipeline_tag=b": 3,
        "pooled (3 strata)": 2,
    }
    # Shares of 5: 2.5, 2, …; but two each and two of the pool are 6.
    assert counts(pools(tags, 5)) == {"pipeline_tag=a": 3, "pooled (4 strata)": 2}


def test_of_equal_strata_the_first_by_label_are_pooled_whatever_the_order_of_rows():
    tags = ["d"] * 4 + ["c"] * 4 + ["b"] * 4 + ["a"] * 4
    for order in (tags, tags[::-1]):
        assert pools(order, 6).pooled == [f"pipeline_tag={name}" for name in "abcd"]
    uneven = ["d"] * 3 + ["c"] * 3 + ["b"] * 3 + ["a"] * 30
    assert pools(uneven, 4).pooled == [f"pipeline_tag={name}" for name in "bcd"]


def test_neyman_allocation_pools_by_size_and_gives_the_pool_its_weight():
    tags = ["a"] * 40 + [f"rare{n}" for n in range(20)]
    target = [1.0] * 40 + [0.0, 100.0] * 10
    drawn = pools(tags, 12, "neyman", target)
    assert counts(drawn) == {"pipeline_tag=a": 2, "pooled (20 strata)": 10}


def test_a_sample_of_one_says_nothing():
    with pytest.raises(SampleTooSmall, match="2 members at least"):
        pools(["a"] * 9, 1)


def test_a_sample_larger_than_the_frame_is_the_frame():
    frame = frame_of(["a", "b", "b"], [1.0, 2.0, 3.0])
    drawn = draw_sample(frame, size=99, strata=("pipeline_tag",), allocation="neyman", seed=1)
    assert drawn.members.tolist() == [0, 1, 2]
    assert drawn.inclusion_probability.tolist() == [1.0, 1.0]


def test_an_empty_frame_gives_an_empty_sample():
    empty = frame_of([], [])
    for strata in ((), ("pipeline_tag", "size")):
        drawn = draw_sample(empty, size=9, strata=strata, allocation="neyman", seed=1)
        assert (drawn.labels, drawn.members.tolist()) == ([], [])


def test_a_sample_depends_on_the_seed_and_not_on_the_order_of_rows():
    frame = skewed_frame(0)
    order = np.random.default_rng(5).permutation(len(frame.repo_id))
    turned = Frame(
        frame.repo_id[order],
        {name: column[order] for name, column in frame.columns.items()},
        frame.target[order],
    )
    wanted = {"size": 200, "strata": ("pipeline_tag", "size"), "allocation": "neyman"}
    first, again = draw_sample(frame, seed=3, **wanted), draw_sample(turned, seed=3, **wanted)
    other = draw_sample(frame, seed=4, **wanted)
    ids = frame.repo_id[first.members].tolist()
    assert turned.repo_id[again.members].tolist() == ids
    assert frame.repo_id[other.members].tolist() != ids


def test_a_repo_that_is_listed_twice_is_refused():
    frame = frame_of(["a", "a"], [0.0, 0.0])
    frame.repo_id[1] = frame.repo_id[0]
    with pytest.raises(ValueError, match="o/m00000 is in the frame more than once"):
        draw_sample(frame, size=2, strata=(), allocation="proportional", seed=1)


def test_every_repo_of_a_stratum_is_as_likely_as_any_other():
    frame = frame_of(["a"] * 8 + ["b"] * 4, [0.0] * 12)
    hits = np.zeros(12)
    for seed in range(3000):
        drawn = draw_sample(
            frame, size=6, strata=("pipeline_tag",), allocation="proportional", seed=seed
        )
        hits[drawn.members] += 1
    # 3,000 draws at probability ½: a standard deviation of 27
    assert np.abs(hits - 1500).max() < 4 * 27.4


@given(
    st.lists(
        st.tuples(
            st.sampled_from("abcdef"),
            st.sampled_from(["unknown", "~1B-3B"]),
            st.one_of(st.floats(0, 1e9), st.just(math.nan)),
        ),
        min_size=1,
        max_size=80,
    ),
    st.integers(24, 90),
    st.sampled_from(["proportional", "neyman"]),
    st.integers(0, 2**32),
)
def test_counts_sum_to_the_size_and_keep_their_bounds(rows, size, allocation, seed):
    tags, sizes, target = zip(*rows, strict=True)
    frame = frame_of(tags, target, list(sizes))
    drawn = draw_sample(
        frame, size=size, strata=("pipeline_tag", "size"), allocation=allocation, seed=seed
    )
    assert drawn.sample_count.sum() == len(drawn.members) == min(size, len(rows))
    assert len(set(drawn.members.tolist())) == len(drawn.members)
    assert (drawn.sample_count <= drawn.frame_count).all()
    assert (drawn.sample_count >= np.minimum(2, drawn.frame_count)).all()
    assert drawn.frame_count.sum() == len(rows)
    for member, stratum in zip(drawn.members, drawn.member_stratum, strict=True):
        assert drawn.labels[stratum] == f"pipeline_tag={tags[member]} | size={sizes[member]}"


@given(
    st.lists(st.integers(1, 30), min_size=1, max_size=40),
    st.integers(2, 60),
    st.sampled_from(["proportional", "neyman"]),
    st.integers(0, 2**32),
)
def test_with_pooled_strata_probabilities_sum_to_the_size_and_every_stratum_has_its_least(
    sizes, size, allocation, seed
):
    tags = [f"{number:02d}" for number, count in enumerate(sizes) for _ in range(count)]
    target = np.random.default_rng(seed).lognormal(size=len(tags))
    drawn = draw_sample(
        frame_of(tags, target),
        size=size,
        strata=("pipeline_tag",),
        allocation=allocation,
        seed=seed,
    )
    of_each_repo = np.repeat(drawn.inclusion_probability, drawn.frame_count)
    assert of_each_repo.sum() == pytest.approx(min(size, len(tags)))
    assert (drawn.sample_count >= np.minimum(2, drawn.frame_count)).all()
    left = set(drawn.labels) - {f"pooled ({len(drawn.pooled)} strata)"}
    assert sorted([*left, *drawn.pooled]) == sorted(f"pipeline_tag={tag}" for tag in set(tags))
    if drawn.pooled:
        assert sum(min(2, count) for count in sizes) > size, "pooled without need"


@pytest.mark.parametrize("allocation", ["proportional", "neyman"])
def test_an_estimate_over_pooled_strata_is_unbiased(allocation):
    rng = np.random.default_rng(3)
    kind = np.minimum(rng.geometric(0.15, 2000), 30)
    frame = frame_of([f"{k:02d}" for k in kind], rng.normal(kind, 1.0))
    means = []
    for seed in range(400):
        drawn = draw_sample(
            frame, size=40, strata=("pipeline_tag",), allocation=allocation, seed=seed
        )
        assert drawn.pooled
        values = frame.target[drawn.members]
        means.append(stratified_mean(values, drawn.member_stratum, drawn.frame_count)[0])
    error = np.std(means) / np.sqrt(len(means))
    assert abs(np.mean(means) - frame.target.mean()) < 4 * error


def test_the_stored_sample_says_how_likely_each_member_was():
    frame = frame_of(["a"] * 4 + ["b"], [0.0, 1.0, 2.0, 3.0, 4.0])
    drawn = draw_sample(frame, size=3, strata=("pipeline_tag",), allocation="neyman", seed=7)
    body = as_json(
        drawn, frame, sample_id=2, drawn_at="2026-01-01T00:00:00.000Z", target="log1p(downloads)"
    )
    ids = [f"o/m{index:05d}" for index in drawn.members]
    assert orjson.loads(orjson.dumps(body)) == {
        "sample_id": 2,
        "seed": 7,
        "drawn_at": "2026-01-01T00:00:00.000Z",
        "strata": ["pipeline_tag"],
        "allocation": "neyman",
        "target": "log1p(downloads)",
        "frame_count": 5,
        "sample_count": 3,
        "stratum": [
            {
                "stratum": "pipeline_tag=a",
                "frame_count": 4,
                "sample_count": 2,
                "deviation": pytest.approx(math.sqrt(5 / 3)),
                "inclusion_probability": 0.5,
            },
            {
                "stratum": "pipeline_tag=b",
                "frame_count": 1,
                "sample_count": 1,
                "deviation": 0.0,
                "inclusion_probability": 1.0,
            },
        ],
        "pooled": [],
        "members": [
            [ids[0], "pipeline_tag=a"],
            [ids[1], "pipeline_tag=a"],
            [ids[2], "pipeline_tag=b"],
        ],
    }


def test_a_stratified_mean_is_the_textbook_one():
    mean, error = stratified_mean(
        np.array([1.0, 3.0, 10.0, 14.0, 5.0]), np.array([0, 0, 1, 1, 2]), np.array([10, 4, 1])
    )
    assert mean == pytest.approx((10 * 2 + 4 * 12 + 5) / 15)
    variance = (10 / 15) ** 2 * (1 - 2 / 10) * 2 / 2 + (4 / 15) ** 2 * (1 - 2 / 4) * 8 / 2
    assert error == pytest.approx(math.sqrt(variance))


def test_a_frame_that_was_sampled_whole_has_no_error():
    values = np.array([1.0, 2.0, 6.0])
    assert stratified_mean(values, np.zeros(3, int), np.array([3])) == (3.0, 0.0)


def test_a_sampled_model_without_a_value_makes_the_mean_unknown():
    values = np.array([1.0, math.nan])
    assert np.isnan(stratified_mean(values, np.zeros(2, int), np.array([9]))).all()


@pytest.mark.parametrize("drawn", [[0, 0], [0, 0, 1]])
def test_a_stratum_that_is_too_thin_is_told(drawn):
    with pytest.raises(StratumTooThin, match="stratum 1 has"):
        stratified_mean(np.ones(len(drawn)), np.array(drawn), np.array([5, 5]))


@pytest.mark.parametrize("allocation", ["proportional", "neyman"])
def test_an_interval_of_95_percent_covers_the_mean_in_so_many_draws(allocation):
    frame, draws = skewed_frame(11), 600
    covered = 0
    for seed in range(draws):
        drawn = draw_sample(
            frame, size=240, strata=("pipeline_tag",), allocation=allocation, seed=seed
        )
        mean, error = stratified_mean(
            frame.target[drawn.members], drawn.member_stratum, drawn.frame_count
        )
        covered += abs(mean - frame.target.mean()) <= 1.96 * error
    # A standard deviation of the share is 0.9 %.
    assert 0.92 <= covered / draws <= 0.975


def test_neyman_allocation_is_no_worse_than_a_proportional_one():
    frame = skewed_frame(12)

    def spread(allocation):
        means = []
        for seed in range(300):
            drawn = draw_sample(
                frame, size=120, strata=("pipeline_tag",), allocation=allocation, seed=seed
            )
            means.append(
                stratified_mean(
                    frame.target[drawn.members], drawn.member_stratum, drawn.frame_count
                )[0]
            )
        return np.std(means)

    assert spread("neyman") < spread("proportional")
