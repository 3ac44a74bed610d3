"""Traffic between the values of a trait: what was lost on an edge, and what was gained instead.

An edge that lost l values and gained g sends 1 / (l·g) from each lost value to each gained one, so
that it weighs 1 at most however many values changed; one that only lost or only gained sends
nothing. A single value that stayed is traffic from itself to itself; of sets that is left out.
So of a single-valued trait the traffic between different values, as a share of all, is its mutation
rate. Of each trait the `VALUES` values with most traffic are told, in any twin.

The twin ``study_counting`` counts as the published study does: each lost value to each gained one
weighs 1, and an edge that changed a single value weighs 2.

Source: Laufer, Oderinwa, Kleinberg, "Anatomy of a Machine Learning Ecosystem" (2025).
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from analysis.study.measures import Study
from analysis.study.twins import TWINS
from analysis.traits.edges import Compared, Edges
from analysis.traits.values import Trait

VALUES = 100
STUDY_COUNTING = "study_counting"
COUNTINGS = (*TWINS, STUDY_COUNTING)
BEGIN = f"""
create or replace temp table trait_traffic (
    trait varchar, owner bigint, parent_value varchar, child_value varchar, edge_count bigint,
    dated_count bigint, observed_count bigint, {", ".join(f"{name} double" for name in COUNTINGS)}
)
"""
# Values by how much traffic they have at either end, then by how many edges hold them. Rounded, as
# the order in which floats are summed would else decide between equals.
BUSIEST = """
create or replace temp table busiest as
with moved as (
    select
        code,
        {totals},
        count(*) as held
    from carried
    join edge_weight using (edge)
    group by code
)
select code, value
from moved
join spelling using (code)
qualify {among}
"""
TOTAL = """
        round(sum(case
            when in_child and in_parent or lost = 0 or gained = 0 then 0
            else {twin} * {pairs} / if(in_parent, lost, gained)
        end), 9) as {twin}"""
AMONG = "row_number() over (order by {twin} desc, held desc, value) <= {values}"
MOVED = """
insert into trait_traffic
with pair as (
    select edge, gone.code as parent_code, come.code as child_code
    from carried as gone
    join carried as come using (edge)
    where gone.in_parent and not gone.in_child and come.in_child and not come.in_parent
        and gone.code in (select code from busiest) and come.code in (select code from busiest)
    union all
    select edge, code as parent_code, code as child_code
    from carried
    where {stays} and in_parent and in_child and code in (select code from busiest)
),
counted as (
    select
        owner,
        parent_code,
        child_code,
        count(*) as edge_count,
        count_if(dated > 0) as dated_count,
        count_if(is_observed) as observed_count,
        {sums}
    from pair
    join edge_weight using (edge)
    group by owner, parent_code, child_code
)
select
    '{trait}' as trait, owner, before.value, after.value, edge_count, dated_count, observed_count,
    {names}
from counted
join busiest as before on before.code = parent_code
join busiest as after on after.code = child_code
"""


def begin_traffic(study: Study) -> None:
    """Make an empty ``trait_traffic``: trait, owner, parent_value, child_value, counts and traffic.

    ``edge_count`` is of all edges, ``dated_count`` of those of the dated twin, ``observed_count``
    of those whose parent's value is of a look by the child's creation; then traffic by twin.
    """
    study.db.execute(BEGIN)


def add_traffic(study: Study, trait: Trait, compared: Compared, edges: Edges) -> None:
    """Add one trait, whose values are laid out in ``carried`` and ``spelling``."""
    study.db.register("edge_weight", _weights(compared, edges))
    totals = ",".join(TOTAL.format(twin=name, pairs=_pairs(name)) for name in COUNTINGS)
    among = " or ".join(AMONG.format(twin=name, values=VALUES) for name in COUNTINGS)
    study.db.execute(BUSIEST.format(totals=totals, among=among))
    divided = [f"sum({name} / greatest(lost * gained, 1)) as {name}" for name in TWINS]
    study.db.execute(
        MOVED.format(
            trait=trait.name,
            stays="false" if trait.is_set else "true",
            sums=", ".join([*divided, f"sum({STUDY_COUNTING}) as {STUDY_COUNTING}"]),
            names=", ".join(COUNTINGS),
        )
    )
    study.db.unregister("edge_weight")


def keep_traffic(study: Study) -> None:
    """Keep ``trait_transition``."""
    study.keep("trait_transition")


def _pairs(twin: str) -> str:
    return "lost * gained" if twin == STUDY_COUNTING else "1"


def _weights(compared: Compared, edges: Edges) -> pa.Table:
    """Of each edge its owner, what it lost and gained, and by twin what each pair weighs."""
    at = compared.edge
    single = (compared.lost == 1) & (compared.gained == 1)
    return pa.table(
        {
            "edge": at,
            "owner": edges.owner[at],
            "lost": compared.lost,
            "gained": compared.gained,
            "is_observed": compared.is_observed,
            **edges.weights(at),
            STUDY_COUNTING: np.where(single, 2.0, 1.0),
        }
    )
