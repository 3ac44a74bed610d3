-- What the hub told of a repo in fields that hold more than a column can: JSON as it came, at the
-- last look. A null says that the hub did not tell.
-- Grain: repo_id
-- Source: the newest record of each repo
-- Kind: view
-- Columns:
--   repo_id: repo by its name now
--   card_data: cardData: the server's reading of the card's front matter; card.front_matter is ours
--   config: config: what the Hub quotes of configuration files
--   safetensors: safetensors: parameters by element type, and their total
--   gguf: gguf: what the Hub read of a GGUF file's header
--   other_fields: JSON object: all fields that no column of model holds; config, safetensors and
--     gguf stand here too
-- References:
--   repo_id -> model
select
    record.repo_id,
    record.card_data,
    record.other_fields->'$.config' as config,
    record.other_fields->'$.safetensors' as safetensors,
    record.other_fields->'$.gguf' as gguf,
    record.other_fields
from landing.record
join landing.latest using (repo_id, hub_id)
