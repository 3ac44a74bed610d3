-- A licence that a model declares, as it says it and as what it is.
-- A model that lists several declares them all, and all bind. One that declares none has no row.
-- Grain: repo_id, declared
-- Source: model_tag, model_metadata, card; analysis/license_rules.csv, SPDX licence list
-- Columns:
--   repo_id: the model
--   declared: the declaration, its first 200 characters
--   license_name: license_name beside a declared other, likewise cut; null elsewhere
--   evidence: the strongest place that declares any: tag, then card_data, then front_matter; what
--     weaker places say is left out
--   license: the licence's id in license_rule, or an expression of such ids and SPDX ids in lower
--     case; null where it cannot be told
--   spdx: the SPDX expression; null where it has none or the licence cannot be told
--   license_class: its class, see license_rule; of a choice the mildest, of several that bind the
--     strictest; unknown where it cannot be told
--   is_known: whether it can be told which licence is meant
--   position: place among the licences declared there; 1 is the first
-- References:
--   repo_id -> model
select
    repo_id,
    declared,
    license_name,
    evidence,
    license,
    spdx,
    license_class,
    license is not null as is_known,
    position
from declared_license
order by repo_id, declared
