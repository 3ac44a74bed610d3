-- Which two popular models of one root could be merged: alike in build and freely licensed?
-- Params:
--   $least_downloads 100: leaves out models with fewer downloads in 30 days
--   $most_of_root 20: models compared of one root, the most downloaded
--   $limit 50: rows at most
-- Caveat: chosen by declared lineage, not by kinship of weights; that a merge can be made does not
-- say that it will be good. Licences are as declared.
with quantized_or_adapter as (
    select child_id
    from base_model_edge
    where relation in ('quantized', 'adapter')
),
permitted as (
    select repo_id, architecture, parameter_count, license, downloads_30d
    from model
    where downloads_30d >= $least_downloads
        and gone_at is null
        and license in (
            'apache-2.0', 'mit', 'bsd-2-clause', 'bsd-3-clause', 'cc0-1.0', 'cc-by-4.0', 'isc',
            'unlicense', 'wtfpl', 'zlib', 'ms-pl', 'afl-3.0', 'ecl-2.0', 'cdla-permissive-2.0'
        )
        and architecture is not null
        and parameter_count is not null
        and repo_id not in (select child_id from quantized_or_adapter)
),
candidate as (
    select permitted.*, family_member.root_id
    from permitted
    join family_member using (repo_id)
    where not family_member.is_root
    qualify row_number() over (
        partition by root_id, architecture, parameter_count order by downloads_30d desc, repo_id
    ) <= $most_of_root
)
select
    one.repo_id,
    other.repo_id as other_id,
    root_id,
    architecture,
    parameter_count,
    one.license,
    other.license as other_license,
    one.downloads_30d,
    other.downloads_30d as other_downloads_30d
from candidate as one
join candidate as other using (root_id, architecture, parameter_count)
where one.repo_id < other.repo_id
order by least(one.downloads_30d, other.downloads_30d) desc, one.repo_id, other.repo_id
limit $limit
