-- An owner whose repos were made by a program rather than one by one: a burst of a hundred in one
-- day, or hundreds of one shape. Robust twins of a study leave its models and edges out.
-- Creation times before March 2022 are not known and make no burst.
-- Grain: owner
-- Source: model, base_model_edge
-- Ref: Laufer, Oderinwa, Kleinberg, "Anatomy of a Machine Learning Ecosystem: 2 Million Models on
-- Hugging Face" (2025) notes that bulk uploads dominate its counts; the rule is our own.
-- Columns:
--   owner: owner of the repos; of a repo without one, its name
--   repo_count: its repos, without ghosts
--   busiest_day_count: most of its repos that one UTC day saw made; 0 where no creation is known
--   shape_share: share of its repos that have its most frequent shape: relation to a base model,
--     library and task taken together
--   reason: burst (a hundred in a day), shape (two hundred, nine in ten of one shape), or both
with own as (
    select
        owner_name as owner,
        node,
        case when is_dated then created_at::date end as day,
        coalesce(library_name, '') as library_name,
        coalesce(pipeline_tag, '') as pipeline_tag
    from node_trait
    where known
),
large as (
    select owner, count(*) as repo_count
    from own
    group by owner
    having count(*) >= 100
),
related as (
    select child, min(relation) as relation from kin group by child
),
shape as (
    select owner, max(repo_count) as shape_count
    from (
        select
            own.owner,
            coalesce(related.relation, '') as relation,
            own.library_name,
            own.pipeline_tag,
            count(*) as repo_count
        from own
        left join related on related.child = own.node
        where own.owner in (select owner from large)
        group by all
    )
    group by owner
),
busy as (
    select owner, max(repo_count) as busiest_day_count
    from (
        select owner, day, count(*) as repo_count
        from own
        where day is not null and owner in (select owner from large)
        group by owner, day
    )
    group by owner
),
judged as (
    select
        large.owner,
        large.repo_count,
        coalesce(busy.busiest_day_count, 0) as busiest_day_count,
        shape.shape_count / large.repo_count as shape_share,
        coalesce(busy.busiest_day_count, 0) >= 100 as is_burst,
        large.repo_count >= 200 and shape.shape_count / large.repo_count >= 0.9 as is_shape
    from large
    join shape using (owner)
    left join busy using (owner)
)
select
    owner,
    repo_count,
    busiest_day_count,
    shape_share,
    case when is_burst and is_shape then 'both' when is_burst then 'burst' else 'shape' end
        as reason
from judged
where is_burst or is_shape
order by repo_count desc, owner
