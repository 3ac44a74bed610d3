-- A repo that is not as the build before knew it: that a new answer is about, that has another
-- record, name or fate now, or that names one of these as its base, in whatever case or, where
-- it had none once, without owner.
-- Grain: repo_id
-- Source: landing.answer, landing.look, and what landing keeps of the relations settled before
-- Kind: temporary
with other_latest as (
    (from latest except from landing.latest)
    union all
    (from landing.latest except from latest)
),
other_alias as (
    (from alias except from landing.alias)
    union all
    (from landing.alias except from alias)
),
other_tombstone as (
    (from tombstone except from landing.tombstone)
    union all
    (from landing.tombstone except from tombstone)
),
other_withheld_repo as (
    (from withheld_repo except from landing.withheld_repo)
    union all
    (from landing.withheld_repo except from withheld_repo)
),
other_local_folder as (
    (from local_folder except from landing.local_folder)
    union all
    (from landing.local_folder except from local_folder)
),
renamed as (
    select old_id as repo_id from other_alias
    union
    select repo_id from other_alias
    union
    select repo_id from other_latest
    union
    select old_id as repo_id from alias where repo_id in (select repo_id from other_latest)
),
-- what may now be meant by a declared name: see base_model_name
other_meaning as (
    select lower(repo_id) as lower_id from renamed
    union
    select old_id as lower_id from ownerless_name where repo_id in (select repo_id from renamed)
),
changed as (
    select repo_id from renamed
    union
    select repo_id from other_tombstone
    union
    select repo_id from other_withheld_repo
    union
    select repo_id from other_local_folder
    union
    select repo_id from landing.answer where raw_file in (select name from fresh)
    union
    select repo_id from landing.look where raw_file in (select name from fresh)
    union
    select child_id as repo_id
    from base_model_evidence
    where evidence <> 'name' and lower(parent_id) in (select lower_id from other_meaning)
)
select repo_id
from changed
where repo_id is not null
