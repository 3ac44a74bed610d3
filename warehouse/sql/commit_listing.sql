-- Every commit of every answer for commits, for repos that have several answers. era counts them,
-- oldest first, that did not continue what was known: a listing that breaks off at a known commit
-- continues, one that was not fetched whole proves nothing and counts as continuing.
-- Grain: repo_id, raw_file, page, place
-- Source: the facet commits
-- Kind: temporary
with several as (
    select repo_id
    from landing.commit_page
    where is_read and repo_id in (select repo_id from latest_record)
    group by repo_id
    having min(raw_file) <> max(raw_file)
),
page as (
    select repo_id, raw_file, page, known_commit, fetched_at, is_read
    from landing.commit_page
    where repo_id in (select repo_id from several)
),
answered as (
    select
        repo_id,
        raw_file,
        min(fetched_at) as answered_at,
        max(known_commit) as known_commit,
        bool_and(is_read) as is_whole
    from page
    group by repo_id, raw_file
    having bool_or(is_read)
),
listed as (
    select
        repo_id, raw_file, page, place, commit_sha, title, message, committed_at, authors
    from landing.commit_entry
    where repo_id in (select repo_id from several)
),
met as (
    select distinct listed.repo_id, listed.raw_file
    from listed
    join answered using (repo_id, raw_file)
    where listed.commit_sha = answered.known_commit
),
ordered as (
    select
        answered.repo_id,
        answered.raw_file,
        answered.answered_at,
        sum(case when met.raw_file is null and answered.is_whole then 1 else 0 end) over (
            partition by answered.repo_id order by answered.answered_at, answered.raw_file
        ) as era
    from answered
    left join met using (repo_id, raw_file)
)
select
    ordered.repo_id,
    ordered.raw_file,
    ordered.answered_at,
    ordered.era,
    max(ordered.era) over (partition by ordered.repo_id) as present_era,
    listed.page,
    listed.place,
    listed.commit_sha,
    listed.title,
    listed.message,
    listed.committed_at,
    listed.authors
from ordered
left join listed using (repo_id, raw_file)
