-- A model repo: known where a listing held it, else a ghost, named only as somebody's base.
-- A model that is gone stays: gone_at and gone_reason tell, null where it is not known to be gone.
-- tokenizer_bytes sums the tokenizer files at the repo's top, null where a size is not known;
-- security_scanned is null where nobody asked; local_path is the folder of an imported model.
-- other_fields holds what the Hub told beside, and values that are not what their column holds.
-- Grain: repo_id
-- Source: the newest record of each repo, tombstone, repo_file, model_config, the facet security;
-- base_model_edge for ghosts
-- Per: repo_id
-- Anew: not known
with seen as (
    select repo_id, min(first_at) as first_seen_at, max(last_at) as last_seen_at
    from name_seen
    where repo_id in (select repo_id from latest_record)
    group by repo_id
),
tokenizer as (
    select
        repo_id,
        case when count(*) = count(size_bytes) then sum(size_bytes)::bigint end as tokenizer_bytes
    from repo_file
    where path in (
        'tokenizer.json', 'tokenizer.model', 'vocab.json', 'vocab.txt', 'merges.txt',
        'spiece.model', 'sentencepiece.bpe.model'
    )
        and repo_id in (select repo_id from latest_record)
    group by repo_id
),
configured as (
    select
        repo_id,
        try_cast(coalesce(
            config->>'vocab_size', config->>'$.text_config.vocab_size'
        ) as bigint) as vocab_size
    from model_config
    where path = 'config.json' and repo_id in (select repo_id from latest_record)
),
scanned as (
    select
        repo_id,
        try_cast(answer->>'$.securityRepoStatus.scansDone' as boolean) as security_scanned
    from latest_page
    where facet = 'security' and status = 200 and page = 0
),
listed as (
    select
        r.repo_id,
        true as known,
        r.hub_id,
        coalesce(
            r.author, case when contains(r.repo_id, '/') then split_part(r.repo_id, '/', 1) end
        ) as author,
        r.commit_sha,
        r.created_at,
        r.last_modified_at,
        r.pipeline_tag,
        r.library_name,
        r.license,
        r.model_type,
        r.architecture,
        r.parameter_count,
        r.used_storage_bytes,
        r.downloads_30d,
        r.downloads_all_time,
        r.likes_count,
        r.trending_score,
        r.gated,
        r.is_private,
        r.is_disabled,
        tokenizer.tokenizer_bytes,
        configured.vocab_size,
        scanned.security_scanned,
        tombstone.noticed_at as gone_at,
        tombstone.reason as gone_reason,
        local_folder.folder as local_path,
        r.other_fields,
        seen.first_seen_at,
        seen.last_seen_at
    from latest_record as r
    left join seen using (repo_id)
    left join tokenizer using (repo_id)
    left join configured using (repo_id)
    left join scanned using (repo_id)
    left join tombstone using (repo_id)
    left join local_folder using (repo_id)
),
ghost as (
    select distinct
        parent_id as repo_id,
        false as known,
        case when contains(parent_id, '/') then split_part(parent_id, '/', 1) end as author
    from base_model_edge
    where parent_id not in (select repo_id from latest)
)
select * from listed
union all by name
select * from ghost
order by repo_id
