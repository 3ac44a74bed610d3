-- A language that a repo declares, as it is spelled there: mostly ISO 639 codes, but names and
-- codes of scripts and countries occur.
-- A tag counts where it is a code of ISO 639-1, or one of ISO 639-3 that is common on the Hub and
-- no acronym of the field: the Hub lists languages as bare tags among all others.
-- Grain: repo_id, language
-- Source: the record's cardData and tags, card
-- Per: repo_id
-- Columns:
--   repo_id: repo by its name now
--   language: the code or name as declared (en, zh-HK, multilingual, English)
--   evidence: the places that name it, sorted: card_data (the server's reading of the card),
--     front_matter (ours), tag; a tag alone is the weakest
-- References:
--   repo_id -> model
with front as (
    select repo_id, card_data->'language' as said, 'card_data' as evidence
    from latest_record
    where contains(card_data, '"language"')
    union all
    select repo_id, front_matter->'language' as said, 'front_matter' as evidence
    from card
    where contains(front_matter, '"language"') and repo_id in (select repo_id from touched)
),
entry as (
    select
        repo_id,
        evidence,
        unnest(case json_type(said) when 'ARRAY' then cast(said as json[]) else [said] end) as entry
    from front
),
tagged as (
    select repo_id, unnest(tags) as tag
    from latest_record
),
claim as (
    select repo_id, entry->>'$' as language, evidence
    from entry
    where json_type(entry) = 'VARCHAR'
    union all
    select repo_id, tag as language, 'tag' as evidence
    from tagged
    where
        tag in (
            -- ISO 639-1, whole
            'aa', 'ab', 'ae', 'af', 'ak', 'am', 'an', 'ar', 'as', 'av', 'ay', 'az', 'ba', 'be',
            'bg', 'bh', 'bi', 'bm', 'bn', 'bo', 'br', 'bs', 'ca', 'ce', 'ch', 'co', 'cr', 'cs',
            'cu', 'cv', 'cy', 'da', 'de', 'dv', 'dz', 'ee', 'el', 'en', 'eo', 'es', 'et', 'eu',
            'fa', 'ff', 'fi', 'fj', 'fo', 'fr', 'fy', 'ga', 'gd', 'gl', 'gn', 'gu', 'gv', 'ha',
            'he', 'hi', 'ho', 'hr', 'ht', 'hu', 'hy', 'hz', 'ia', 'id', 'ie', 'ig', 'ii', 'ik',
            'io', 'is', 'it', 'iu', 'ja', 'jv', 'ka', 'kg', 'ki', 'kj', 'kk', 'kl', 'km', 'kn',
            'ko', 'kr', 'ks', 'ku', 'kv', 'kw', 'ky', 'la', 'lb', 'lg', 'li', 'ln', 'lo', 'lt',
            'lu', 'lv', 'mg', 'mh', 'mi', 'mk', 'ml', 'mn', 'mr', 'ms', 'mt', 'my', 'na', 'nb',
            'nd', 'ne', 'ng', 'nl', 'nn', 'no', 'nr', 'nv', 'ny', 'oc', 'oj', 'om', 'or', 'os',
            'pa', 'pi', 'pl', 'ps', 'pt', 'qu', 'rm', 'rn', 'ro', 'ru', 'rw', 'sa', 'sc', 'sd',
            'se', 'sg', 'sh', 'si', 'sk', 'sl', 'sm', 'sn', 'so', 'sq', 'sr', 'ss', 'st', 'su',
            'sv', 'sw', 'ta', 'te', 'tg', 'th', 'ti', 'tk', 'tl', 'tn', 'to', 'tr', 'ts', 'tt',
            'tw', 'ty', 'ug', 'uk', 'ur', 'uz', 've', 'vi', 'vo', 'wa', 'wo', 'xh', 'yi', 'yo',
            'za', 'zh', 'zu',
            -- ISO 639-3, common on the Hub, and no acronym of the field (ner, asr, gan, sat)
            'acm', 'afb', 'apc', 'arz', 'ary', 'bcl', 'bem', 'bho', 'ceb', 'ckb', 'cnh', 'crh',
            'dsb', 'dyu', 'efi', 'fil', 'fon', 'fur', 'gom', 'grc', 'haw', 'hil', 'hne', 'hsb',
            'ilo', 'kab', 'kam', 'kbp', 'kea', 'kmb', 'kmr', 'lij', 'lmo', 'lua', 'luo', 'lus',
            'lzh', 'mai', 'mdf', 'mfe', 'mni', 'mos', 'myv', 'nan', 'nap', 'nqo', 'nso', 'pag',
            'pap', 'pcm', 'sah', 'scn', 'srn', 'szl', 'taq', 'tpi', 'tum', 'tzm', 'umb', 'vec',
            'vro', 'war', 'wuu', 'yue'
        )
)
select repo_id, language, list(distinct evidence order by evidence) as evidence
from claim
where language <> ''
group by repo_id, language
order by repo_id, language
