"""Structure of the 2026 recording, against plain loops and networkx that share no code with us."""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from itertools import combinations
from math import ceil
from pathlib import Path

import networkx as nx
import numpy as np
import orjson
import powerlaw
import pytest
import zstandard
from raw_homes import RawHome, answer
from scipy.optimize import minimize_scalar
from scipy.special import zeta

from analysis.anatomy import STEPS, study_anatomy
from analysis.structure.concentration import concentration
from analysis.structure.survey import structure
from analysis.study.frame import lay_out
from warehouse.read import open_warehouse

RECORDINGS = os.environ.get("HUBATLAS_RECORDINGS")
pytestmark = pytest.mark.skipif(
    not RECORDINGS, reason="HUBATLAS_RECORDINGS names no folder of real records"
)
FIRST = np.datetime64("2022-03-03")
TWINS = ("raw", "owner_capped", "no_bulk", "dated")


class Hub:
    """What the warehouse lists, in dictionaries."""

    def __init__(self, db):
        self.db = db
        rows = db.execute(
            "select repo_id, known, coalesce(author, repo_id), created_at, downloads_30d from model"
        ).fetchall()
        self.known = {row[0]: row[1] for row in rows}
        self.owner = {row[0]: row[2] for row in rows}
        self.made = {row[0]: row[3] for row in rows}
        self.downloads = {row[0]: row[4] for row in rows}
        self.dated = {r: t is not None and np.datetime64(t) >= FIRST for r, t in self.made.items()}
        bulk = {name for (name,) in db.execute("select owner from bulk_uploader").fetchall()}
        self.bulk = {repo: owner in bulk for repo, owner in self.owner.items()}
        edges = db.execute(
            "select child_id, parent_id, relation, list_contains(evidence, 'tag'), len(evidence),"
            " position from base_model_edge"
        ).fetchall()
        self.relation = {(parent, child): relation for child, parent, relation, *_ in edges}
        self.parents, self.children = defaultdict(list), defaultdict(list)
        rank = lambda e: (not e[3], -e[4], not self.known[e[1]], e[5], e[1])  # noqa: E731
        for child, parent, *_ in sorted(edges, key=rank):
            self.parents[child].append(parent)
            self.children[parent].append(child)
        self.graph = nx.DiGraph()
        self.graph.add_nodes_from(self.known)
        self.graph.add_edges_from(self.relation)
        self.generation = {}
        for repo in nx.topological_sort(self.graph):
            above = [self.generation[parent] for parent in self.parents[repo]]
            self.generation[repo] = 1 + max(above, default=-1)
        self.families = [set(f) for f in nx.connected_components(self.graph.to_undirected())]

    def tree(self, family):
        """The primary tree of most models, and its root; of two, the smaller id's."""
        trees = defaultdict(list)
        for repo in family:
            root = repo
            while self.parents[root]:
                root = self.parents[root][0]
            trees[root].append(repo)
        root = min(trees, key=lambda r: (-len(trees[r]), r))
        tree = nx.Graph((repo, self.parents[repo][0]) for repo in trees[root] if repo != root)
        return root, tree, len(trees)

    def weights(self, repos):
        counts = Counter(self.owner[repo] for repo in repos)
        return {
            "raw": [1.0] * len(repos),
            "owner_capped": [min(1, 10 / counts[self.owner[repo]]) for repo in repos],
            "no_bulk": [float(not self.bulk[repo]) for repo in repos],
            "dated": [float(self.dated[repo]) for repo in repos],
        }

    def days(self, parent, child):
        return (self.made[child] - self.made[parent]).total_seconds() / 86400


@pytest.fixture(scope="module")
def hub(tmp_path_factory):
    packed = (Path(RECORDINGS) / "hub_2026_08.jsonl.zst").read_bytes()
    content = zstandard.ZstdDecompressor().stream_reader(packed).read()
    home = RawHome(tmp_path_factory.mktemp("recorded") / "home")
    records = [orjson.loads(line)["model"] for line in content.splitlines()]
    # a look that is older than a creation would not be believed
    seen = {"fetched_at": "2026-09-01T00:00:00.000Z", "sweep_id": 1}
    home.write("model", answer(orjson.dumps(records), facet="model", day=1, **seen))
    home.built().close()
    with open_warehouse(home.folder) as db:
        own = [
            (label, step) for label, step in STEPS if step in (lay_out, structure, concentration)
        ]
        yield Hub(study_anatomy(db.cursor(), steps=own).db)


def found(hub, measure, twin="raw", analysis="structure"):
    rows = hub.db.execute(
        "select subject, value from study_measure"
        " where analysis = ? and measure = ? and twin = ? and value is not null",
        [analysis, measure, twin],
    ).fetchall()
    return dict(rows)


def plotted(hub, series, subject="", twin="raw"):
    rows = hub.db.execute(
        "select label, y from study_series where series = ? and subject = ? and twin = ?",
        [series, subject, twin],
    ).fetchall()
    return dict(rows)


def mean(values, weights):
    return sum(v * w for v, w in zip(values, weights, strict=True)) / sum(weights)


def middle(values, weights):
    """The least value with half of the weight at or below it."""
    half, risen = sum(weights) / 2, 0.0
    for value, weight in sorted(zip(values, weights, strict=True)):
        risen += weight
        if risen >= half * (1 - 1e-12):
            return value
    raise AssertionError


def test_counts(hub):
    models, families = found(hub, "models"), found(hub, "families")
    known = sum(hub.known.values())
    assert (models["known"], models["ghost"]) == (known, len(hub.known) - known)
    with_parent = [repo for repo in hub.known if hub.parents[repo]]
    assert models["with a parent"] == len(with_parent)
    assert models["with several parents"] == sum(len(hub.parents[r]) > 1 for r in with_parent)
    assert models["with ghost parents only"] == sum(
        not any(hub.known[parent] for parent in hub.parents[repo]) for repo in with_parent
    )
    assert families[""] == len(hub.families)
    assert families["of two or more"] == sum(len(family) > 1 for family in hub.families)
    relations = Counter(hub.relation.values())
    assert {r: n for r, n in found(hub, "edges").items() if r in relations} == relations
    assert found(hub, "edges")["merge or unknown"] == relations["merge"] + relations["unknown"]
    assert found(hub, "cycles")[""] == 0
    assert nx.is_directed_acyclic_graph(hub.graph)
    refused = hub.db.execute(
        "select child_id, parent_id, refusal from base_model_evidence where refusal is not null"
    ).fetchall()
    selves = {(child, parent) for child, parent, _ in refused if child == parent}
    assert found(hub, "refused_pairs")["self"] == len(selves) > 0


@pytest.mark.parametrize("twin", TWINS)
def test_shares_in_every_twin(hub, twin):
    known = [repo for repo, is_known in hub.known.items() if is_known]
    weights = hub.weights(known)[twin]
    share = found(hub, "models_share", twin)
    for subject, least in (("with a parent", 1), ("with several parents", 2)):
        declared = [len(hub.parents[repo]) >= least for repo in known]
        assert share[subject] == pytest.approx(mean(declared, weights))
    pairs = list(hub.relation)
    weights = hub.weights([child for _, child in pairs])[twin]
    fertile = [bool(hub.children[child]) for _, child in pairs]
    for relation in set(hub.relation.values()):
        of = [hub.relation[pair] == relation for pair in pairs]
        assert found(hub, "relation_share", twin)[relation] == pytest.approx(mean(of, weights))
        inside = [weight * is_of for weight, is_of in zip(weights, of, strict=True)]
        if sum(inside):
            wanted = mean(fertile, inside)
            assert found(hub, "fertile_share", twin)[relation] == pytest.approx(wanted)


@pytest.mark.parametrize("twin", TWINS)
def test_relations_by_generation(hub, twin):
    for generation in set(hub.generation.values()) - {0}:
        pairs = [pair for pair in hub.relation if hub.generation[pair[1]] == generation]
        weights = hub.weights([child for _, child in pairs])[twin]
        if not sum(weights):
            continue
        for relation in ("finetune", "quantized", "adapter", "merge", "unknown"):
            of = [hub.relation[pair] == relation for pair in pairs]
            shown = plotted(hub, "relation_by_generation", relation, twin)
            assert shown[str(generation)] == pytest.approx(mean(of, weights))


def test_edges_whose_child_has_children(hub):
    fertile = Counter(hub.relation[pair] for pair in hub.relation if hub.children[pair[1]])
    assert {r: n for r, n in found(hub, "fertile_edges").items() if n and r} == fertile


def test_the_shape_of_every_family(hub):
    columns = (
        "family_id, member_count, known_count, edge_count, owner_count, depth, breadth,"
        " widest_generation, max_child_count, tree_count, tree_member_count, wiener_index,"
        " bulk_share, leaf_share, dated_count, first_created_at, last_created_at"
    )
    shapes = {}
    for row in hub.db.execute(f"select {columns} from family_shape").fetchall():
        shapes[row[0]] = row[1:]
    wanted = dict(shape_of(hub, family) for family in hub.families if len(family) > 1)
    assert shapes == wanted


def shape_of(hub, family):
    root, tree, trees = hub.tree(family)
    known = [repo for repo in family if hub.known[repo]]
    widths = Counter(hub.generation[repo] for repo in family)
    widest = min(widths, key=lambda g: (-widths[g], g))
    dated = [hub.made[repo] for repo in family if hub.dated[repo]]
    return root, (
        *(len(family), len(known), sum(len(hub.parents[repo]) for repo in family)),
        *(len({hub.owner[repo] for repo in known}), max(widths), widths[widest], widest),
        *(max(len(hub.children[repo]) for repo in family), trees, len(tree)),
        *(nx.wiener_index(tree), sum(hub.bulk[repo] for repo in known) / len(known)),
        pytest.approx(sum(not hub.children[repo] for repo in family) / len(family)),
        *(len(dated), min(dated, default=None), max(dated, default=None)),
    )


def test_mean_distances_of_every_family(hub):
    rows = hub.db.execute(
        "select family_id, mean_distance, mean_distance_low, mean_distance_high from family_shape"
    ).fetchall()
    told = {family: numbers for family, *numbers in rows}
    sampled = 0
    for family in hub.families:
        if len(family) < 2:
            continue
        steps = sum(steps_from(hub, repo) for repo in family)
        exact = steps / (len(family) * (len(family) - 1))
        value, low, high = told[hub.tree(family)[0]]
        if low is None:
            assert value == pytest.approx(exact)
        else:
            sampled += 1
            assert low <= exact <= high
            assert low <= value <= high
            assert value == pytest.approx(exact, rel=0.1)
    assert sampled == 1


def steps_from(hub, source):
    """Steps to all that can be reached, along edges in either direction."""
    far, level, total = {source}, [source], 0
    for steps in range(len(hub.known)):
        total += steps * len(level)
        near = {other for at in level for other in (*hub.parents[at], *hub.children[at])}
        level = list(near - far)
        far |= near
        if not level:
            return total
    raise AssertionError


@pytest.mark.parametrize("twin", TWINS)
def test_means_over_families(hub, twin):
    rows = hub.db.execute(
        "select family_id, depth, breadth, leaf_share, mean_distance from family_shape"
    ).fetchall()
    weights = hub.weights([row[0] for row in rows])[twin]
    for at, measure in enumerate(("depth", "breadth", "leaf_share", "mean_distance"), start=1):
        wanted = mean([row[at] for row in rows], weights)
        assert found(hub, measure, twin)[""] == pytest.approx(wanted)


@pytest.mark.parametrize("twin", ["raw", "no_bulk", "dated"])
def test_motifs(hub, twin):
    kept = [p for p, w in zip(hub.relation, weighed(hub, twin), strict=True) if w > 0]
    parents, children = defaultdict(set), defaultdict(set)
    for parent, child in kept:
        parents[child].add(parent)
        children[parent].add(child)
    graph = nx.DiGraph(kept)
    pairs = [(c, a, b) for c in list(parents) for a, b in combinations(sorted(parents[c]), 2)]
    sharing = Counter((a, b) for _, a, b in pairs)
    wanted = {
        "sibling_pair": sum(len(of) * (len(of) - 1) // 2 for of in children.values()),
        "feed_forward": sum((a in parents[b]) + (b in parents[a]) for _, a, b in pairs),
        "diamond": sum(len((parents[a] & parents[b]) - {c}) for c, a, b in pairs),
        "shared_parents": sum(n * (n - 1) // 2 for n in sharing.values()),
        "reciprocal_pair": sum(child in parents[parent] for parent, child in kept) // 2,
        "merge_with_ancestor": sum(
            nx.has_path(graph, a, b) or nx.has_path(graph, b, a) for _, a, b in pairs
        ),
        "chain_3": sum(
            len({a, b, c, d}) == 4 for b, c in kept for a in parents[b] for d in children[c]
        ),
    }
    assert found(hub, "motif", twin) == wanted


def weighed(hub, twin):
    return hub.weights([child for _, child in hub.relation])[twin]


def test_chains_by_relation(hub):
    two, three = Counter(), Counter()
    for (a, b), first in hub.relation.items():
        for c in hub.children[b]:
            second = hub.relation[b, c]
            two[f"{first} → {second}"] += c != a
            for d in hub.children[c]:
                chain = f"{first} → {second} → {hub.relation[c, d]}"
                three[chain] += len({a, b, c, d}) == 4
    assert found(hub, "chain_2_by_relation") == two
    assert found(hub, "chain_3_by_relation") == three


def test_growth(hub):
    month = {r: f"{t:%Y-%m}" for r, t in hub.made.items() if hub.dated[r]}
    assert plotted(hub, "models_created") == Counter(month.values())
    made = Counter(month[child] for _, child in hub.relation if hub.dated[child])
    assert plotted(hub, "edges_created") == made
    begun, old = [], 0
    for family in (family for family in hub.families if len(family) > 1):
        if any(hub.known[r] and hub.made[r] and not hub.dated[r] for r in family):
            old += 1
        else:
            begun.append(min(hub.made[r] for r in family if hub.dated[r]))
    assert plotted(hub, "families_begun") == Counter(f"{t:%Y-%m}" for t in begun)
    assert found(hub, "families")["begun before dates are told"] == old
    now = hub.db.execute("select data_as_of from study").fetchone()[0]
    ages = [(now - time).total_seconds() / 86400 for time in begun]
    assert found(hub, "family_age")[""] == pytest.approx(middle(ages, [1.0] * len(ages)))
    first = min(month.values())
    born = {repo: month.get(repo, first) for repo in hub.known}
    for at in (first, "2024-07", "2026-07", max(month.values())):
        there = hub.graph.to_undirected().subgraph(r for r in born if born[r] <= at)
        components = list(map(len, nx.connected_components(there)))
        if at in plotted(hub, "families"):
            assert plotted(hub, "families")[at] == len(components)
            assert plotted(hub, "families_of_two")[at] == sum(n > 1 for n in components)
    assert plotted(hub, "families")[max(month.values())] == len(hub.families)


def test_days_from_parent_to_child(hub):
    fates, days = Counter(), {}
    for parent, child in hub.relation:
        if not hub.known[parent]:
            fates["a ghost parent"] += 1
        elif not hub.dated[parent]:
            fates["a parent without a date"] += 1
        elif not hub.dated[child]:
            fates["a child without a date"] += 1
        elif hub.days(parent, child) < 0:
            fates["the child before its parent"] += 1
        else:
            fates["the child after its parent"] += 1
            days[parent, child] = hub.days(parent, child)
    told = found(hub, "edges_in_time")
    assert {fate: number for fate, number in told.items() if number} == fates
    for relation in ("finetune", "quantized", "adapter", "merge"):
        of = [pair for pair in days if hub.relation[pair] == relation]
        waits = [days[pair] for pair in of]
        for twin in ("raw", "owner_capped", "no_bulk"):
            weights = hub.weights([child for _, child in of])[twin]
            shown = found(hub, "days_to_child", twin)[relation]
            assert shown == pytest.approx(middle(waits, weights))
        within = sum(wait <= 30 for wait in waits) / len(waits)
        assert plotted(hub, "days_to_child", relation)["30 days"] == pytest.approx(within)


@pytest.mark.parametrize("twin", ["raw", "no_bulk", "dated"])
@pytest.mark.parametrize("quantity", ["uploads", "downloads"])
def test_concentration_by_definition(hub, quantity, twin):
    held = defaultdict(int)
    for repo, is_known in hub.known.items():
        is_kept = {"raw": True, "no_bulk": not hub.bulk[repo], "dated": hub.dated[repo]}[twin]
        if is_known and is_kept:
            held[hub.owner[repo]] += 1 if quantity == "uploads" else hub.downloads[repo]
    amounts = np.array(sorted(held.values()), float)
    differences = sum(np.abs(amounts - one).sum() for one in amounts)
    total, count = amounts.sum(), len(amounts)
    wanted = {
        "gini": differences / (2 * count * total),
        "hoover": np.abs(amounts - total / count).sum() / (2 * total),
        "top_1_percent_share": amounts[-ceil(count / 100) :].sum() / total,
        "top_10_share": amounts[-10:].sum() / total,
    }
    for index, number in wanted.items():
        told = found(hub, index, twin, "concentration")[f"{quantity} by owner"]
        assert told == pytest.approx(number)


RELATIONS = ("finetune", "adapter", "quantized", "merge", "unknown")
DAYS = (1, 3, 7, 14, 30, 60, 90, 180, 365, 730, 1095)


def measure(hub, name, subject, twin="raw", analysis="structure"):
    columns = "value, low, high, resampled, count"
    (row,) = hub.db.execute(
        f"select {columns} from study_measure"
        " where analysis = ? and measure = ? and subject = ? and twin = ?",
        [analysis, name, subject, twin],
    ).fetchall()
    return row


def points(hub, series, subject="", twin="raw", analysis="structure"):
    """By x: label, y and count."""
    rows = hub.db.execute(
        "select x, label, y, count from study_series"
        " where analysis = ? and series = ? and subject = ? and twin = ?",
        [analysis, series, subject, twin],
    ).fetchall()
    return {x: told for x, *told in rows}


def near(value):
    return None if value is None else pytest.approx(value)


def quantile(values, weights, share):
    """The least value with this share of the weight at or below it; None of no weight."""
    aim, risen = share * sum(weights), 0.0
    for one, weight in sorted(zip(values, weights, strict=True)):
        risen += weight
        if weight and risen >= aim * (1 - 1e-12):
            return one
    return None


def waits_of(hub):
    """Days from parent to child, of edges whose ends are dated in order; and those in no order."""
    days, wrong = {}, set()
    for parent, child in hub.relation:
        if hub.known[parent] and hub.dated[parent] and hub.dated[child]:
            waited = hub.days(parent, child)
            if waited < 0:
                wrong.add((parent, child))
            else:
                days[parent, child] = waited
    return days, wrong


@pytest.mark.parametrize("relation", ["", *RELATIONS])
def test_days_of_each_relation(hub, relation):
    days, wrong = waits_of(hub)
    of = [pair for pair in days if relation in ("", hub.relation[pair])]
    waits = [days[pair] for pair in of]
    weighed = hub.weights([child for _, child in of])
    for twin in ("raw", "owner_capped", "no_bulk"):
        value, _, _, _, count = measure(hub, "days_to_child", relation, twin)
        assert count == sum(weight > 0 for weight in weighed[twin])
        assert value == near(quantile(waits, weighed[twin], 0.5))
    for name, share in (("days_to_child_q1", 0.25), ("days_to_child_q3", 0.75)):
        value, *_, count = measure(hub, name, relation)
        assert (value, count) == (near(quantile(waits, weighed["raw"], share)), len(of))
    shown = points(hub, "days_to_child", relation)
    assert shown == {
        float(day): [f"{day} days", near(sum(w <= day for w in waits) / len(waits)), len(waits)]
        for day in DAYS
        if waits
    }
    if relation:
        ordered = [pair for pair in (*days, *wrong) if hub.relation[pair] == relation]
        every = hub.weights([child for _, child in (*days, *wrong)])
        at = {pair: place for place, pair in enumerate((*days, *wrong))}
        for twin in ("raw", "owner_capped", "no_bulk"):
            weights = [every[twin][at[pair]] for pair in ordered]
            value, *_, count = measure(hub, "wrong_order_share", relation, twin)
            assert count == sum(weight > 0 for weight in weights)
            is_wrong = [pair in wrong for pair in ordered]
            assert value == (near(mean(is_wrong, weights)) if sum(weights) else None)


@pytest.mark.parametrize("twin", TWINS)
def test_every_point_of_relations_by_generation(hub, twin):
    shown = {
        relation: points(hub, "relation_by_generation", relation, twin) for relation in RELATIONS
    }
    wanted = {relation: {} for relation in RELATIONS}
    depth = {pair: min(hub.generation[pair[1]], 8) for pair in hub.relation}
    for generation in set(depth.values()):
        pairs = [pair for pair in depth if depth[pair] == generation]
        weights = hub.weights([child for _, child in pairs])[twin]
        label = f"{generation} and later" if generation == 8 else str(generation)
        count = sum(weight > 0 for weight in weights)
        for relation in RELATIONS if count else ():
            of = [hub.relation[pair] == relation for pair in pairs]
            wanted[relation][float(generation)] = [label, near(mean(of, weights)), count]
    assert shown == wanted


@pytest.mark.parametrize("twin", ["raw", "no_bulk"])
def test_every_month_of_growth(hub, twin):
    month = {r: f"{t:%Y-%m}" for r, t in hub.made.items() if hub.dated[r]}
    kept = {repo for repo in month if twin == "raw" or not hub.bulk[repo]}
    assert plotted(hub, "models_created", "", twin) == Counter(month[repo] for repo in kept)
    for relation in ("", *RELATIONS):
        of = [
            month[child]
            for (parent, child), kind in hub.relation.items()
            if child in kept and relation in ("", kind)
        ]
        assert plotted(hub, "edges_created", relation, twin) == Counter(of)
    for label, x in hub.db.execute(
        "select label, x from study_series where series = 'models_created'"
    ).fetchall():
        year, at = map(int, label.split("-"))
        assert x == 12 * year + at - 1


def test_families_at_the_end_of_each_month(hub):
    month = {r: f"{t:%Y-%m}" for r, t in hub.made.items() if hub.dated[r]}
    first = min(month.values())
    born = {repo: month.get(repo, first) for repo in hub.known}
    at = {repo: repo for repo in hub.known}

    def top(repo):
        while at[repo] != repo:
            repo = at[repo]
        return repo

    there, wanted, wanted_of_two = set(), {}, {}
    for now in sorted(set(born.values())):
        new = {repo for repo in born if born[repo] == now}
        there |= new
        for parent, child in hub.relation:
            if {parent, child} <= there and (parent in new or child in new):
                at[top(child)] = top(parent)
        sizes = Counter(top(repo) for repo in there)
        wanted[now] = len(sizes)
        wanted_of_two[now] = sum(size > 1 for size in sizes.values())
    assert plotted(hub, "families") == wanted
    assert plotted(hub, "families_of_two") == wanted_of_two


def test_ages_and_beginnings_of_families(hub):
    begun, untold = {}, 0
    for family in (family for family in hub.families if len(family) > 1):
        known = [repo for repo in family if hub.known[repo]]
        if all(hub.dated[repo] for repo in known):
            begun[hub.tree(family)[0]] = min(hub.made[repo] for repo in known)
        elif not any(hub.made[repo] and not hub.dated[repo] for repo in known):
            untold += 1
    told = found(hub, "families")
    assert told["begun when dated"] == len(begun)
    assert told["with a model without a time"] == untold
    now = hub.db.execute("select data_as_of from study").fetchone()[0]
    ages = [(now - time).total_seconds() / 86400 for time in begun.values()]
    for twin in ("raw", "owner_capped", "no_bulk"):
        weights = hub.weights(list(begun))[twin]
        value, *_, count = measure(hub, "family_age", "", twin)
        assert value == near(quantile(ages, weights, 0.5))
        assert count == sum(weight > 0 for weight in weights)
    models = found(hub, "models")
    assert models["dated"] == sum(hub.dated.values())
    undated = [repo for repo in hub.known if hub.known[repo] and not hub.dated[repo]]
    assert models["made before dates are told"] == sum(
        hub.made[repo] is not None for repo in undated
    )
    assert models["without a time"] == sum(hub.made[repo] is None for repo in undated)


@pytest.mark.parametrize("quantity", ["uploads", "downloads"])
def test_lorenz_curves_and_top_owners(hub, quantity):
    for twin in ("raw", "no_bulk", "dated"):
        held = Counter()
        for repo, is_known in hub.known.items():
            is_kept = {"raw": True, "no_bulk": not hub.bulk[repo], "dated": hub.dated[repo]}[twin]
            if is_known and is_kept:
                held[hub.owner[repo]] += 1 if quantity == "uploads" else hub.downloads[repo]
        amounts = sorted(held.values())
        shown = points(hub, "lorenz", quantity, twin, "concentration")
        assert len(shown) == 27
        for share, (label, y, count) in shown.items():
            whole = min(int(share * len(amounts) + 1e-9), len(amounts) - 1)
            rest = share * len(amounts) - whole  # between two holders the curve is straight
            wanted = (sum(amounts[:whole]) + rest * amounts[whole]) / sum(amounts)
            assert (y, count) == (pytest.approx(wanted, abs=1e-9), len(amounts)), (twin, share)
            assert label == f"poorest {100 * share:.4g} %"
        if twin == "raw":
            ranked = sorted((o for o in held if held[o]), key=lambda owner: (-held[owner], owner))
            assert points(hub, "top_owner", quantity, analysis="concentration") == {
                float(at): [owner, held[owner], held[owner]]
                for at, owner in enumerate(ranked[:25], 1)
            }
    untold = [repo for repo, known in hub.known.items() if known and hub.downloads[repo] is None]
    assert found(hub, "models_untold", analysis="concentration")[""] == len(untold) == 0


def test_what_is_said_of_families(hub):
    columns = (
        "member_count, depth, breadth, max_child_count, tree_member_count, wiener_index,"
        " tree_mean_distance, mean_distance"
    )
    rows = hub.db.execute(f"select {columns} from family_shape").fetchall()
    largest = max(rows, key=lambda row: row[0])
    members = max(hub.families, key=len)
    _, tree, _ = hub.tree(members)
    distance = nx.wiener_index(tree) / (len(tree) * (len(tree) - 1) / 2)
    told = [
        *("largest_family", "largest_family_depth", "largest_family_breadth"),
        *("largest_family_most_children", "", "largest_family_wiener_index"),
        *("largest_family_tree_distance", "largest_family_distance"),
    ]
    for name, value in zip(told, largest, strict=True):
        assert not name or found(hub, name)[""] == pytest.approx(value)
    assert found(hub, "largest_family")[""] == len(members)
    assert found(hub, "largest_family_tree_distance")[""] == pytest.approx(distance)
    assert found(hub, "most_depth")[""] == max(row[1] for row in rows)
    assert found(hub, "most_breadth")[""] == max(row[2] for row in rows)
    depths = Counter(max(hub.generation[r] for r in f) for f in hub.families if len(f) > 1)
    assert plotted(hub, "family_depth") == {str(depth): n for depth, n in depths.items()}
    levels = Counter(hub.generation[r] for f in hub.families if len(f) > 1 for r in f)
    assert plotted(hub, "generation") == {str(level): n for level, n in levels.items()}
    steps = defaultdict(list)
    for row in rows:
        steps[2.0 ** (row[0].bit_length() - 1)].append(row[-1])
    assert points(hub, "mean_distance_by_size") == {
        x: [f"{x:.0f} to {2 * x - 1:.0f} models", near(sum(of) / len(of)), len(of)]
        for x, of in steps.items()
    }


@pytest.mark.parametrize("twin", TWINS)
def test_survival_of_sizes(hub, twin):
    is_kept = {repo: not (twin == "no_bulk" and hub.bulk[repo]) for repo in hub.known}
    is_kept = {r: k and not (twin == "dated" and not hub.dated[r]) for r, k in is_kept.items()}

    def size(repos):
        counts = Counter(hub.owner[repo] for repo in repos if is_kept[repo])
        return sum(min(n, 10) if twin == "owner_capped" else n for n in counts.values())

    families = [size(family) for family in hub.families if len(family) > 1]
    children = [size(of) for of in hub.children.values()]
    for series, sizes in (
        ("family_size", [one for one in families if one > 1]),
        ("children", [one for one in children if one]),
    ):
        shown = points(hub, series, "", twin)
        assert {min(sizes), max(sizes)} <= set(shown)
        for x, (label, y, count) in shown.items():
            above = sum(one >= x for one in sizes)
            assert (label, count) == (f"{x:.0f}", above)
            assert y == pytest.approx(above / len(sizes))
        xmin = found(hub, "xmin", twin)[series]
        tail = sum(one >= xmin for one in sizes) / len(sizes)
        assert found(hub, "tail_share", twin)[series] == pytest.approx(tail)


@pytest.mark.parametrize("twin", ["raw", "owner_capped"])
def test_intervals_are_those_of_clusters_drawn_one_by_one(hub, twin):
    rng = np.random.default_rng(3)
    family = {repo: min(members) for members in hub.families for repo in members}
    known = [repo for repo, is_known in hub.known.items() if is_known]
    children = [child for _, child in hub.relation]
    for name, subject, repos, values in (
        ("models_share", "with a parent", known, [bool(hub.parents[repo]) for repo in known]),
        (
            *("relation_share", "finetune", children),
            [hub.relation[pair] == "finetune" for pair in hub.relation],
        ),
    ):
        value, low, high, resampled, _ = measure(hub, name, subject, twin)
        weights = hub.weights(repos)[twin]
        assert low <= value <= high
        widths, tails = {}, {}
        for what, of in (("owner", hub.owner), ("family", family)):
            sums = defaultdict(lambda: np.zeros(2))
            for repo, number, weight in zip(repos, values, weights, strict=True):
                sums[of[repo]] += weight * number, weight
            rows = np.array([sums[one] for one in sorted(sums)])
            drawn = [rows[rng.integers(0, len(rows), len(rows))].sum(axis=0) for _ in range(2_000)]
            shares = np.array([above / below for above, below in drawn])
            widths[what] = np.ptp(np.percentile(shares, [2.5, 97.5]))
            tails[what] = np.mean(shares < low), np.mean(shares > high)
        # 2.5 % of draws lie beyond each end, give or take four deviations of 400 and of 2,000
        assert all(0.001 <= tail <= 0.065 for tail in tails[resampled]), (name, tails)
        assert widths[resampled] >= 0.8 * max(widths.values())


@pytest.mark.parametrize("subject", ["family_size", "children"])
def test_the_power_law_of_a_slow_search(hub, subject):
    if subject == "family_size":
        sizes = sorted(len(family) for family in hub.families if len(family) > 1)
    else:
        sizes = sorted(len(of) for of in hub.children.values() if of)
    alpha, xmin, distance = slow_fit(sizes)
    assert found(hub, "xmin")[subject] == xmin
    assert found(hub, "alpha")[subject] == pytest.approx(alpha, abs=1e-4)
    assert found(hub, "ks")[subject] == pytest.approx(distance, abs=1e-5)
    theirs = powerlaw.Fit(
        sizes, discrete=True, xmin=xmin, estimate_discrete=False, verbose=0
    ).power_law
    assert found(hub, "alpha")[subject] == pytest.approx(theirs.alpha, abs=1e-3)
    shown = plotted(hub, subject)
    at = sizes[len(sizes) // 2]
    assert shown[str(at)] == pytest.approx(sum(size >= at for size in sizes) / len(sizes))


def slow_fit(sizes):
    """Every xmin that leaves fifty, every whole number between the sizes."""
    best = None
    for xmin in sorted(set(sizes))[:-1]:
        tail = np.array([size for size in sizes if size >= xmin])
        if len(tail) < 50:
            break
        logs = np.log(tail).sum()
        fit = minimize_scalar(
            lambda a, tail=tail, low=xmin, logs=logs: len(tail) * np.log(zeta(a, low)) + a * logs,
            bounds=(1.001, 10),
            method="bounded",
            options={"xatol": 1e-8},
        )
        x = np.arange(xmin, tail.max() + 2)
        law = zeta(fit.x, x) / zeta(fit.x, xmin)
        seen = 1 - np.searchsorted(tail, x, side="left") / len(tail)
        distance = np.abs(law - seen).max()
        if best is None or distance < best[2]:
            best = (fit.x, xmin, distance)
    return best
