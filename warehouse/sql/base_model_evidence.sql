-- One place that names a base model for a repo: its tags, the server's cardData, the card's own
-- front matter, or a sentence of the card. A claim that cannot be an edge keeps its refusal.
-- Grain: child_id, parent_id, evidence, relation
-- Source: the record's tags and cardData, card
-- Ref: refusals follow validate_repo_id of huggingface_hub; card sentences follow the templates of
-- the Trainer, mergekit, PEFT, Unsloth and common quantizers.
-- Per: child_id
-- Columns:
--   child_id: the repo that declares
--   parent_id: the base model as it is spelled there, also where that is no repo id
--   evidence: where: tag, card_data, front_matter or card_text
--   relation: finetune, adapter, quantized or merge as declared there; unknown where it says none
--     of these
--   position: place among the base models that are declared there; 1 is the first, and any in
--     card_text
--   refusal: why it makes no edge (not text, malformed, the repo itself); null where it makes one
-- References:
--   child_id -> model(repo_id)
--   parent_id -> model(repo_id): dangles where it is refused, and where the base model has another
--     name now (see alias)
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
        when not bool_or(is_text) then 'base model id is not text'
        when child_id = parent_id then 'declares itself as its base model'
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
