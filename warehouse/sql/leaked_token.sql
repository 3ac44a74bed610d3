-- An access token that somebody leaked, for the operator: where it was found and the mask that
-- stands there instead. The token itself is in raw files only.
-- Grain: repo_id, place, mask
-- Source: all raw files
-- Columns:
--   repo_id: repo that it was found in, by its name then; null where the place belongs to no repo
--   place: the facet that holds it: model is the listed record, card the card, …
--   kind: whose token it is: huggingface, github, openai, …
--   mask: what stands in its place: the token's prefix, MASKED- and 8 digits of its SHA-256; the
--     same token has the same mask everywhere
--   count: how often it stands in source
--   source: newest raw file that holds it
--   file_count: raw files that hold it
-- References:
--   repo_id -> model: dangles where the repo has another name now (see alias) or was never listed
with held as (
    select
        raw_file,
        repo_id,
        place,
        mask,
        min(kind) as kind,
        sum(count)::bigint as count
    from landing.leak
    where repo_id is null or repo_id not in (select repo_id from withheld_repo)
    group by raw_file, repo_id, place, mask
),
dated as (
    select raw_file, max(fetched_at) as fetched_at
    from landing.answer
    where raw_file in (select raw_file from held)
    group by raw_file
)
select
    repo_id,
    place,
    kind,
    mask,
    count,
    raw_file as source,
    count(*) over (partition by repo_id, place, mask) as file_count
from held
left join dated using (raw_file)
qualify row_number() over (
    partition by repo_id, place, mask order by fetched_at desc nulls last, raw_file desc
) = 1
order by repo_id, place, mask
