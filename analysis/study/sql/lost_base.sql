-- A base model that is lost to a model which declares it and is there itself.
-- Grain: child_id, parent_id
-- Source: model, base_model_edge
-- Columns:
--   child_id: the model that is there
--   parent_id: the base that it declares
--   relation: what it declares: finetune, adapter, quantized, merge or unknown
--   loss: gone (deleted or private, found so when asked for), disabled (by the hub), gated (not for
--     everybody), or ghost: no listing held it. A ghost may be private, deleted, misspelt or of
--     another hub, and where a crawl took a sample it is mostly a model outside that
--   is_load_time: whether it is a base that the child loads with (adapter), so that the child is
--     broken; what else was made from a lost base is there still, but could not be made again
--   kept_base_count: bases that the child declares beside it and that are not lost
-- References:
--   child_id -> model(repo_id)
--   parent_id -> model(repo_id)
--   child_id, parent_id -> base_model_edge
select
    child.repo_id as child_id,
    parent.repo_id as parent_id,
    kin.relation,
    loss.loss,
    kin.relation = 'adapter' as is_load_time,
    count(*) filter (where loss.loss is null) over (partition by kin.child) as kept_base_count
from kin
join node as child on child.node = kin.child and child.known and child.gone_at is null
join node as parent on parent.node = kin.parent
left join loss on loss.node = kin.parent
qualify loss.loss is not null
order by child_id, parent_id
