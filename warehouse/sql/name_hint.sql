-- What a repo's own name says of it: from which model it was made, and how. NAME-Q4_K_M-GGUF,
-- NAME-4bit and the like are quantized, NAME-lora is an adapter, NAME-finetuned-TASK and
-- finetuned-NAME are fine-tuned; the words at the end count most.
-- Grain: child_id
-- Source: latest_record
-- Kind: temporary
with called as (
    select repo_id, split_part(repo_id, '/', -1) as name
    from latest_record
),
-- Words at the end of a name that tell of a quantization, and others that stand among them.
ended as (
    select
        repo_id,
        name,
        regexp_extract(
            name,
            '(?i)((?:[-_.](?:gguf|ggml|gptq|awq|exl[23]|hqq|aqlm|quip|bnb|nf4|mlx|imat(?:rix)?|i1'
            || '|fp8|fp4|nvfp4|mxfp4|w\d+a\d+|int[48]|[2-8]-?bits?|i?q\d(?:_\w{1,4})*'
            || '|\d(?:\.\d+)?bpw|quantized|quant|h[68]|\d+g|g\d+|bf16|fp16|f16|dynamic|static'
            || '|smashed))+)$',
            1
        ) as ending
    from called
),
hint as (
    select
        repo_id as child_id,
        case
            when regexp_matches(
                ending,
                '(?i)[-_.](?:gguf|ggml|gptq|awq|exl[23]|hqq|aqlm|quip|bnb|nf4|mlx|fp8|fp4|nvfp4'
                || '|mxfp4|w\d+a\d+|int[48]|[2-8]-?bits?|i?q\d(?:_\w{1,4})*|\d(?:\.\d+)?bpw'
                || '|quantized|quant)(?:$|[-_.])'
            )
            then {'declared': 'quantized', 'stem': left(name, len(name) - len(ending))}
            when contains(lower(name), 'lora') or contains(lower(name), 'adapter')
                or contains(lower(name), 'peft')
            then {
                'declared': 'adapter',
                'stem': regexp_extract(
                    name, '(?i)^(.+?)[-_.](?:q?lora|adapters?|peft)(?:[-_.]?v?\d{1,3})?$', 1
                )
            }
            when contains(lower(name), 'tuned') or contains(lower(name), 'ft')
            then {
                'declared': 'finetune',
                'stem': coalesce(
                    nullif(regexp_extract(name, '(?i)^(?:fine-?tuned|ft)[-_.](.+)$', 1), ''),
                    regexp_extract(name, '(?i)^(.+)[-_.](?:fine[-_]?tuned|ft)(?:[-_.].*)?$', 1)
                )
            }
        end as said
    from ended
)
select
    child_id,
    said.declared as declared,
    -- some quantizers keep the owner in the name
    replace(said.stem, '_-_', '/') as parent_id
from hint
where len(said.stem) > 2
