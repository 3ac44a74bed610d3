-- Which licences change into which from a base model to what is made of it?
-- Params:
--   $limit 30: rows at most
-- Caveat: licences as declared, not as they bind. owner_count says how many owners stand behind the
-- edges: bulk uploaders weigh much. edge_share is of all edges whose parent has that licence and
-- whose child declares one.
-- Ref: Laufer, Oderinwa, Kleinberg, "Anatomy of a Machine Learning Ecosystem" (2025)
with pair as (
    select
        parent_license,
        child_license,
        count(*) as edge_count,
        count(distinct child_author) as owner_count
    from edge_license
    group by parent_license, child_license
),
shared as (
    select *, edge_count / sum(edge_count) over (partition by parent_license) as edge_share
    from pair
)
select parent_license, child_license, edge_count, owner_count, edge_share
from shared
where parent_license <> child_license
order by edge_count desc, parent_license, child_license
limit $limit
