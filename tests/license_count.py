"""Numbers of the analysis of licences, slowly: plain loops over rows of a laid-out study.

Nothing is taken from the analysis but its rule table and the walk of `license_walk`. It reads plain
licence ids in tags alone, and no cycles: what the recording of 2026 has.
"""

from collections import Counter, defaultdict
from statistics import fmean

from license_walk import KINDS, TABLE, slow_spread

from analysis.licenses.chain import explain

CLASSES = (
    *("permissive", "weak copyleft", "copyleft", "use-restricted", "named terms"),
    *("non-commercial", "no-derivatives", "research-only"),
)
CHARGES = ("kept", "unknown", "unclear", "conflict")
RELATIONS = ("finetune", "adapter", "quantized", "merge", "unknown")
TWINS = ("raw", "owner_capped", "no_bulk", "dated")
ROOTS = 20
COLUMNS = (
    *("id", "known", "owner", "is_bulk", "is_dated", "generation"),
    *("downloads", "created_at", "license"),
)
NODES = """
select repo_id, known, owner, is_bulk, is_dated, generation, downloads_30d, created_at, license
from node
order by generation, repo_id
"""
EDGES = """
select c.repo_id, p.repo_id, relation
from kin
join node as c on c.node = child
join node as p on p.node = parent
order by edge
"""


class SlowCount:
    """All of it: ``shares`` by (measure, subject, twin) and ``points`` by (series, subject, twin,
    x); each a value, or None, and how many rows it rests on.
    """

    def __init__(self, db):
        rows = [dict(zip(COLUMNS, row, strict=True)) for row in db.execute(NODES).fetchall()]
        self.nodes = {row["id"]: row for row in rows}
        self.edges = db.execute(EDGES).fetchall()
        self.shares, self.points = {}, {}
        parents = {name: [] for name in self.nodes}
        for child, parent, relation in self.edges:
            parents[child].append((parent, relation))
        said = {name: row["license"] for name, row in self.nodes.items()}
        said = {name: one if one in TABLE else None for name, one in said.items()}
        owners = {name: row["owner"] for name, row in self.nodes.items()}
        self.said, self.parents = said, parents
        self.derived = [name for name in self.nodes if parents[name]]
        self.reached, self.edge_charge, self.above = slow_spread(said, owners, parents)
        self.count_classes()
        self.count_drift()
        self.count_charges()
        self.count_duties_and_roots()
        self.count_datasets(db)

    def license_class(self, name):
        license_id = self.nodes[name]["license"]
        if license_id is None:
            return "none"
        return TABLE[license_id]["class"] if license_id in TABLE else "unknown"

    def weights(self, names):
        """By twin, of rows that are made by these models."""
        rows = [self.nodes[name] for name in names]
        sizes = Counter(row["owner"] for row in rows)
        return {
            "raw": [1.0 for _ in rows],
            "owner_capped": [min(1.0, 10 / sizes[row["owner"]]) for row in rows],
            "no_bulk": [0.0 if row["is_bulk"] else 1.0 for row in rows],
            "dated": [1.0 if row["is_dated"] else 0.0 for row in rows],
        }

    def share(self, measure, parts, weights, among=None):
        """Of rows and their parts, booleans by subject; ``among`` are the rows that count."""
        for twin, all_weights in weights.items():
            kept = [(w, at) for at, w in enumerate(all_weights) if among is None or among[at]]
            whole, count = sum(w for w, _ in kept), sum(w != 0 for w, _ in kept)
            for subject, part in parts.items():
                value = sum(w for w, at in kept if part[at]) / whole if whole else None
                self.shares[measure, subject, twin] = value, count

    def downloads(self, names, weights):
        got = [self.nodes[name]["downloads"] or 0 for name in names]
        return {
            twin: [w * d for w, d in zip(one, got, strict=True)] for twin, one in weights.items()
        }

    def count_classes(self):
        names = [name for name, row in self.nodes.items() if row["known"]]
        classes = [self.license_class(name) for name in names]
        weights = self.weights(names)
        every = (*CLASSES, "unknown", "none")
        parts = {one: [c == one for c in classes] for one in every}
        self.share("class_share", parts, weights)
        self.share("class_download_share", parts, self.downloads(names, weights))
        made = [self.nodes[name]["created_at"] for name in names]
        months = [
            12 * at.year + at.month - 1 if at and self.nodes[name]["is_dated"] else None
            for name, at in zip(names, made, strict=True)
        ]
        generations = [self.nodes[name]["generation"] for name in names]
        for series, xs in {"class_by_month": months, "class_by_generation": generations}.items():
            for twin in ("raw", "no_bulk"):
                cells, wholes = Counter(), Counter()
                for x, one, weight in zip(xs, classes, weights[twin], strict=True):
                    cells[x, one] += weight
                    wholes[x] += weight
                for x, whole in wholes.items():
                    for one in every if whole and x is not None else ():
                        self.points[series, one, twin, x] = cells[x, one] / whole, int(whole)

    def count_drift(self):
        told = [
            (child, relation, CLASSES.index(self.license_class(child)) - rank, rank)
            for child, parent, relation in self.edges
            if {self.license_class(child), self.license_class(parent)} <= set(CLASSES)
            for rank in [CLASSES.index(self.license_class(parent))]
        ]
        weights = self.weights([child for child, *_ in told])
        steps = [step for _, _, step, _ in told]
        for only in ("", *RELATIONS):
            among = [not only or relation == only for _, relation, _, _ in told]
            suffix = f", {only}" if only else ""
            parts = {
                f"looser{suffix}": [step < 0 for step in steps],
                f"same{suffix}": [step == 0 for step in steps],
                f"stricter{suffix}": [step > 0 for step in steps],
            }
            self.share("drift_share", parts, weights, among)
            moved = [at for at, step in enumerate(steps) if step and among[at]]
            for twin in TWINS:
                whole = sum(weights[twin][at] for at in moved)
                net = sum(weights[twin][at] * (1 if steps[at] < 0 else -1) for at in moved)
                count = sum(weights[twin][at] != 0 for at in moved)
                self.shares["drift_asymmetry", only, twin] = (net / whole if whole else None, count)
        ends = [(rank, rank + step) for _, _, step, rank in told]
        loose, strict = CLASSES.index("permissive"), CLASSES.index("use-restricted")
        self.share(
            "turn_share",
            {"permissive to restricted": [child >= strict for _, child in ends]},
            weights,
            [parent == loose for parent, _ in ends],
        )
        self.share(
            "turn_share",
            {"restricted to permissive": [child == loose for _, child in ends]},
            weights,
            [parent >= strict for parent, _ in ends],
        )

    def count_charges(self):
        self.worst = worst = {name: int(self.above[name]) for name in self.nodes}
        dropping = defaultdict(bool)
        for (name, _, _), (_, charge, drop, _) in self.reached.items():
            worst[name] = max(worst[name], charge)
            dropping[name] |= charge == 3 and drop is not None and drop[1] == name
        weights = self.weights(self.derived)
        parts = by_charge([worst[name] for name in self.derived])
        self.share("model_charge_share", parts, weights)
        self.share("exposure", parts, self.downloads(self.derived, weights))
        parts = by_charge([self.edge_charge[child, parent] for child, parent, _ in self.edges])
        self.share("edge_charge_share", parts, self.weights([child for child, *_ in self.edges]))
        charged = sorted({name for (name, _, _), found in self.reached.items() if found[1] == 3})
        own = [dropping[name] for name in charged]
        parts = {"drop it themselves": own, "inherit the drop": [not one for one in own]}
        self.share("first_drop_share", parts, self.weights(charged))
        for generation in {self.nodes[name]["generation"] for name in self.derived}:
            here = [n for n in self.derived if self.nodes[n]["generation"] == generation]
            for at, charge in enumerate(CHARGES):
                y = fmean(worst[name] == at for name in here)
                self.points["charge_by_generation", charge, "raw", generation] = y, len(here)

    def count_duties_and_roots(self):
        by_duty, by_root = defaultdict(dict), defaultdict(dict)
        for (name, kind, origin), (_, charge, _, _) in self.reached.items():
            for found, key in ((by_duty, kind), (by_root, self.said[origin])):
                found[key][name] = max(found[key].get(name, 0), charge)
        most = sorted(by_root, key=lambda root: (-len(by_root[root]), root))[:ROOTS]
        told = [("duty", kind, by_duty[kind]) for kind in KINDS]
        for measure, subject, found in [*told, *(("root", root, by_root[root]) for root in most)]:
            weights = self.weights(found)
            charges = by_charge(list(found.values()))
            parts = {f"{subject}, {charge}": part for charge, part in charges.items()}
            self.share(f"{measure}_charge_share", parts, weights)
            self.share(f"{measure}_exposure", parts, self.downloads(found, weights))

    def count_datasets(self, db):
        """Of which no licence is known: nobody has told any."""
        pairs = db.execute(
            "select distinct repo_id, dataset_id from main.model_dataset order by all"
        ).fetchall()
        self.declared = defaultdict(list)
        for name, dataset in pairs:
            self.declared[name].append(dataset)
        self.datasets = sorted({dataset for _, dataset in pairs})
        every = len(self.declared)
        parts = {"some unknown": [True] * every, "all known": [False] * every}
        self.share("dataset_license_share", parts, self.weights(list(self.declared)))
        counts = {
            "datasets": len(self.datasets),
            "datasets of known licence": 0,
            "declarations": len(pairs),
            "models in question": 0,
        }
        for subject, count in counts.items():
            self.shares["dataset_count", subject, "raw"] = count, count
        self.shares["origin_cut_count", "", "raw"] = 0, 0


def by_charge(charges):
    return {name: [charge == at for charge in charges] for at, name in enumerate(CHARGES)}


def assert_chains_are_conflicts(study, *, most):
    """What one model's chain tells is what the study keeps of it."""
    columns = "child_id, obligation, origin_id, hops, verdict, drop_child_id, may_be_earlier"
    rows = study.db.execute(f"select {columns} from license_conflict order by all").fetchall()
    assert rows
    for child in sorted({row[0] for row in rows})[:most]:
        duties = [
            tuple(duty[name] for name in columns.split(", "))
            for duty in explain(study.db, child).duties
            if duty["verdict"] in {"conflict", "unclear"}
        ]
        assert sorted(duties, key=str) == sorted((r for r in rows if r[0] == child), key=str)
