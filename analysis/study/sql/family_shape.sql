-- The shape of a family of two or more: how deep, how broad, how far its members are apart.
-- Distances run along declared edges in either direction. A tree is what primary parents span;
-- merges tie several into one family, and the largest, whose root names the family, stands here.
-- Grain: family_id
-- Source: model, base_model_edge, analysis/structure/shapes.py
-- Ref: Goel, Anderson, Hofman, Watts, "The Structural Virality of Online Diffusion", Management
-- Science 62 (2016), for the mean distance as structural virality.
-- Columns:
--   family_id: root of the family's largest tree
--   member_count: its models, ghosts too
--   known_count: its models without ghosts
--   edge_count: declared edges within it
--   owner_count: owners of its known models
--   bulk_share: share of its known models whose owner uploads in bulk (bulk_uploader), 0 to 1
--   first_created_at: UTC time when its first model was made, of those whose creation is known;
--     null where none is
--   last_created_at: UTC time when its last was made; null as before
--   dated_count: its models whose creation is known
--   depth: generations below the roots; the longest path, in edges
--   breadth: models in its widest generation
--   widest_generation: that generation; of two, the earlier
--   max_child_count: most models that name one and the same as base
--   leaf_share: share of its models that nobody names as base, 0 to 1
--   tree_count: trees that primary parents span
--   tree_member_count: models of the largest tree
--   wiener_index: sum of the distances of all pairs in the largest tree, in edges
--   tree_mean_distance: mean distance of two models of the largest tree, in edges
--   mean_distance: mean distance of two models of the family, in edges
--   mean_distance_low: lower end of its 95 % interval; null where it is exact
--   mean_distance_high: upper end of it
--   source_count: models from which distances were taken where they are a sample; null where the
--     mean is exact
-- References:
--   family_id -> model(repo_id)
with member as (
    select node, family, generation, root, known, owner, is_bulk, is_dated, created_at
    from node
    where family_size >= 2
),
told as (
    select
        family,
        count(*) as member_count,
        count(*) filter (known) as known_count,
        count(distinct owner) filter (known) as owner_count,
        count(*) filter (known and is_bulk) / count(*) filter (known) as bulk_share,
        min(created_at) filter (is_dated) as first_created_at,
        max(created_at) filter (is_dated) as last_created_at,
        count(*) filter (is_dated) as dated_count,
        max(generation) as depth,
        count(distinct root) as tree_count
    from member
    group by family
),
width as (
    select family, generation, count(*) as width
    from member
    group by family, generation
),
widest as (
    select family, generation, width
    from width
    qualify row_number() over (partition by family order by width desc, generation) = 1
),
bearing as (
    select parent, count(*) as child_count
    from kin
    group by parent
),
borne as (
    select
        member.family,
        sum(child_count) as edge_count,
        max(child_count) as max_child_count,
        count(*) as bearing_count
    from bearing
    join member on member.node = bearing.parent
    group by member.family
)
select
    root.repo_id as family_id,
    told.member_count,
    told.known_count,
    borne.edge_count::bigint as edge_count,
    told.owner_count,
    told.bulk_share,
    told.first_created_at,
    told.last_created_at,
    told.dated_count,
    told.depth,
    widest.width as breadth,
    widest.generation as widest_generation,
    borne.max_child_count,
    1 - borne.bearing_count / told.member_count as leaf_share,
    told.tree_count,
    apart.tree_member_count,
    apart.wiener_index,
    apart.tree_mean_distance,
    apart.mean_distance,
    apart.mean_distance_low,
    apart.mean_distance_high,
    apart.source_count
from told
join node as root on root.node = told.family
join widest on widest.family = told.family
join borne on borne.family = told.family
join family_shape_rows as apart on apart.family = told.family
order by told.member_count desc, family_id
