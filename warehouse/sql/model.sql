-- A model repo: known where a listing held it, else a ghost, named only as somebody's base. A model
-- that is gone stays.
-- Of a ghost only repo_id, known and author are filled. Elsewhere null says that the hub did not
-- tell.
-- Grain: repo_id
-- Source: the newest record of each repo, tombstone, repo_file, model_config, the facet security;
-- base_model_edge for ghosts
-- Per: repo_id
-- Anew: not known
-- Columns:
--   repo_id: OWNER/NAME, or NAME alone for some of the oldest, as the Hub spells it; ids that
--     differ only by case are two repos
--   known: true where a listing held it; false for a ghost
--   hub_id: the Hub's `_id`, which a rename does not change; the repo_id where the hub gives none
--   author: owner of the repo; its first part of the name where the hub did not tell
--   commit_sha: newest commit of its main branch at the last look
--   created_at: UTC time of creation; repos made before 2022-03-02T23:29:04 all bear that time
--   last_modified_at: UTC time of the last change of the repo; likes and downloads do not count
--   pipeline_tag: task, in the Hub's words (text-generation); stated by the author or guessed by
--     the Hub
--   library_name: library that it is loaded with (transformers), likewise
--   license: licence as its first license: tag names it, else its cardData; null where none is
--     declared
--   model_type: model_type of its configuration, as the record quotes it (llama)
--   architecture: first of the configuration's architectures (LlamaForCausalLM)
--   parameter_count: parameters by the Hub's count of its safetensors files, else of its GGUF file;
--     packed weights count as stored
--   used_storage_bytes: bytes that the repo takes on the Hub with all its revisions
--   downloads_30d: downloads in the 30 days before the last look, as the Hub counts
--   downloads_all_time: downloads since its creation, as the Hub counts
--   likes_count: likes at the last look
--   trending_score: the Hub's own measure of attention, undocumented
--   gated: who may read it: false (everybody), auto (who agrees), manual (whom the author lets in)
--   is_private: false, as private repos are left out; null where the hub did not tell
--   is_disabled: whether the Hub has disabled it
--   tokenizer_bytes: bytes of the tokenizer files at the repo's top; null where it has none or a
--     size is not known
--   vocab_size: vocab_size of its config.json; null where that was not fetched or does not say
--   security_scanned: whether the Hub's scans were done; null where nobody asked
--   gone_at: UTC time when a probe found it gone; null where it is not known to be
--   gone_reason: gone, disabled or gated; null where it is not known to be any
--   local_path: folder on this machine that it was imported from; null where it was not
--   first_seen_at: UTC time of the first look at it under this name
--   last_seen_at: UTC time of the last look at it under this name
with seen as (
    select repo_id, min(first_at) as first_seen_at, max(last_at) as last_seen_at
    from name_seen
    where repo_id in (select repo_id from latest_record)
    group by repo_id
),
tokenizer as (
    select
        repo_id,
        case
            when count(*) = count(size_bytes)
                then least(sum(size_bytes), 9223372036854775807)::bigint
        end as tokenizer_bytes
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
