-- One number of a study, with its interval, what it rests on, and what was published of it.
-- Grain: analysis, measure, subject, twin
-- Source: analysis/anatomy.py, analysis/published.csv
-- Columns:
--   analysis: which part of the study: structure, traits, similarity, licenses, …
--   measure: which number of it (mutation_rate)
--   subject: of what (license); empty where there is but one
--   twin: raw, or a robust twin: owner_capped (at most ten rows an owner), no_bulk (without bulk
--     uploaders and bots), dated (creation known), own_text (without text taken from the parent)
--   value: the number, in unit; null where it cannot be told
--   low: lower end of its 95 % interval; null where it is exact or too little could be resampled
--   high: upper end of it
--   resampled: what the interval resamples: owner, family or draw; null without one
--   count: models, edges or pairs that it rests on
--   unit: share (0 to 1), models, edges, characters, …
--   reason: why there is no value; null where there is one
--   published: the value that a paper gives, beside the raw one; null where it gives none
--   published_source: the paper and where in it
--   published_note: why ours may differ
select
    found.analysis,
    found.measure,
    found.subject,
    found.twin,
    found.value,
    found.low,
    found.high,
    found.resampled,
    found.count,
    found.unit,
    found.reason,
    told.published,
    told.published_source,
    told.published_note
from study_measure_rows as found
left join published as told on
    told.analysis = found.analysis
    and told.measure = found.measure
    and told.subject = found.subject
    and found.twin = 'raw'
order by found.analysis, found.measure, found.subject, found.twin
