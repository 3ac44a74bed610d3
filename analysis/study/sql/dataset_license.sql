-- A licence of a dataset, as a user gave it (hubatlas licenses --datasets FILE): the hub is not
-- crawled for datasets. A build leaves it as it is; one from scratch takes it away.
-- Grain: dataset_id, declared
-- Source: the file that the user gave
-- Columns:
--   dataset_id: the dataset, spelled as models declare it
--   declared: its licence as the file says it
--   license: the licence's id, as in model_license; null where it cannot be told
--   spdx: the SPDX expression; null where it has none or the licence cannot be told
--   license_class: its class, as in model_license
--   source: who says so; null where the file does not tell
select
    dataset_id,
    declared,
    license,
    spdx,
    license_class,
    source
from dataset_license_rows
order by dataset_id, declared
