-- How often the base model that one kind of place declares is what the repo was made from: what the
-- confidence of a base_model_edge is made of. Constants, measured on records of the Hub of 2022 and
-- 2026; docs/lineage.md tells how, and analysis/lineage_labels.csv holds what was read by hand.
-- Grain: evidence
-- Source: analysis/calibration.py
-- Columns:
--   evidence: place of a claim; see base_model_evidence
--   origin: what it is written from; places of one origin are not independent
--   precision: share of claims that are right, as far as it could be told
--   low: lower end of its 95 % interval; 0 where it was not measured
--   high: upper end of it; 1 where it was not measured
--   measured_count: claims that it rests on; 0 where it was not measured and is only supposed
--   measured_on: what these are
select
    evidence,
    origin,
    precision::double as precision,
    low::double as low,
    high::double as high,
    measured_count::bigint as measured_count,
    measured_on
from (
    values
    ('tag', 'metadata', 0.960, 0.834, 1.000, 37, 'tags of 2026, read by hand'),
    ('card_data', 'metadata', 0.960, 0.834, 1.000, 37, 'tags of 2026, which say the same'),
    ('front_matter', 'metadata', 0.960, 0.834, 1.000, 37, 'tags of 2026, which say the same'),
    (
        'mergekit_config', 'mergekit_config', 0.823, 0.000, 1.000, 0,
        'nothing: supposed to be as good as the least of what was measured'
    ),
    (
        'adapter_config', 'adapter_config', 0.990, 0.963, 0.997, 193,
        'pull requests of 2023 made from such files, of those that their owners answered'
    ),
    (
        'card_text', 'card_text', 0.971, 0.903, 1.000, 86,
        'sentences of 2022 that say fine-tuned, read by hand'
    ),
    ('config', 'config', 0.500, 0.000, 1.000, 0, 'nothing: supposed'),
    (
        'name', 'name', 0.823, 0.786, 0.853, 1575,
        'agreement with pull requests of 2023 made from cards: a lower bound'
    )
) as measured(evidence, origin, precision, low, high, measured_count, measured_on)
