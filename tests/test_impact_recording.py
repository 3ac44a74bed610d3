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
from raw_homes import RawHome

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
PAGE = 1000


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
    for day, start in enumerate(range(0, len(records), PAGE), 1):
        home.listing(*records[start : start + PAGE], day=day)
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


def share(part, base, *, owner_of, amounts=None, cap=False):
    """Share of a list of rows that a part holds, each of an owner at most ten times."""
    weights = capped([owner_of[one] for one in base]) if cap else np.ones(len(base))
    weights = weights * np.array([1 if amounts is None else amounts[one] for one in base])
    return float(weights[[one in part for one in base]].sum() / weights.sum())


@pytest.mark.parametrize("twin", ["raw", "owner_capped"])
def test_how_much_hangs_on_the_top_repos(slow, study, found, twin):
    owner_of = {name: one["owner"] for name, one in slow.models.items()}
    downloads = {name: one["downloads"] for name, one in slow.models.items()}
    base, cap = sorted(slow.derived), twin == "owner_capped"
    ranked = sorted(found, key=lambda name: (-found[name]["descendant_count"], name))
    for k in (1, 10, 100):
        part = set().union(*(slow.below(slow.every, one) for one in ranked[:k]))
        given = {"owner_of": owner_of, "cap": cap}
        shares = measured(study, "dependent_share", twin)
        assert shares[f"top {k}"] == pytest.approx(share(part, base, **given))
        shares = measured(study, "dependent_download_share", twin)
        assert shares[f"top {k}"] == pytest.approx(share(part, base, amounts=downloads, **given))
    curve = [one.y for one in study.points if one.series == "dependent_share"]
    assert curve == sorted(curve)
    assert curve[-1] == 1


@pytest.mark.parametrize("twin", ["raw", "owner_capped"])
def test_what_is_lost_already(slow, study, twin):
    owner_of = {name: one["owner"] for name, one in slow.models.items()}
    given = {"owner_of": owner_of, "cap": twin == "owner_capped"}
    lost = {
        "ghost": {name for name, one in slow.models.items() if not one["known"]},
        "gated": {name for name, one in slow.models.items() if one["gated"] not in ("false", None)},
        "gone": set(),
    }
    lost["lost or a ghost"] = lost["ghost"] | lost["gated"]
    adapters = sorted({child for child, _, kind in slow.edges if kind == "adapter"})
    made = sorted({child for child, _, kind in slow.edges if kind != "adapter"})
    for subject, bases in lost.items():
        whole = slow.load.copy()
        whole.remove_edges_from([(parent, kid) for parent in bases for kid in whole.succ[parent]])
        starts = [one for one in slow.load if not slow.load.pred[one]]
        loads = set(starts).union(*(nx.descendants(whole, one) for one in starts))
        broken = share(set(adapters) - loads, adapters, **given)
        assert measured(study, "broken_share", twin)[subject] == pytest.approx(broken)
        part = {kid for kid, parent, kind in slow.edges if kind != "adapter" and parent in bases}
        orphans = share(part, made, **given)
        assert measured(study, "orphan_share", twin)[subject] == pytest.approx(orphans)
    merges = sorted({child for child, _, kind in slow.edges if kind == "merge"})
    part = {
        kid
        for kid, parent, kind in slow.edges
        if kind == "merge" and parent in lost["lost or a ghost"]
    }
    merged = measured(study, "unmakeable_share", twin)["merge, parent lost or a ghost"]
    assert merged == pytest.approx(share(part, merges, **given))


def test_order_breaks_and_gini(slow, study, found):
    orders = Counter(slow.order.values())
    for name, key in (
        ("parent earlier", "earlier"),
        ("order unknown", "unknown"),
        ("parent later", "later"),
    ):
        assert measured(study, "creation_order")[name] == pytest.approx(
            orders[key] / len(slow.edges)
        )
    ranked = sorted(found, key=lambda name: (-found[name]["break_count"], name))
    adapters = {child for child, _, kind in slow.edges if kind == "adapter"}
    for k in (1, 10):
        whole = slow.load.copy()
        whole.remove_nodes_from(ranked[:k])
        starts = [one for one in whole if not slow.load.pred[one]]
        loads = set(starts).union(*(nx.descendants(whole, one) for one in starts))
        broken = {
            one
            for one in adapters - loads
            if one not in ranked[:k] or set(slow.load.pred[one]) & set(ranked[:k])
        }
        assert measured(study, "breaking_share")[f"top {k}"] == pytest.approx(
            len(broken) / len(adapters)
        )
    children = Counter(parent for _, parent, _ in slow.edges)
    for subject, values in (
        ("repos with dependants", list(children.values())),
        ("all models", list(children.values()) + [0] * (len(slow.models) - len(children))),
    ):
        x = np.array(values, dtype=float)
        apart = sum(np.abs(x - one).sum() for one in x) / (2 * len(x) ** 2 * x.mean())
        assert measured(study, "gini")[subject] == pytest.approx(apart)


def test_intervals_hold_their_value(study):
    with_ends = [one for one in study.measures if one.low is not None]
    assert len(with_ends) > 100
    outside = [one for one in with_ends if not one.low <= one.value <= one.high]
    assert outside == []
    assert {one.resampled for one in with_ends} == {"owner"}
