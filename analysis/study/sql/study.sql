-- A study that was made of this warehouse: when, and of which state of the hub.
-- A build leaves it as it is, with all that came of it; one from scratch takes it away.
-- Grain: study
-- Source: analysis/anatomy.py
-- Columns:
--   study: its name (anatomy)
--   made_at: UTC time when it was made
--   data_as_of: UTC time of the last look at any model that it knew
--   seed: what all its random draws come from
--   model_count: models that it is about, ghosts too
--   edge_count: edges of declared lineage that it is about
select study, made_at, data_as_of, seed, model_count, edge_count
from study_rows
