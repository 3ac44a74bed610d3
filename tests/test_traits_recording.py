"""Traits and drift of two real recordings, against plain loops that share no code with us."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from itertools import combinations
from statistics import fmean

import numpy as np
import orjson
import pytest
from raw_homes import RawHome, answer
from studies import needs_recordings, recorded
from trait_studies import number, rows, studied, value

from analysis.traits.carrying import UNSTATED
from analysis.traits.values import SAYS_GENERATED, TRAITS, read_table

pytestmark = needs_recordings
RELATIONS = ("finetune", "adapter", "quantized", "merge", "unknown")
TWINS = ("raw", "owner_capped", "no_bulk", "dated")
COUNTINGS = (*TWINS, "study_counting")
NAMES = [trait.name for trait in TRAITS]
SETS = {"language", "dataset", "region", "tag"}
SIZES = {
    **{1e8: "under 0.1B", 1e9: "0.1B to 1B", 3e9: "1B to 3B", 8e9: "3B to 8B"},
    **{1.5e10: "8B to 15B", 3.5e10: "15B to 35B", 1e11: "35B to 100B"},
    math.inf: "100B and over",
}
DTYPES = {
    row["spelling"]: (row["bits"], row["dtype"]) for row in read_table("dtype_tags").to_pylist()
}
AUTOMATIC = set(read_table("auto_tags")["tag"].to_pylist())


class Edge:
    """An edge both of whose ends report a trait."""

    def __init__(self, child, relation, before, after):
        self.child, self.relation, self.before, self.after = child, relation, before, after
        self.lost, self.gained = before - after, after - before
        self.distance = 1 - len(before & after) / len(before | after)

    def pairs(self, counting, *, is_set):
        """What it sends from which value to which, of an edge that weighs 1."""
        each = 1 / max(len(self.lost) * len(self.gained), 1)
        if counting == "study_counting":
            each = 2 if len(self.lost) == len(self.gained) == 1 else 1
        yield from ((pair, each) for pair in ((a, b) for a in self.lost for b in self.gained))
        if not is_set:
            yield from (((same, same), 1) for same in self.before & self.after)


class Hub:
    """Traits of models as Python sets, most of them from the recording's lines; edges as tuples."""

    def __init__(self, study, lines):
        self.study = study
        # with e-mail addresses masked, as a warehouse keeps them
        self.cards = dict(rows(study, "select repo_id, text from main.card"))
        self.edges = rows(study, "select child_id, parent_id, relation from main.base_model_edge")
        models = rows(
            study,
            "select repo_id, coalesce(author, repo_id), created_at, parameter_count,"
            " license, pipeline_tag, library_name from main.model",
        )
        bulk = {name for (name,) in rows(study, "select owner from bulk_uploader")}
        self.owner = {row[0]: row[1] for row in models}
        self.is_bulk = {row[0]: row[1] in bulk for row in models}
        self.is_dated = {
            row[0]: row[2] is not None and row[2].isoformat() >= "2022-03-03" for row in models
        }
        self.parameters = {row[0]: row[3] for row in models if row[3]}
        self.declared = {row[0]: [(one or "").strip().lower() for one in row[4:]] for row in models}
        self.spoken = self._lists("select repo_id, language from main.model_language")
        self.free = self._lists("select repo_id, tag_value from main.model_tag where kind is null")
        datasets = self._lists("select repo_id, dataset_id from main.model_dataset")
        self.traits = {name: defaultdict(set) for name in NAMES}
        self.traits["dataset"] |= {
            name: {one.strip(" ")[:200] for one in said} for name, said in datasets.items()
        }
        self.asked = [line["model"]["id"] for line in lines]
        for line in lines:
            self._read(line["model"], line["card"])

    def _lists(self, sql):
        found = defaultdict(set)
        for name, said in rows(self.study, sql):
            found[name].add(said)
        return found

    def _read(self, model, card):
        name, config = model["id"], model.get("config") or {}
        license, task, library = self.declared[name]  # noqa: A001
        kind = (config.get("model_type") or "").strip()
        first = next(iter(config.get("architectures") or []), None) or ""
        count = self.parameters.get(name)
        # no line of either recording tells of a quantization or of element types
        bits = [DTYPES[tag.lower()] for tag in model["tags"] if tag.lower() in DTYPES]
        told = {
            "license": {license} - {"", *UNSTATED},
            "task": {task} - {""},
            "library": {library} - {""},
            "architecture": {kind or first} - {""},
            "size_class": {SIZES[min(top for top in SIZES if count < top)]} if count else set(),
            "dtype": {min(bits)[1]} if bits else set(),
            "language": {one.lower() for one in self.spoken[name]},
            "region": {tag[7:] for tag in model["tags"] if tag.startswith("region:")},
        }
        own = {license, task, library, kind.lower(), first.lower()} | set(DTYPES)
        told["tag"] = {
            tag.strip(" ")[:200]
            for tag in self.free[name] - AUTOMATIC - self.spoken[name]
            if tag.lower() not in own and tag.strip(" ")
        }
        if card is not None:
            written = not any(phrase in card for phrase in SAYS_GENERATED)
            told["card_origin"] = {"written" if written else "generated"}
        for trait, values in told.items():
            self.traits[trait][name] = values

    def compared(self, trait):
        held = self.traits[trait]
        ends = [(child, kind, held[parent], held[child]) for child, parent, kind in self.edges]
        return [Edge(*one) for one in ends if one[2] and one[3]]

    def weights(self, children):
        counts = Counter(self.owner[child] for child in children)
        return {
            "raw": [1.0 for _ in children],
            "owner_capped": [min(1, 10 / counts[self.owner[child]]) for child in children],
            "no_bulk": [float(not self.is_bulk[child]) for child in children],
            "dated": [float(self.is_dated[child]) for child in children],
            "study_counting": [1.0 for _ in children],
        }


def replayed(folder, lines):
    """A home of a recording's records, as one listing gave them; each was asked for its card."""
    home = RawHome(folder)
    # a look that is older than a creation would not be believed
    seen = {"fetched_at": "2026-09-01T00:00:00.000Z", "sweep_id": 1}
    records = orjson.dumps([line["model"] for line in lines])
    home.write("model", answer(records, facet="model", day=1, **seen))
    home.write("card", *(_card(line["card"], line["model"]["id"]) for line in lines))
    return home


def _card(text, repo_id):
    if text is None:
        gone = {"status": 404, "failure": "gone"}
        return answer(b"no", day=2, facet="card", repo_id=repo_id, **gone)
    return answer(text.encode(), day=2, facet="card", repo_id=repo_id)


@pytest.fixture(scope="module", params=["hub_2026_08", "hub_2022_02"])
def hub(request, tmp_path_factory):
    lines = recorded(f"{request.param}.jsonl.zst")
    for study in studied(replayed(tmp_path_factory.mktemp(request.param), lines)):
        yield Hub(study, lines)


def agrees(hub, measure, subject, twin, values, weights):
    """A measure is the weighted mean of rows, and rests on those that weigh anything."""
    found, case = number(hub.study, measure, subject, twin), (measure, subject, twin)
    total = sum(weights)
    assert found.count == sum(weight > 0 for weight in weights), case
    assert (found.value is None) == (total == 0), case
    if total:
        mean = sum(v * w for v, w in zip(values, weights, strict=True)) / total
        assert found.value == pytest.approx(mean), case
    if found.low is not None:
        assert found.low - 1e-9 <= found.value <= found.high + 1e-9, case


@pytest.mark.parametrize("trait", NAMES)
def test_rates_and_shares(hub, trait):
    edges = hub.compared(trait)
    reporting = {id(edge) for edge in edges}
    weighed = hub.weights([edge.child for edge in edges])
    everything = hub.weights([child for child, *_ in hub.edges])
    held = hub.traits[trait]
    is_told = [float(bool(held[child] and held[parent])) for child, parent, _ in hub.edges]
    assert sum(is_told) == len(reporting)
    for twin in TWINS:
        distances, weights = [edge.distance for edge in edges], weighed[twin]
        agrees(hub, "mutation_rate", trait, twin, distances, weights)
        agrees(hub, "changed_share", trait, twin, [d > 0 for d in distances], weights)
        agrees(hub, "reported_share", trait, twin, is_told, everything[twin])
        for relation in RELATIONS:
            of = [w * (e.relation == relation) for w, e in zip(weights, edges, strict=True)]
            agrees(hub, "mutation_rate", f"{trait}, {relation}", twin, distances, of)
        if trait == "license":
            unnamed = ["other" in edge.before | edge.after for edge in edges]
            named = [w * (not u) for w, u in zip(weights, unnamed, strict=True)]
            agrees(hub, "mutation_rate_named", trait, twin, distances, named)
            # all was looked at once, after it was made
            agrees(hub, "parent_observed_share", trait, twin, [0.0 for _ in edges], weights)
            observed = number(hub.study, "mutation_rate_observed", trait, twin)
            assert (observed.value, observed.count) == (None, 0)
    points = {
        (one.twin, one.label): (one.y, one.low, one.high, one.count)
        for one in hub.study.points
        if one.series == "mutation_rate"
    }
    for twin in TWINS:
        one = number(hub.study, "mutation_rate", trait, twin)
        shown = None if one.value is None else (one.value, one.low, one.high, one.count)
        assert points.get((twin, trait)) == shown


@pytest.mark.parametrize("trait", NAMES)
def test_transitions(hub, trait):
    edges, is_set = hub.compared(trait), trait in SETS
    weighed = hub.weights([edge.child for edge in edges])
    told = busiest(edges, weighed)
    expected = {}
    for counting in COUNTINGS:
        sums, counts, owners = Counter(), Counter(), defaultdict(set)
        for edge, weight in zip(edges, weighed[counting], strict=True):
            for pair, each in edge.pairs(counting, is_set=is_set):
                if weight and set(pair) <= told:
                    sums[pair] += weight * each
                    counts[pair] += 1
                    owners[pair].add(hub.owner[edge.child])
        sent = Counter()
        for (gone, _), traffic in sums.items():
            sent[gone] += traffic
        expected |= {
            (counting, *pair): pytest.approx(
                (traffic, traffic / sent[pair[0]], counts[pair], 0, len(owners[pair]))
            )
            for pair, traffic in sums.items()
        }
    found = rows(
        hub.study,
        "select twin, parent_value, child_value, traffic, share, edge_count, observed_count,"
        f" owner_count from trait_transition where trait = '{trait}'",
    )
    assert {row[:3]: row[3:] for row in found} == expected


def busiest(edges, weighed):
    """The hundred values with most traffic at either end, in any counting."""
    held = Counter(one for edge in edges for one in edge.before | edge.after)
    told = set()
    for counting, weights in weighed.items():
        moved = dict.fromkeys(held, 0.0)
        for edge, weight in zip(edges, weights, strict=True):
            for (gone, come), each in edge.pairs(counting, is_set=True):
                moved[gone] += weight * each
                moved[come] += weight * each
        told |= set(sorted(held, key=lambda v: (-round(moved[v], 9), -held[v], v))[:100])
    return told


@pytest.mark.parametrize("counting", COUNTINGS)
@pytest.mark.parametrize("trait", NAMES)
def test_orders_and_pairs(hub, trait, counting):
    traffic = {
        (a, b): w
        for a, b, w in rows(
            hub.study,
            "select parent_value, child_value, traffic from trait_transition"
            f" where trait = '{trait}' and twin = '{counting}' and parent_value <> child_value",
        )
        if not (trait == "license" and "other" in (a, b))
    }
    busy = Counter()
    for pair, w in traffic.items():
        busy.update(dict.fromkeys(pair, w))
    placed = set(sorted(busy, key=lambda name: (-round(busy[name], 9), name))[:20])
    told = rows(
        hub.study,
        "select value, sent, received, forward_traffic, backward_traffic, method, gap"
        f" from drift_order where trait = '{trait}' and twin = '{counting}' order by position",
    )
    order = [row[0] for row in told]
    assert len(order) == len(placed)
    assert set(order) == placed
    inner = {pair: w for pair, w in traffic.items() if set(pair) <= placed}
    place = {name: at for at, name in enumerate(order)}
    ahead = {pair: w for pair, w in inner.items() if place[pair[0]] < place[pair[1]]}
    for name, *numbers, method, gap in told:
        sent = sum(w for (a, _), w in inner.items() if a == name)
        received = sum(w for (_, b), w in inner.items() if b == name)
        forward = sum(w for pair, w in ahead.items() if name in pair)
        wanted = (sent, received, forward, sent + received - forward)
        assert numbers == pytest.approx(wanted, abs=1e-9)
        assert (method, gap) == ("exact", 0)
    found = number(hub.study, "forward_share", trait, counting)
    assert (found.value is None) == (not inner)
    if inner:
        assert found.value == pytest.approx(sum(ahead.values()) / sum(inner.values()))
    net = {p: w - inner.get(p[::-1], 0) for p, w in inner.items()}
    pairs = [pair for pair, w in net.items() if w > 1e-9]
    assert value(hub.study, "traffic_pairs", trait, counting) == len(pairs)
    consistent = sum(place[a] < place[b] for a, b in pairs)
    assert value(hub.study, "consistent_pairs", trait, counting) == consistent
    listed = rows(
        hub.study,
        "select from_value, to_value, traffic_forward, traffic_back, is_consistent, p_value,"
        f" q_value from drift_pair where trait = '{trait}' and twin = '{counting}'",
    )
    assert {row[:2]: row[2:5] for row in listed} == {
        (a, b): (
            *(pytest.approx(inner[a, b]), pytest.approx(inner.get((b, a), 0))),
            place[a] < place[b],
        )
        for a, b in pairs
    }
    small = sum(row[6] <= 0.05 for row in listed)
    assert value(hub.study, "significant_pairs", trait, counting) == small
    ranked = sorted(row[5] for row in listed)
    wanted = [
        min(p * len(ranked) / (at + 1) for at, p in enumerate(ranked) if at >= first)
        for first in range(len(ranked))
    ]
    assert sorted(row[6] for row in listed) == pytest.approx(wanted)
    nothing_gained(inner, order)


def nothing_gained(inner, order):
    """No move of one value makes more traffic run forward."""
    place = {name: at for at, name in enumerate(order)}
    net = {pair: w - inner.get(pair[::-1], 0) for pair, w in inner.items()}
    net |= {(b, a): -w for (a, b), w in net.items()}
    for name in order:
        for step in (-1, 1):
            gain, at = 0.0, place[name] + step
            while 0 <= at < len(order):
                gain += net.get((name, order[at]), 0) * -step
                assert gain <= 1e-6
                at += step


def discordance(order, other):
    common = [name for name in order if name in other]
    pairs = [1 if other.index(a) < other.index(b) else -1 for a, b in combinations(common, 2)]
    return common, (fmean(pairs) if len(common) > 2 else None)


@pytest.mark.parametrize("counting", COUNTINGS)
def test_agreement_of_orders(hub, counting):
    orders = defaultdict(list)
    for trait, twin, one in rows(
        hub.study, "select trait, twin, value from drift_order order by trait, twin, position"
    ):
        orders[trait, twin].append(one)
    for trait in NAMES if counting != "raw" else ():
        common, tau = discordance(orders[trait, counting], orders[trait, "raw"])
        found = number(hub.study, "order_tau_raw", trait, counting)
        assert (found.count, found.value) == (len(common), tau and pytest.approx(tau))
    table = sorted(read_table("published_order").to_pylist(), key=lambda row: row["position"])
    published = [row["value"] for row in table if row["trait"] == "license"]
    order = orders["license", counting]
    common, tau = discordance(order, published)
    found = number(hub.study, "published_order_tau", "license", counting)
    assert (found.count, found.value) == (len(common), tau and pytest.approx(tau))
    chance = number(hub.study, "published_order_tau_p", "license", counting).value
    assert chance == (None if tau is None else pytest.approx(tail_of_tau(len(common), tau)))
    forward = back = 0.0
    for a, b, traffic in rows(
        hub.study,
        "select parent_value, child_value, traffic from trait_transition"
        f" where trait = 'license' and twin = '{counting}' and parent_value <> child_value",
    ):
        if a in common and b in common:
            ahead = published.index(a) < published.index(b)
            forward, back = forward + traffic * ahead, back + traffic * (not ahead)
    share = forward / (forward + back) if forward + back else None
    for measure, wanted in (("", share), ("_reversed", share and 1 - share)):
        told = number(hub.study, f"published_order_share{measure}", "license", counting)
        assert told.value == (wanted if wanted is None else pytest.approx(wanted))
        assert told.count == len(common)


def tail_of_tau(count, tau):
    """Chance of an order as far from random: permutations counted by their inversions."""
    ways = [1]
    for size in range(2, count + 1):
        longer = [0] * (len(ways) + size - 1)
        for at, times in enumerate(ways):
            for more in range(size):
                longer[at + more] += times
        ways = longer
    pairs = count * (count - 1) // 2
    far = sum(times for at, times in enumerate(ways) if abs(1 - 2 * at / pairs) >= abs(tau) - 1e-9)
    return far / math.factorial(count)


@pytest.mark.parametrize("twin", TWINS)
def test_parameters(hub, twin):
    ends = [
        (child, kind, hub.parameters[child], hub.parameters[parent])
        for child, parent, kind in hub.edges
        if child in hub.parameters and parent in hub.parameters
    ]
    ratios = [math.log2(after / before) for *_, after, before in ends]
    weights = hub.weights([child for child, *_ in ends])[twin]
    agrees(hub, "parameter_log2_ratio", "", twin, ratios, weights)
    changed = [after != before for *_, after, before in ends]
    agrees(hub, "parameter_changed_share", "", twin, changed, weights)
    for relation in RELATIONS:
        of = [w * (one[1] == relation) for w, one in zip(weights, ends, strict=True)]
        agrees(hub, "parameter_log2_ratio", relation, twin, ratios, of)


@pytest.mark.parametrize("twin", TWINS)
def test_cards(hub, twin):
    weights = hub.weights(hub.asked)[twin]
    agrees(hub, "card_share", "", twin, [one in hub.cards for one in hub.asked], weights)
    ends = [(c, hub.cards[c], hub.cards[p]) for c, p, _ in hub.edges if {c, p} <= set(hub.cards)]
    weights = hub.weights([child for child, *_ in ends])[twin]
    for at, end in ((1, "child"), (2, "parent")):
        lengths = [len(one[at]) for one in ends]
        agrees(hub, f"card_length_{end}_mean", "", twin, lengths, weights)
        median = number(hub.study, f"card_length_{end}_median", "", twin)
        assert median.count == sum(weight > 0 for weight in weights)
        assert median.value == middle(lengths, weights)
        says = [any(phrase in one[at] for phrase in SAYS_GENERATED) for one in ends]
        agrees(hub, f"generated_share_{end}", "", twin, says, weights)
    rises = [
        any(phrase in child for phrase in SAYS_GENERATED)
        - any(phrase in parent for phrase in SAYS_GENERATED)
        for _, child, parent in ends
    ]
    agrees(hub, "generated_rise", "", twin, rises, weights)
    ratios = [math.log2(len(c) / len(p)) if c and p else 0.0 for _, c, p in ends]
    both = [w * bool(c and p) for w, (_, c, p) in zip(weights, ends, strict=True)]
    agrees(hub, "card_length_log2_ratio", "", twin, ratios, both)


def middle(values, weights):
    """The least value with half of the weight at or below it."""
    risen, half = 0.0, sum(weights) / 2
    for one, weight in sorted(zip(values, weights, strict=True)):
        risen += weight
        if weight and risen >= half * (1 - 1e-12):
            return one
    return None


# --- intervals: a bootstrap written out ---


def families(edges):
    """By model, which weak component it is in."""
    at = {}
    for child, parent, _ in edges:
        ends = at.setdefault(child, {child}), at.setdefault(parent, {parent})
        if ends[0] is not ends[1]:
            small, large = sorted(ends, key=len)
            large |= small
            at.update(dict.fromkeys(small, large))
    return {name: min(members) for name, members in at.items()}


def plain_bootstrap(top, bottom, clusters, rng, draws=1_500):
    """Σ top / Σ bottom where whole clusters are drawn, one by one, again and again."""
    names = sorted(set(clusters))
    sums = np.zeros((len(names), 2))
    at = {name: place for place, name in enumerate(names)}
    for one, above, below in zip(clusters, top, bottom, strict=True):
        sums[at[one]] += above, below
    drawn = [sums[rng.integers(0, len(names), len(names))].sum(axis=0) for _ in range(draws)]
    return np.array([above / below for above, below in drawn if below])


def cuts_tails(found, drawn, most=0.025 + 4 * 0.0078):
    """Each end leaves 2.5 % of draws beyond it, give or take four deviations of 400 replicates."""
    for outside, reached in (
        (drawn < found.low - 1e-12, drawn <= found.low + 1e-12),
        (drawn > found.high + 1e-12, drawn >= found.high - 1e-12),
    ):
        assert outside.mean() <= most, found
        assert reached.mean() >= 0.002, found


def holds(found, top, bottom, clusters):
    """The interval is that of the clusters it names; those of no other vary clearly more."""
    rng = np.random.default_rng(1)
    drawn = {name: plain_bootstrap(top, bottom, of, rng) for name, of in clusters.items()}
    cuts_tails(found, drawn[found.resampled])
    widths = {name: np.ptp(np.percentile(one, [2.5, 97.5])) for name, one in drawn.items()}
    assert max(widths.values()) <= 1.25 * widths[found.resampled], found


@pytest.mark.parametrize("trait", ["task", "license", "tag"])
def test_intervals_of_rates(hub, trait):
    edges, family = hub.compared(trait), families(hub.edges)
    weighed = hub.weights([edge.child for edge in edges])
    clusters = {
        "owner": [hub.owner[edge.child] for edge in edges],
        "family": [family[edge.child] for edge in edges],
    }
    for twin in TWINS:
        weights = weighed[twin]
        top = [w * edge.distance for w, edge in zip(weights, edges, strict=True)]
        found = number(hub.study, "mutation_rate", trait, twin)
        # of fewer than ten that have a part there is none
        has_part = {
            name: len({one for one, w in zip(of, weights, strict=True) if w}) >= 10
            for name, of in clusters.items()
        }
        assert (found.low is None) == (not any(has_part.values()))
        if found.low is not None:
            holds(found, top, weights, {n: of for n, of in clusters.items() if has_part[n]})


def test_intervals_of_card_shares(hub):
    weights = hub.weights(hub.asked)
    owners = [hub.owner[one] for one in hub.asked]
    for twin in ("raw", "owner_capped"):
        top = [w * (one in hub.cards) for w, one in zip(weights[twin], hub.asked, strict=True)]
        found = number(hub.study, "card_share", "", twin)
        holds(found, top, weights[twin], {"owner": owners})


@pytest.mark.parametrize("trait", ["license", "size_class", "language"])
def test_intervals_of_forward_shares(hub, trait):
    found = number(hub.study, "forward_share", trait)
    told = f"from drift_order where trait = '{trait}' and twin = 'raw'"
    place = dict(rows(hub.study, f"select value, position {told}"))
    top, bottom = Counter(), Counter()
    for edge in hub.compared(trait):
        for (a, b), each in edge.pairs("raw", is_set=True):
            if a in place and b in place:
                top[hub.owner[edge.child]] += each * (place[a] < place[b])
                bottom[hub.owner[edge.child]] += each
    assert (found.low is None) == (len(bottom) < 10)
    if found.low is not None:
        holds(found, [top[one] for one in bottom], bottom.values(), {"owner": list(bottom)})


@pytest.mark.parametrize("end", ["child", "parent"])
def test_intervals_of_medians(hub, end):
    """Woodruff's ends lie where medians of drawn clusters do."""
    ends = [(c, p) for c, p, _ in hub.edges if {c, p} <= set(hub.cards)]
    found = number(hub.study, f"card_length_{end}_median")
    assert (found.low is None) == (not ends)
    if not ends:
        return
    lengths = [len(hub.cards[one[end == "parent"]]) for one in ends]
    family = families(hub.edges)
    cluster = [hub.owner[c] if found.resampled == "owner" else family[c] for c, _ in ends]
    members = defaultdict(list)
    for length, one in zip(lengths, cluster, strict=True):
        members[one].append(length)
    groups = [members[one] for one in sorted(members)]
    rng, medians = np.random.default_rng(2), []
    for _ in range(1_500):
        drawn = rng.integers(0, len(groups), len(groups))
        medians.append(np.median(np.concatenate([groups[at] for at in drawn])))
    cuts_tails(found, np.array(medians), most=0.1)  # Woodruff's are no percentiles of medians
