-- What share of the models made each month declares a base model?
-- Caveat: all repos older than March 2022 carry the second of 2022-03-02 as creation.
with child as (
    select distinct child_id
    from base_model_edge
)
select
    date_trunc('month', model.created_at)::date as created_month,
    count(*) as model_count,
    count(child.child_id) as declared_count,
    count(child.child_id) / count(*) as declared_share
from model
left join child on child.child_id = model.repo_id
where model.known
group by created_month
order by created_month
