-- Which families got the most new members lately?
-- Params:
--   $days 30: a member is new that was created in so many days before the newest look
--   $limit 20: rows at most
-- Caveat: a member made and deleted between two crawls is not counted.
with fresh as (
    select repo_id
    from model
    where created_at > (select data_as_of - to_days($days) from build)
),
growth as (
    select family_member.family_id, count(*) as new_member_count
    from family_member
    join fresh using (repo_id)
    group by family_member.family_id
)
select
    family_id,
    growth.new_member_count,
    family.member_count,
    growth.new_member_count / family.member_count as new_member_share
from growth
join family using (family_id)
where family.member_count > 1
order by growth.new_member_count desc, new_member_share desc, family_id
limit $limit
