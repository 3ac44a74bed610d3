-- In which formats do the models made each month hold their weights?
-- Caveat: judged by file names; a model with weights in two formats counts in both. All repos older
-- than March 2022 carry the second of 2022-03-02 as creation.
with weight as (
    select
        repo_id,
        bool_or(extension = 'safetensors') as has_safetensors,
        bool_or(extension = 'gguf') as has_gguf,
        bool_or(extension not in ('safetensors', 'gguf')) as has_pickle
    from repo_file
    where extension in ('safetensors', 'gguf', 'bin', 'pt', 'pth', 'ckpt')
        and not ends_with(path, 'training_args.bin')
    group by repo_id
)
select
    date_trunc('month', model.created_at)::date as created_month,
    count(*) as model_count,
    count(*) filter (where weight.has_safetensors) / count(*) as safetensors_share,
    count(*) filter (where weight.has_gguf) / count(*) as gguf_share,
    count(*) filter (where weight.has_pickle) / count(*) as pickle_share
from weight
join model using (repo_id)
group by created_month
order by created_month
