-- A published finding, held against this hub: as it is, and under one robust twin.
-- Grain: finding, twin
-- Source: analysis/findings.csv, study_measure
-- Columns:
--   place: in the order of the report
--   finding: its short name
--   twin: raw, or a robust twin; see study_measure
--   statement: what the paper says, in a sentence: one measure is larger than another
--   source: the paper
--   larger_value: the measure said to be the larger, here; null where it cannot be told
--   smaller_value: the other one
--   holds: whether it is the larger here; null where that cannot be told
--   is_clear: whether the two 95 % intervals are apart, whichever way; null where not told
--   reason: why it cannot be told; null where it can
select
    place,
    finding,
    twin,
    statement,
    source,
    larger_value,
    smaller_value,
    holds,
    is_clear,
    reason
from study_finding_rows
order by place, twin
