-- A repo that others depend on, and how much: what breaks without it, where poison in it would
-- flow, and what has no way of provenance around it. A ghost has a row, too.
-- Dependants are counted where they are there (listed once, and not known to be gone), each once
-- however many ways lead to it; the members of a cycle depend on one another.
-- Grain: repo_id
-- Source: analysis/impact over model and base_model_edge; mirror
-- Ref: Cooper, Harvey, Kennedy, "A simple, fast dominance algorithm" (2006), for cut_count
-- Columns:
--   repo_id: the repo that others depend on, known or a ghost
--   child_count: direct dependants: of all relations, they could not be made again without it
--   finetune_count: of them, those that declare it as a finetune
--   adapter_count: as an adapter
--   quantized_count: as a quantization
--   merge_count: as a merge, which wants all its parents to be made again
--   unknown_count: without a relation
--   largest_relation: the most frequent of these relations; of two, the first by name
--   descendant_count: all that was made from it, however far
--   descendant_downloads_30d: sum of their downloads_30d; unknown ones count as 0, and none as more
--     than 10^12
--   descendant_owner_count: distinct owners of them
--   load_count: load-time dependants: a chain of adapter edges leads to it; if it is deleted, gated
--     or disabled, they break, or may where they declare another base as well
--   load_downloads_30d: sum of their downloads_30d
--   load_owner_count: distinct owners of them
--   break_count: of them, those that have no other base to load with, so that they break for sure
--   break_downloads_30d: sum of their downloads_30d
--   break_owner_count: distinct owners of them
--   poison_count: where poison in it flows: over edges whose parent is known to have been created
--     before its child
--   poison_downloads_30d: sum of their downloads_30d
--   poison_owner_count: distinct owners of them
--   poison_unknown_count: further ones that poison may reach: each way there has an edge whose
--     order of creation is unknown
--   poison_unknown_downloads_30d: sum of their downloads_30d
--   cut_count: descendants of which every way of provenance, from any root, leads through it
--   cut_downloads_30d: sum of their downloads_30d
--   cut_owner_count: distinct owners of them
--   dominator_id: the nearest repo through which every way to this one leads; null where none does
--   mirror: whether its weight files lie elsewhere, byte for byte: other_owner (each with another
--     owner: no single point of failure), same_owner (each in another repo), part (some), none;
--     null where it has none whose hash is known
-- References:
--   repo_id -> model
--   dominator_id -> model(repo_id)
select
    node.repo_id,
    counted.child_count,
    counted.finetune_count,
    counted.adapter_count,
    counted.quantized_count,
    counted.merge_count,
    counted.unknown_count,
    case greatest(
        counted.finetune_count, counted.adapter_count, counted.quantized_count,
        counted.merge_count, counted.unknown_count
    )
        -- all its children may be gone, and only theirs be there
        when 0 then null
        when counted.adapter_count then 'adapter'
        when counted.finetune_count then 'finetune'
        when counted.merge_count then 'merge'
        when counted.quantized_count then 'quantized'
        else 'unknown'
    end as largest_relation,
    counted.descendant_count,
    counted.descendant_downloads_30d,
    counted.descendant_owner_count,
    counted.load_count,
    counted.load_downloads_30d,
    counted.load_owner_count,
    counted.break_count,
    counted.break_downloads_30d,
    counted.break_owner_count,
    counted.poison_count,
    counted.poison_downloads_30d,
    counted.poison_owner_count,
    counted.poison_unknown_count,
    counted.poison_unknown_downloads_30d,
    counted.cut_count,
    counted.cut_downloads_30d,
    counted.cut_owner_count,
    dominator.repo_id as dominator_id,
    repo_mirror.mirror
from repo_impact_rows as counted
join node on node.node = counted.node
left join node as dominator on dominator.node = counted.dominator
left join repo_mirror on repo_mirror.repo_id = node.repo_id
order by counted.descendant_count desc, node.repo_id
