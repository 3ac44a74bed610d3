-- A configuration file of a repo, whole: config.json, adapter_config.json, or mergekit_config.yml
-- read into JSON. What the record quotes of a configuration is no row here: see model_metadata.
-- Grain: repo_id, path
-- Source: the facets config, adapter_config and mergekit_config
-- Per: repo_id
-- Columns:
--   repo_id: repo by its name now
--   path: file, from the repo's top
--   commit_sha: commit that it is of; null where the hub did not say
--   config: the file as a JSON object; access tokens and e-mail addresses are masked
-- References:
--   repo_id -> model
--   repo_id, path -> repo_file: dangles where the file was listed at another commit, or the repo's
--     files are not known
with named(facet, usual_path) as (
    values
    ('config', 'config.json'), ('adapter_config', 'adapter_config.json'),
    ('mergekit_config', 'mergekit_config.yml')
),
answered as (
    select
        repo_id,
        coalesce(path, usual_path) as path,
        coalesce(repo_commit, nullif(revision, 'main')) as commit_sha,
        facet,
        answer as config
    from latest_page
    join named using (facet)
    where status = 200 and json_type(answer) = 'OBJECT'
)
select repo_id, path, commit_sha, config
from answered
qualify row_number() over (partition by repo_id, path order by facet) = 1
order by repo_id, path
