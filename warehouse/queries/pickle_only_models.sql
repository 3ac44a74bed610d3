-- Which popular models can only be loaded by unpickling, which may run code?
-- Params:
--   $least_downloads 1000: leaves out models with fewer downloads in 30 days
--   $limit 50: rows at most
-- Caveat: judged by file names; weights in a format not named here are not seen.
with popular as (
    select repo_id, downloads_30d
    from model
    where gone_at is null and downloads_30d >= $least_downloads
),
held as (
    select
        file.repo_id,
        count(*) filter (
            where file.extension in ('bin', 'pt', 'pth', 'ckpt', 'pkl')
        ) as pickle_count,
        count(*) filter (
            where file.extension in ('safetensors', 'gguf', 'onnx', 'h5', 'msgpack')
        ) as plain_count
    from repo_file as file
    where file.repo_id in (select repo_id from popular)
        and not ends_with(file.path, 'training_args.bin')
    group by file.repo_id
)
select repo_id, held.pickle_count, popular.downloads_30d
from held
join popular using (repo_id)
where held.pickle_count > 0 and held.plain_count = 0
order by popular.downloads_30d desc, repo_id
limit $limit
