-- One point of a curve, or one bar of a chart, of a study.
-- Grain: analysis, series, subject, twin, x, label
-- Source: analysis/anatomy.py
-- Columns:
--   analysis: which part of the study
--   series: which chart (family_size)
--   subject: which line in it; empty where there is but one
--   twin: raw, or a robust twin; see study_measure
--   x: where: a number in the chart's unit; of a month 12 · year + month - 1
--   label: the same for a reader (2024-05, apache-2.0)
--   y: how much, in the chart's unit
--   low: lower end of its 95 % interval; null where it has none
--   high: upper end of it
--   count: models, edges or pairs that it rests on
select
    analysis,
    series,
    subject,
    twin,
    x,
    label,
    y,
    low,
    high,
    count
from study_series_rows
order by analysis, series, subject, twin, x, label
