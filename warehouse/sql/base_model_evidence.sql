-- One place that names a base model for a repo: its tags, the server's cardData, the card's own
-- front matter, a configuration file, a sentence of the card, or the repo's own name. A claim that
-- cannot be an edge keeps its refusal.
-- A path into the Hub's cache (models--OWNER--NAME) names a repo; other paths are refused.
-- Grain: child_id, parent_id, evidence, relation
-- Source: the record's tags, cardData and config, card, model_config, name_hint.sql
-- Ref: refusals follow validate_repo_id of huggingface_hub; card sentences follow the templates of
-- the Trainer, mergekit, PEFT, Unsloth and common quantizers; references to models in
-- mergekit_config.yml (MODEL@REVISION+LORA) are those of mergekit.
-- Per: child_id
-- Columns:
--   child_id: the repo that declares
--   parent_id: the base model as it is spelled there, also where that is no repo id; of a name what
--     is left of it without the words that tell how it was made, mostly without an owner
--   evidence: where: tag, card_data, front_matter, mergekit_config, adapter_config (the file, or
--     what the record's config quotes of it), card_text, config (_name_or_path) or name
--   relation: finetune, adapter, quantized or merge as declared there; unknown where it says none
--     of these
--   position: place among the base models that are declared there; 1 is the first, and any in
--     card_text; in a mergekit_config the base is before what is merged into it
--   refusal: why it makes no edge (not text, malformed, a local path, the repo itself, a name
--     alone); null where it may make one; see base_model_edge
-- References:
--   child_id -> model(repo_id)
--   parent_id -> model(repo_id): dangles where it is refused, where the base model has another name
--     now (see base_model_name), and where a configuration file names no known repo
with based as (
    select
        repo_id as child_id,
        list_filter(tags, lambda tag: starts_with(tag, 'base_model:')) as bases
    from latest_record
),
base_tag as (
    select child_id, unnest(bases) as tag, generate_subscripts(bases, 1) as position
    from based
),
tag_claim as (
    select
        child_id,
        regexp_extract(tag, '^base_model:(?:(finetune|adapter|quantized|merge):)?', 1) as declared,
        regexp_replace(tag, '^base_model:((finetune|adapter|quantized|merge):)?', '') as parent_id,
        'tag' as evidence,
        position
    from base_tag
    -- the Hub adds base_model:X beside base_model:RELATION:X, which says no more than the latter
    qualify declared <> '' or count(*) over (partition by child_id, parent_id) = 1
),
front as (
    select repo_id, card_data as fields, 'card_data' as evidence
    from latest_record
    where contains(card_data, 'base_model')
    union all
    select repo_id, front_matter as fields, 'front_matter' as evidence
    from card
    where contains(front_matter, 'base_model')
        and repo_id in (select repo_id from touched)
),
named as (
    select
        repo_id,
        coalesce(fields->>'base_model_relation', '') as declared,
        case json_type(fields, '$.base_model')
            when 'ARRAY' then cast(fields->'base_model' as json[])
            when 'NULL' then []
            else [fields->'base_model']
        end as bases,
        evidence
    from front
    where json_type(fields, '$.base_model') is not null
),
front_claim as (
    select
        repo_id as child_id,
        declared,
        unnest(bases) as base,
        evidence,
        generate_subscripts(bases, 1) as position
    from named
),
hub_card as (
    select
        repo_id,
        text,
        lower(text) as words
    from card
    where contains(text, '/') and repo_id in (select repo_id from touched)
),
-- A pattern must be a constant, else it is compiled anew for every card; and plain words are found
-- far faster than patterns, so that few cards are searched for any.
template as (
    select
        repo_id,
        unnest(case
            when contains(words, 'huggingface.co/') or contains(words, 'finetuned from') then [
                {
                    'declared': 'finetune',
                    'parents': case
                        when contains(words, 'tuned ')
                        then regexp_extract_all(
                            text,
                            '(?i)fine-?tuned (?:version|variant|checkpoint|model) of (?:the )?'
                            || '\[[^\]\n]+\]\(https?://(?:www\.)?huggingface\.co/([^)\s#?]+?)/?\)',
                            1
                        )
                    end
                },
                {
                    'declared': 'finetune',
                    'parents': case
                        when contains(words, 'finetuned from')
                        then regexp_extract_all(
                            text,
                            '(?i)finetuned from(?: model)?[^\w:\n]{0,4}(?:\[optional\])?'
                            || '[^\w\n]{0,8}(\w[\w.\-]{0,95}/\w[\w.\-]{0,95})',
                            1
                        )
                    end
                },
                {
                    'declared': 'adapter',
                    'parents': case
                        when contains(words, 'adapter') or contains(words, 'lora')
                        then regexp_extract_all(
                            text,
                            '(?i)(?:adapters?|loras?)(?: weights)? (?:for|of|on) (?:the )?'
                            || '\[[^\]\n]+\]\(https?://(?:www\.)?huggingface\.co/([^)\s#?]+?)/?\)',
                            1
                        )
                    end
                },
                {
                    'declared': 'quantized',
                    'parents': case
                        when contains(words, 'quanti')
                            or contains(words, 'gguf') or contains(words, 'ggml')
                            or contains(words, 'gptq') or contains(words, 'awq')
                            or contains(words, 'exl2')
                        then regexp_extract_all(
                            text,
                            '(?i)(?:gguf|ggml|gptq|awq|exl2|quanti[sz]ed)[^.\n\[]{0,60}'
                            || ' (?:for|of|from) (?:the )?'
                            || '\[[^\]\n]+\]\(https?://(?:www\.)?huggingface\.co/([^)\s#?]+?)/?\)',
                            1
                        )
                    end
                },
                {
                    'declared': 'quantized',
                    'parents': case
                        when contains(words, ' quants of http')
                        then regexp_extract_all(
                            text,
                            '(?i)(?:static|weighted/imatrix) quants of'
                            || ' https?://huggingface\.co/([^)\s#?]+)',
                            1
                        )
                    end
                },
                {
                    'declared': 'merge',
                    'parents': case
                        when contains(words, 'merge method using')
                        then regexp_extract_all(
                            text,
                            '(?i)merge method using \[[^\]\n]+\]'
                            || '\(https?://(?:www\.)?huggingface\.co/([^)\s#?]+?)/?\) as a base',
                            1
                        )
                    end
                },
                {
                    'declared': 'merge',
                    'parents': case
                        when contains(words, 'included in the merge')
                        then regexp_extract_all(
                            regexp_extract(
                                text,
                                '(?i)following models were included in the merge:'
                                || '\s*((?:\s*[*-] [^\n]*)+)',
                                1
                            ),
                            '[*-] \[[^\]\n]+\]'
                            || '\(https?://(?:www\.)?huggingface\.co/([^)\s#?]+?)/?\)',
                            1
                        )
                    end
                }
            ]
        end) as found
    from hub_card
),
sentence_claim as (
    select
        repo_id as child_id,
        found.declared,
        unnest(found.parents) as parent_id
    from template
),
configured as (
    select repo_id, path, config
    from model_config
    where repo_id in (select repo_id from touched)
),
merged as (
    select
        repo_id,
        list_filter(flatten([
            json_extract(config, ['$.base_model', '$.parameters.base_model']),
            json_extract(config, '$.slices[*].base_model'),
            json_extract(config, '$.models[*].model'),
            list_filter(
                json_extract(config, '$.models[*]'), lambda one: json_type(one) = 'VARCHAR'
            ),
            json_extract(config, '$.slices[*].sources[*].model'),
            json_extract(config, '$.experts[*].source_model'),
            json_extract(config, '$.modules.*.models[*].model'),
            json_extract(config, '$.modules.*.slices[*].sources[*].model')
        ]), lambda one: coalesce(json_type(one), 'NULL') <> 'NULL') as bases
    from configured
    where regexp_matches(path, '(?:^|/)mergekit_config\.ya?ml$')
),
merge_part as (
    select
        repo_id,
        unnest(bases) as base,
        generate_subscripts(bases, 1) as position
    from merged
),
-- MODEL@REVISION+LORA@REVISION, or the same as a mapping
merge_reference as (
    select
        repo_id,
        position,
        unnest(case json_type(base)
            when 'VARCHAR' then [to_json(part) for part in string_split(base->>'$', '+')]
            when 'OBJECT' then list_filter(
                [
                    coalesce(base->'$.model.path', base->'$.path', base->'$.model', base),
                    coalesce(base->'$.lora.path', base->'$.lora')
                ],
                lambda one: coalesce(json_type(one), 'NULL') <> 'NULL'
            )
            else [base]
        end) as base
    from merge_part
),
quoted as (
    select repo_id, other_fields->'$.config' as config
    from latest_record
    where contains(other_fields, '"peft"')
        or contains(other_fields, '"adapter_transformers"')
        or contains(other_fields, '"_name_or_path"')
),
file_base as (
    select
        repo_id,
        case
            when json_type(base) = 'VARCHAR'
            then to_json(regexp_replace(base->>'$', '@[^@/\\]*$', ''))
            else base
        end as base,
        position,
        'mergekit_config' as evidence,
        'merge' as declared
    from merge_reference
    union all
    select
        repo_id,
        coalesce(config->'base_model_name_or_path', config->'model_name') as base,
        1 as position,
        'adapter_config' as evidence,
        'adapter' as declared
    from configured
    where regexp_matches(path, '(?:^|/)adapter_config\.json$')
    union all
    select
        repo_id,
        coalesce(
            config->'$.peft.base_model_name_or_path', config->'$.adapter_transformers.model_name'
        ) as base,
        1 as position,
        'adapter_config' as evidence,
        'adapter' as declared
    from quoted
    union all
    select
        repo_id,
        config->'_name_or_path' as base,
        1 as position,
        'config' as evidence,
        'unknown' as declared
    from configured
    where path = 'config.json'
    union all
    select
        repo_id,
        config->'_name_or_path' as base,
        1 as position,
        'config' as evidence,
        'unknown' as declared
    from quoted
),
file_claim as (
    select
        repo_id as child_id,
        declared,
        -- the Hub's cache names a folder after the repo; an address of the Hub is one, too
        regexp_replace(
            regexp_replace(
                base->>'$',
                '^.*(?:^|[/\\])models--([\w.\-]+?)--([\w.\-]+)(?:[/\\].*)?$', '\1/\2'
            ),
            '^https?://(?:www\.)?(?:huggingface\.co|hf\.co)/', ''
        ) as parent_id,
        evidence,
        position,
        json_type(base) = 'VARCHAR' as is_text
    from file_base
    -- a file that says nothing says it with null or an empty text
    where coalesce(json_type(base), 'NULL') <> 'NULL' and base::varchar <> '""'
),
claim as (
    select child_id, declared, parent_id, evidence, position, true as is_text from tag_claim
    union all
    select
        child_id,
        declared,
        coalesce(base->>'$', 'null') as parent_id,
        evidence,
        position,
        coalesce(json_type(base) = 'VARCHAR', false) as is_text
    from front_claim
    union all
    select child_id, declared, parent_id, 'card_text' as evidence, 1 as position, true as is_text
    from sentence_claim
    union all
    select child_id, declared, parent_id, evidence, position, is_text
    from file_claim
    union all
    select child_id, declared, parent_id, 'name' as evidence, 1 as position, true as is_text
    from name_hint
)
select
    child_id,
    parent_id,
    evidence,
    case
        when declared in ('finetune', 'adapter', 'quantized', 'merge') then declared
        else 'unknown'
    end as relation,
    min(position) as position,
    case
        when evidence = 'name' then 'a name alone makes no edge'
        when not bool_or(is_text) then 'base model id is not text'
        when child_id = parent_id then 'declares itself as its base model'
        when
            evidence in ('mergekit_config', 'adapter_config', 'config')
            and (
                regexp_matches(parent_id, '^(?:[./~]|[A-Za-z]:)|[\\]|/.*/')
                or regexp_matches(
                    parent_id, '(?i)(?:^|/)(?:checkpoint|ckpt|epoch|global_step|step)[-_]?\d+$'
                )
                or regexp_matches(
                    parent_id,
                    '(?i)^(?:models?|outputs?|out|results?|checkpoints?|ckpts?|te?mp|data|content'
                    || '|workspace|home|root|mnt|scratch|saves?|saved|saved_models?|runs?|logs?'
                    || '|experiments?|weights|cache|local|(?:pre)?trained(?:_models?)?)/'
                )
            )
            then 'local path as base model'
        when
            not regexp_full_match(
                parent_id, '(\w([\w.\-]{0,94}\w)?/)?\w([\w.\-]{0,94}\w)?'
            )
            or contains(parent_id, '--')
            or contains(parent_id, '..')
            or ends_with(parent_id, '.git')
            then 'malformed base model id'
    end as refusal
from claim
group by child_id, parent_id, evidence, relation
order by child_id, parent_id, evidence, relation
