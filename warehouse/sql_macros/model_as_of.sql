-- What was known of each repo at a time: its newest look at or before ts, under the name that it
-- had in it, and what has become of it since.
-- A repo that was first seen later has no row, though it may have been there. Of a name that passed
-- from one repo to another the newer holder has it. What looks do not keep (tags, files, cards) has
-- no column here, and ghosts have no row. A null says that the hub did not tell.
-- Grain: repo_id
-- Source: model_observation, answer, alias, model
-- Parameters: ts
-- Columns:
--   repo_id: the name that the repo had at that look
--   known: always true, as in model for what is no ghost
--   hub_id: the Hub's `_id`, which a rename does not change; the repo_id where the hub gave none
--   author: owner, by the name at that look; null where it has none
--   created_at: UTC time of creation; null where the repo is in model no more under its hub_id
--   commit_sha: newest commit of its main branch at that look
--   last_modified_at: UTC time of the last change of the repo, as told at that look
--   downloads_30d: downloads in the 30 days before that look, as the Hub counts
--   downloads_all_time: downloads since its creation up to that look
--   likes_count: likes at that look
--   trending_score: the Hub's score of that day
--   gated: false, or by whom access was granted: auto, manual
--   is_private: false, for what is private is not taken in; null where the hub did not tell
--   is_disabled: whether the Hub had disabled it
--   license: licence that its tags, else its cardData declared; null where none was
--   base_models: ids that its tags declared as base, sorted; null where the look gave no tags
--   sweep_id: pass over the listing that the look was part of
--   first_seen_at: UTC time of the first look at it, under any name
--   last_seen_at: UTC time of that newest look
--   look_age_days: days from that look to ts
--   gone_at: when a probe, by ts, told that it is gone, disabled or gated; null where none had
--   gone_reason: gone, disabled or gated, as that probe told
--   name_now: its name at present; null where another repo has taken its place
--   is_vanished: whether it has been found gone, disabled, gated or replaced since ts
--   vanished_at: UTC time when that was noticed; null where it has not vanished or was replaced
--   vanished_reason: gone, disabled, gated, or replaced: its name is another repo's; null where it
--     has not vanished
with newest as (
    select
        hub_id,
        min(observed_at) as first_seen_at,
        max(observed_at) as observed_at
    from main.model_observation
    where observed_at <= cast(ts as timestamp)
    group by hub_id
),
probed as (
    select
        repo_id,
        max(fetched_at) as probed_at,
        arg_max(
            case
                when failure = 'access' then 'gated'
                when failure = 'gone' or status in (401, 404, 410) then 'gone'
                when status in (403, 451) then 'disabled'
                when failure = 'moved' then 'moved'
                else 'there'
            end,
            (fetched_at, raw_file, position)
        ) as judgement
    from main.answer
    where facet = 'probe' and repo_id is not null and fetched_at <= cast(ts as timestamp)
    group by repo_id
),
-- as tombstone has it: a later look under the name, at whichever repo, takes back what a probe told
seen as (
    select repo_id, max(observed_at) as last_at
    from main.model_observation
    where observed_at <= cast(ts as timestamp) and repo_id in (select repo_id from probed)
    group by repo_id
),
probe as (
    select probed.repo_id, probed.probed_at, probed.judgement
    from probed
    join seen on seen.repo_id = probed.repo_id and seen.last_at <= probed.probed_at
),
redirected as (
    select probe.repo_id
    from probe
    join main.alias on alias.old_id = probe.repo_id
    join main.model as target on target.repo_id = alias.repo_id
    where probe.judgement = 'moved' and target.first_seen_at <= cast(ts as timestamp)
),
look as materialized (
    select
        o.repo_id,
        o.hub_id,
        o.hub_id = o.repo_id or starts_with(o.hub_id, 'local-') as is_nameless,
        newest.first_seen_at,
        o.observed_at,
        o.sweep_id,
        o.commit_sha,
        o.last_modified_at,
        o.downloads_30d,
        o.downloads_all_time,
        o.likes_count,
        o.trending_score,
        o.gated,
        o.is_private,
        o.is_disabled,
        o.license,
        o.base_models
    from main.model_observation as o
    join newest using (hub_id, observed_at)
    where o.repo_id not in (select repo_id from redirected)
),
-- only what is there twice has to be put in order
doubled as (
    select hub_id from look group by hub_id having count(*) > 1
),
contested as (
    select repo_id from look group by repo_id having count(*) > 1
),
loser as (
    select repo_id, hub_id
    from look
    where hub_id in (select hub_id from doubled)
    qualify row_number() over (partition by hub_id order by repo_id desc) > 1
    union all
    select repo_id, hub_id
    from look
    where repo_id in (select repo_id from contested)
    -- what a hub lists goes before what a copy on this machine knows
    qualify row_number() over (
        partition by repo_id order by starts_with(hub_id, 'local-'), observed_at desc, hub_id desc
    ) > 1
),
placed as (
    select
        look.*,
        present.created_at,
        coalesce(
            present.repo_id,
            alias.repo_id,
            case when look.is_nameless then look.repo_id end
        ) as name_now
    from look
    left join loser using (repo_id, hub_id)
    left join main.model as present on present.hub_id = look.hub_id
    left join main.alias on alias.old_id = look.repo_id
    where loser.hub_id is null
)
select
    placed.repo_id,
    true as known,
    placed.hub_id,
    case when contains(placed.repo_id, '/') then split_part(placed.repo_id, '/', 1) end as author,
    placed.created_at,
    placed.commit_sha,
    placed.last_modified_at,
    placed.downloads_30d,
    placed.downloads_all_time,
    placed.likes_count,
    placed.trending_score,
    placed.gated,
    placed.is_private,
    placed.is_disabled,
    placed.license,
    placed.base_models,
    placed.sweep_id,
    placed.first_seen_at,
    placed.observed_at as last_seen_at,
    epoch(cast(ts as timestamp) - placed.observed_at) / 86400 as look_age_days,
    probe.probed_at as gone_at,
    probe.judgement as gone_reason,
    placed.name_now,
    placed.name_now is null or tombstone.repo_id is not null as is_vanished,
    tombstone.noticed_at as vanished_at,
    case
        when placed.name_now is null then 'replaced'
        else tombstone.reason
    end as vanished_reason
from placed
left join probe
    on probe.repo_id = placed.repo_id and probe.judgement in ('gone', 'disabled', 'gated')
left join main.tombstone
    on tombstone.repo_id = placed.name_now
    and tombstone.noticed_at > cast(ts as timestamp)
