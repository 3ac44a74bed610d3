"""Blast radius of the 2026 recording against counts that share no code with it."""

import os
from collections import Counter, defaultdict
from datetime import datetime
from pathlib import Path

import networkx as nx
import numpy as np
import orjson
import pytest
import zstandard
from raw_homes import RawHome, answer

from analysis.impact.asking import blast_radius
from analysis.impact.hub import impact
from analysis.study.frame import lay_out
from analysis.study.measures import Study
from warehouse.read import open_warehouse

RECORDINGS = os.environ.get("HUBATLAS_RECORDINGS")
pytestmark = pytest.mark.skipif(
    not RECORDINGS, reason="HUBATLAS_RECORDINGS names no folder of real records"
)
FIRST_DATED = datetime(2022, 3, 3)
RELATIONS = ("finetune", "adapter", "quantized", "merge", "unknown")


class SlowHub:
    """The models and edges of a warehouse as Python objects and networkx graphs."""

    def __init__(self, db):
        sql = (
            "select repo_id, known, coalesce(author, repo_id) as owner, created_at, gone_at,"
            " coalesce(downloads_30d, 0) as downloads, gated from model"
        )
        columns = ("repo_id", "known", "owner", "created_at", "gone_at", "downloads", "gated")
        rows = db.execute(sql).fetchall()
        self.models = {row[0]: dict(zip(columns, row, strict=True)) for row in rows}
        sql = "select child_id, parent_id, relation from base_model_edge"
        self.edges = db.execute(sql).fetchall()
        self.order = {(c, p): self._order(c, p) for c, p, _ in self.edges}
        self.every = self._graph(lambda edge: True)
        self.load = self._graph(lambda edge: edge[2] == "adapter")
        self.sure = self._graph(lambda edge: self.order[edge[:2]] == "earlier")
        self.perhaps = self._graph(lambda edge: self.order[edge[:2]] != "later")
        self.there = {
            name for name, one in self.models.items() if one["known"] and one["gone_at"] is None
        }
        self.derived = {child for child, _, _ in self.edges} & self.there

    def _order(self, child, parent):
        made = [self.models[one]["created_at"] for one in (parent, child)]
        if None in made:
            return "unknown"
        parent_at, child_at = (datetime.min if at < FIRST_DATED else at for at in made)
        if parent_at == child_at:
            return "unknown"
        return "earlier" if parent_at < child_at else "later"

    def _graph(self, keeps):
        graph = nx.DiGraph()
        graph.add_nodes_from(self.models)
        graph.add_edges_from((edge[1], edge[0]) for edge in self.edges if keeps(edge))
        return graph

    def below(self, graph, repo_id):
        return (nx.descendants(graph, repo_id) - {repo_id}) & self.there

    def dominated(self, graph):
        """By repo, all that it strictly dominates; and each one's immediate dominator."""
        whole = graph.copy()
        for members in nx.strongly_connected_components(graph):
            if all(parent in members for one in members for parent in graph.pred[one]):
                whole.add_edges_from(("", one) for one in members)
        above = nx.immediate_dominators(whole, "")
        found = defaultdict(set)
        for one in graph:
            at = above[one]
            while at != "":
                found[at].add(one)
                at = above[at]
        return found, above

    def sums(self, name, models, *, owners=True):
        told = {
            f"{name}_count": len(models),
            f"{name}_downloads_30d": sum(self.models[one]["downloads"] for one in models),
        }
        if owners:
            told[f"{name}_owner_count"] = len({self.models[one]["owner"] for one in models})
        return told


@pytest.fixture(scope="module")
def db(tmp_path_factory):
    home = RawHome(tmp_path_factory.mktemp("real") / "home")
    packed = (Path(RECORDINGS) / "hub_2026_08.jsonl.zst").read_bytes()
    lines = zstandard.ZstdDecompressor().stream_reader(packed).read().splitlines()
    records = [orjson.loads(line)["model"] for line in lines]
    # a look that is older than a creation would not be believed
    seen = {"fetched_at": "2026-09-01T00:00:00.000Z", "sweep_id": 1}
    home.write("model", answer(orjson.dumps(records), facet="model", day=1, **seen))
    home.built().close()
    with open_warehouse(home.folder) as opened:
        yield opened


@pytest.fixture(scope="module")
def slow(db):
    return SlowHub(db.cursor())


@pytest.fixture(scope="module")
def study(db):
    made = Study(db.cursor())
    lay_out(made)
    impact(made)
    return made


@pytest.fixture(scope="module")
def found(study):
    rows = study.db.execute("from repo_impact").fetchdf().astype(object)
    return {row["repo_id"]: row for row in rows.where(rows.notna(), None).to_dict("records")}


def test_every_number_of_every_repo(slow, found):
    cut, above = slow.dominated(slow.every)
    breaks, _ = slow.dominated(slow.load)
    direct = defaultdict(Counter)
    for child, parent, relation in slow.edges:
        direct[parent][relation] += child in slow.there
    expected = {}
    for repo_id in slow.models:
        below = slow.below(slow.every, repo_id) if slow.every.succ[repo_id] else set()
        if not below:
            continue
        sure, relations = slow.below(slow.sure, repo_id), direct[repo_id]
        most = max(relations.values())
        expected[repo_id] = {
            "repo_id": repo_id,
            "child_count": sum(relations.values()),
            **{
                f"{name}_count": relations[name]
                for name in ("finetune", "adapter", "quantized", "merge", "unknown")
            },
            "largest_relation": min(name for name, times in relations.items() if times == most),
            **slow.sums("descendant", below),
            **slow.sums("load", slow.below(slow.load, repo_id)),
            **slow.sums("break", breaks[repo_id] & slow.there),
            **slow.sums("poison", sure),
            **slow.sums("poison_unknown", slow.below(slow.perhaps, repo_id) - sure, owners=False),
            **slow.sums("cut", cut[repo_id] & slow.there),
            "dominator_id": above[repo_id] or None,
            "mirror": None,
        }
    assert len(expected) > 2000
    assert found == expected


def test_the_command_gives_the_numbers_of_the_relation(db, found):
    names = sorted(found)
    largest = sorted(found, key=lambda name: -found[name]["descendant_count"])[:8]
    merged = sorted(found, key=lambda name: -found[name]["merge_count"])[:8]
    for repo_id in {*largest, *merged, *names[:: len(names) // 12]}:
        counts = blast_radius(db.cursor(), [repo_id], most=1).counts
        assert counts == {name: found[repo_id][name] for name in counts}


def measured(study, name, twin="raw"):
    return {
        one.subject: one.value for one in study.measures if one.measure == name and one.twin == twin
    }


def capped(owners):
    times = Counter(owners)
    return np.array([min(1.0, 10 / times[owner]) for owner in owners])


class Share:
    """A share that is asked for: rows by the model whose owner they are, those of the part."""

    def __init__(self, rows, part, amounts=None):
        self.rows, self.part = list(rows), np.array(list(part), dtype=float)
        self.amounts = np.ones(len(self.rows)) if amounts is None else np.array(amounts, float)


def of_models(base, part, amounts=None):
    base = sorted(base)
    counted = None if amounts is None else [amounts[one] for one in base]
    return Share(base, [one in part for one in base], counted)


def lost_bases(slow):
    """By subject; of this recording nothing is known to be gone or disabled."""
    ghost = {name for name, one in slow.models.items() if not one["known"]}
    gated = {name for name, one in slow.models.items() if one["gated"] not in ("false", None)}
    return {
        **{"ghost": ghost, "gated": gated, "gone": set(), "disabled": set()},
        **{"known to be lost": gated, "lost or a ghost": ghost | gated},
    }


def unloadable(slow, lost):
    """Models all of whose ways to what loads by itself lead through what is lost."""
    whole = slow.load.copy()
    whole.remove_edges_from([(parent, kid) for parent in lost for kid in whole.succ[parent]])
    starts = [one for one in whole if not slow.load.pred[one]]
    return set(slow.load) - set(starts).union(*(nx.descendants(whole, one) for one in starts))


def asked_shares(slow, found):
    """Each share of this part of the study, by measure and subject."""
    downloads = {name: one["downloads"] for name, one in slow.models.items()}
    kids = {kind: {c for c, _, k in slow.edges if k == kind} & slow.there for kind in RELATIONS}
    made = set().union(*(kids[kind] for kind in RELATIONS if kind != "adapter"))
    widest = sorted(found, key=lambda name: (-found[name]["descendant_count"], name))
    worst = sorted(found, key=lambda name: (-found[name]["break_count"], name))
    worst = [name for name in worst if found[name]["break_count"]]
    for k in (1, 10, 100):
        below = set().union(*(slow.below(slow.every, one) for one in widest[:k]))
        yield "dependent_share", f"top {k}", of_models(slow.derived, below)
        yield "dependent_download_share", f"top {k}", of_models(slow.derived, below, downloads)
        gone = unloadable(slow, worst[:k])
        yield "breaking_share", f"top {k}", of_models(kids["adapter"], gone)
    yield "load_time_share", "models", of_models(slow.derived, kids["adapter"])
    yield "load_time_share", "downloads", of_models(slow.derived, kids["adapter"], downloads)
    for subject, order in (
        *(("parent earlier", "earlier"), ("order unknown", "unknown")),
        ("parent later", "later"),
    ):
        is_so = [slow.order[c, p] == order for c, p, _ in slow.edges]
        yield "creation_order", subject, Share([c for c, *_ in slow.edges], is_so)
    for subject, lost in lost_bases(slow).items():
        broken = unloadable(slow, lost)
        yield "broken_share", subject, of_models(kids["adapter"], broken)
        orphans = {c for c, p, kind in slow.edges if kind != "adapter" and p in lost}
        yield "orphan_share", subject, of_models(made, orphans)
        for kind in RELATIONS if " " in subject else ():
            part = {c for c, p, k in slow.edges if k == kind and p in lost}
            yield "unmakeable_share", f"{kind}, parent {subject}", of_models(kids[kind], part)
    for state in ("other_owner", "same_owner", "part", "none"):  # no file is told
        yield "mirror_share", state, Share([], [])


@pytest.fixture(scope="module")
def asked(slow, found):
    return {(measure, subject): one for measure, subject, one in asked_shares(slow, found)}


def weighed(study, slow, models):
    """By twin, weights of rows that are of these models, one for each time that one is named."""
    bulk = {name for (name,) in study.db.execute("select owner from bulk_uploader").fetchall()}
    own = [slow.models[one] for one in models]
    dated = [one["created_at"] is not None and one["created_at"] >= FIRST_DATED for one in own]
    return {
        "raw": np.ones(len(own)),
        "owner_capped": capped([one["owner"] for one in own]),
        "no_bulk": np.array([one["owner"] not in bulk for one in own], float),
        "dated": np.array(dated, float),
    }


SHARES = {
    *("dependent_share", "dependent_download_share", "breaking_share", "load_time_share"),
    *("creation_order", "broken_share", "orphan_share", "unmakeable_share", "mirror_share"),
}


def test_every_share_in_every_twin(slow, study, asked):
    told = {(m.measure, m.subject) for m in study.measures}
    assert {one for one in told if one[0] in SHARES} == set(asked)
    assert {measure for measure, _ in told} - SHARES == {"gini", "largest_single_share"}
    for key, share_ in asked.items():
        for twin, weights in weighed(study, slow, share_.rows).items():
            (one,) = (m for m in study.measures if (m.measure, m.subject, m.twin) == (*key, twin))
            counted = weights * share_.amounts
            assert one.count == np.count_nonzero(counted), (key, twin)
            whole = counted.sum()
            wanted = (counted * share_.part).sum() / whole if whole else None
            assert one.value == (pytest.approx(wanted) if whole else None), (key, twin)


def test_single_repos_and_curves(slow, study, found):
    names = {
        **{"deletion": "break", "poisoning": "poison", "every way": "cut"},
        **{"descendants": "descendant", "load-time": "load"},
    }
    for subject, kind in names.items():
        counts = {name: row[f"{kind}_count"] for name, row in found.items()}
        ranked = sorted((name for name in counts if counts[name]), key=lambda n: (-counts[n], n))
        shown = [
            (one.x, one.label, one.y, one.count)
            for one in study.points
            if (one.series, one.subject) == ("top_repos", subject)
        ]
        whole = len(slow.derived)
        assert shown == [(at, n, counts[n], whole) for at, n in enumerate(ranked[:20], 1)]
        if kind in ("break", "poison", "cut"):
            single = measured(study, "largest_single_share")[subject]
            assert single == pytest.approx(max(counts.values()) / whole)
    ranked = sorted(found, key=lambda name: (-found[name]["descendant_count"], name))
    curve = {one.x: one.y for one in study.points if one.series == "dependent_share"}
    assert set(curve) == {1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000}
    below = set()
    for k, name in enumerate(ranked, 1):
        below |= slow.below(slow.every, name)
        if k in curve:
            assert curve[k] == pytest.approx(len(below) / len(slow.derived))
    assert len(ranked) < 5000
    assert curve[5000] == 1


def test_inequality_in_every_twin(slow, study):
    kids = [child for child, *_ in slow.edges]
    for twin, weights in weighed(study, slow, kids).items():
        held = dict.fromkeys((parent for _, parent, _ in slow.edges), 0.0)
        for (_, parent, _), weight in zip(slow.edges, weights, strict=True):
            held[parent] += weight
        x = np.array(sorted(held.values()))
        for subject, more in (("repos with dependants", 0), ("all models", len(slow.models))):
            rest = max(more - len(x), 0)
            # each pair of two holders, those of nothing among them
            apart = sum(np.abs(x - one).sum() for one in x) + 2 * rest * x.sum()
            wanted = apart / (2 * (len(x) + rest) * x.sum())
            assert measured(study, "gini", twin)[subject] == pytest.approx(wanted), (twin, subject)
        curve = {
            one.x: (one.y, one.count)
            for one in study.points
            if (one.series, one.twin) == ("lorenz", twin)
        }
        assert len(curve) == 101
        for point in range(101):
            # of the holders that lie wholly within the share
            least = x[: int(point * len(x) / 100 + 1e-9)]
            wanted = pytest.approx(sum(least) / sum(x), abs=1e-9)
            assert curve[point / 100] == (wanted, len(x))


@pytest.mark.parametrize("twin", ["raw", "owner_capped", "no_bulk"])
def test_intervals_are_those_of_owners_drawn_one_by_one(slow, study, asked, twin):
    rng = np.random.default_rng(3)
    for key in (
        *(("dependent_share", "top 10"), ("dependent_download_share", "top 100")),
        *(("breaking_share", "top 100"), ("creation_order", "order unknown")),
        *(
            ("broken_share", "lost or a ghost"),
            ("unmakeable_share", "merge, parent lost or a ghost"),
        ),
    ):
        share_ = asked[key]
        weights = weighed(study, slow, share_.rows)[twin] * share_.amounts
        sums = defaultdict(lambda: np.zeros(2))
        for one, weight, part in zip(share_.rows, weights, share_.part, strict=True):
            sums[slow.models[one]["owner"]] += weight * part, weight
        rows = np.array([sums[owner] for owner in sorted(sums)])
        drawn = [rows[rng.integers(0, len(rows), len(rows))].sum(axis=0) for _ in range(1_000)]
        shares = np.array([above / below for above, below in drawn if below])
        (found,) = (m for m in study.measures if (m.measure, m.subject, m.twin) == (*key, twin))
        # 2.5 % of draws lie beyond each end, give or take four deviations of 400 replicates
        assert found.resampled == "owner"
        assert np.mean(shares <= found.low + 1e-12) >= 0.001, (key, twin)
        assert np.mean(shares < found.low - 1e-12) <= 0.057, (key, twin)
        assert np.mean(shares >= found.high - 1e-12) >= 0.001, (key, twin)
        assert np.mean(shares > found.high + 1e-12) <= 0.057, (key, twin)


def test_intervals_hold_their_value(study):
    with_ends = [one for one in study.measures if one.low is not None]
    assert len(with_ends) > 100
    outside = [one for one in with_ends if not one.low <= one.value <= one.high]
    assert outside == []
    assert {one.resampled for one in with_ends} == {"owner"}
