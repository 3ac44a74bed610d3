-- A family: all models that declared base models connect, however far (a weak component). A model
-- that nobody's declaration touches is a family of one.
-- Grain: family_id
-- Source: family_member, model, base_model_edge
-- Ref: Laufer, Oderinwa, Kleinberg, "Anatomy of a Machine Learning Ecosystem: 2 Million Models on
-- Hugging Face" (2025)
-- Columns:
--   family_id: the root of its largest tree, which names the family
--   member_count: its models, ghosts too
--   known_count: its models that a listing held
--   edge_count: base_model_edges within it
--   root_ids: its models without parents outside their cycle, sorted
--   depth: longest generation of its members; 0 for a family of one
--   cycle_count: cycles of declarations in it
--   downloads_30d: sum of model.downloads_30d over its members; unknown ones count as 0
-- References:
--   family_id -> model(repo_id)
with edge as (
    select members.family_id, count(*) as edge_count
    from base_model_edge
    join members on members.repo_id = base_model_edge.child_id
    group by members.family_id
),
tied_family as (
    select
        member.family_id,
        count(*) as member_count,
        count(*) filter (where member.known) as known_count,
        any_value(edge.edge_count) as edge_count,
        list(member.repo_id order by member.repo_id) filter (where member.is_root) as root_ids,
        max(member.generation) as depth,
        count(distinct member.cycle_id) as cycle_count,
        least(coalesce(sum(member.downloads_30d), 0), 9223372036854775807)::bigint
            as downloads_30d
    from members as member
    join edge using (family_id)
    group by member.family_id
)
select
    family_id,
    member_count,
    known_count,
    edge_count,
    root_ids,
    depth,
    cycle_count,
    downloads_30d
from tied_family
union all
-- most models are families of one, and need no counting
select
    family_id,
    1 as member_count,
    known::bigint as known_count,
    0 as edge_count,
    [repo_id] as root_ids,
    0 as depth,
    0 as cycle_count,
    coalesce(downloads_30d, 0) as downloads_30d
from members
where family_size = 1
order by member_count desc, family_id
