"""What licences ask along a lineage, slowly: each path is walked, and licences are plain ids."""

import csv
from collections import defaultdict
from importlib import resources

KINDS = (
    *("share_alike", "use_restrictions", "non_commercial"),
    *("research_only", "no_derivatives", "naming"),
)


def table():
    with (resources.files("analysis") / "license_rules.csv").open(encoding="utf-8") as file:
        return {row["license"]: row for row in csv.DictReader(file)}


TABLE = table()


def slow_verdict(kind, origin, child, name):  # noqa: PLR0911
    """Of plain licences only; child is None where it is not known."""
    if kind == "no_derivatives":
        return 3
    if kind == "naming":
        wanted, plain = TABLE[origin]["naming"].lower(), name.split("/")[-1].lower()
        return 0 if plain.startswith(wanted) else 2 if wanted in plain else 3
    if child is None or TABLE[child]["class"] == "unknown":
        return 1
    own = TABLE[child]
    if child == origin:
        return 0
    if kind in {"share_alike", "use_restrictions"}:
        if child in TABLE[origin]["kept_by"].split("|"):
            return 0
        return 2 if own["family"] == TABLE[origin]["family"] and own[kind] else 3
    if own[kind] == "yes" or (kind == "non_commercial" and own["research_only"] == "yes"):
        return 0
    return 2 if "unclear" in {own[kind], own["research_only"] if kind != KINDS[3] else ""} else 3


def slow_passes(kind, origin, relation):
    row = TABLE[origin]
    if relation in {"finetune", "merge"}:
        return True
    if kind == "naming" or relation == "dataset":
        return False
    if relation == "unknown":
        return row["adapter"] == row["quantized"] == "yes"
    return row[relation] == "yes"


def slow_spread(said, owner, parents):  # noqa: C901
    """What reaches each model: {(child, kind, origin): (hops, charge, drop, blind)}; and charges of
    edges. ``parents`` lists (parent, relation) by child, in an order in which parents come first.
    """
    handed, reached, edge_charge, above = defaultdict(dict), {}, {}, defaultdict(bool)

    def is_known(model):
        return said.get(model) is not None and TABLE[said[model]]["class"] != "unknown"

    for model, made_from in parents.items():
        came = defaultdict(list)
        for parent, relation in made_from:
            above[model] |= above[parent] or not is_known(parent)
            charge = 1 if above[parent] or not is_known(parent) else 0
            for (kind, origin), (paths, all_own) in handed[parent].items():
                own = all_own and owner[model] == owner[origin]
                verdict = slow_verdict(kind, said[origin], said.get(model), model)
                for hops, was_sure, drop, blind in paths:
                    sure = was_sure and slow_passes(kind, said[origin], relation)
                    came[kind, origin].append((hops + 1, sure, drop, blind, own, parent))
                    here = 2 if verdict == 3 and not sure else verdict
                    charge = max(charge, 0 if own and verdict >= 2 else here)
            edge_charge[model, parent] = charge
        for (kind, origin), paths in came.items():
            verdict = slow_verdict(kind, said[origin], said.get(model), model)
            all_own = all(path[4] for path in paths)
            if all_own and verdict >= 2:
                continue
            on = []
            for hops, sure, dropped, blind, _, parent in paths:
                drop = dropped or ((hops, model, parent) if verdict == 3 else None)
                on.append((hops, sure, drop, blind or (not drop and not is_known(model))))
            first = min((drop for _, _, drop, _ in on if drop), default=None)
            seen = [blind for _, _, drop, blind in on if drop and drop[1] == first[1]]
            charge = 2 if verdict == 3 and not any(path[1] for path in on) else verdict
            hops = min(path[0] for path in on)
            reached[model, kind, origin] = (hops, charge, first, any(seen))
            # a blind path stays apart from the drop's: what hides before a drop is the path's own
            handed[model][kind, origin] = (on, all_own)
        if said.get(model) is not None:
            for kind in KINDS:
                asked = TABLE[said[model]][kind]
                same = [o for k, o in handed[model] if k == kind and said[o] == said[model]]
                if asked and not same:
                    begun = [(0, asked != "unclear", None, False)]
                    handed[model][kind, model] = (begun, True)
    return reached, edge_charge, above
