-- In which number types are parameters stored?
-- Caveat: over the weight files whose headers were read; a repo with several copies counts each.
select
    dtype,
    count(*) as tensor_count,
    sum(element_count)::bigint as element_count,
    sum(element_count) / sum(sum(element_count)) over () as element_share
from tensor
group by dtype
order by element_count desc, dtype
