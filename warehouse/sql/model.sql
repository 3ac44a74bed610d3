-- A model repo: known where a listing held it, else a ghost, named only as somebody's base.
-- A model that is gone stays: gone_at and gone_reason tell, null where it is not known to be gone.
-- tokenizer_bytes sums the tokenizer files at the repo's top, null where a size is not known;
-- security_scanned is null where nobody asked; local_path is the folder of an imported model.
-- Grain: repo_id
-- Source: the newest record of each repo, tombstone, repo_file, model_config, the facet security;
-- base_model_edge for ghosts
with seen as (
    select
        repo_id,
        min(observed_at) as first_seen_at,
        max(observed_at) as last_seen_at
    from model_observation
    group by repo_id
),
license_tag as (
    select repo_id, arg_min(tag_value, position) as license
    from model_tag
    where kind = 'license'
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
    group by repo_id
),
configured as (
    select
        repo_id,
        try_cast(coalesce(
            config->>'vocab_size', config->>'$.text_config.vocab_size'
        ) as bigint) as vocab_size
    from model_config
    where path = 'config.json'
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
            r.record->>'author',
            case when contains(r.repo_id, '/') then split_part(r.repo_id, '/', 1) end
        ) as author,
        r.record->>'sha' as commit_sha,
        try_cast(r.record->>'createdAt' as timestamp) as created_at,
        try_cast(r.record->>'lastModified' as timestamp) as last_modified_at,
        r.record->>'pipeline_tag' as pipeline_tag,
        r.record->>'library_name' as library_name,
        coalesce(license_tag.license, r.record->>'$.cardData.license') as license,
        r.record->>'$.config.model_type' as model_type,
        r.record->>'$.config.architectures[0]' as architecture,
        coalesce(
            try_cast(r.record->>'$.safetensors.total' as bigint),
            try_cast(r.record->>'$.gguf.total' as bigint)
        ) as parameter_count,
        try_cast(r.record->>'usedStorage' as bigint) as used_storage_bytes,
        try_cast(r.record->>'downloads' as bigint) as downloads_30d,
        try_cast(r.record->>'downloadsAllTime' as bigint) as downloads_all_time,
        try_cast(r.record->>'likes' as bigint) as likes_count,
        try_cast(r.record->>'trendingScore' as double) as trending_score,
        r.record->>'gated' as gated,
        try_cast(r.record->>'private' as boolean) as is_private,
        try_cast(r.record->>'disabled' as boolean) as is_disabled,
        tokenizer.tokenizer_bytes,
        configured.vocab_size,
        scanned.security_scanned,
        tombstone.noticed_at as gone_at,
        tombstone.reason as gone_reason,
        local_folder.folder as local_path,
        seen.first_seen_at,
        seen.last_seen_at
    from latest_record as r
    left join seen using (repo_id)
    left join license_tag using (repo_id)
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
    where parent_id not in (select repo_id from listed)
)
select * from listed
union all by name
select * from ghost
order by repo_id
