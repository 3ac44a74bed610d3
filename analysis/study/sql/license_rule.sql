-- What one licence asks of what is made from a model under it, read from its text: advice, nobody's
-- judgement of a case.
-- A duty that is not asked is null; yes, unclear, or what exactly is asked stands where it is.
-- Grain: license
-- Source: analysis/license_rules.csv, which cites document and section of each row
-- Columns:
--   license: its id, as the Hub spells it or would
--   name: what its text calls itself, with its version
--   spdx: its SPDX id; null where it has none
--   family: versions and kin, of which one may or may not stand for another
--   license_class: permissive, weak copyleft, copyleft, use-restricted, named terms,
--     non-commercial, no-derivatives, research-only, or unknown where its terms cannot be told
--   attribution: notices are kept; no declared licence shows whether they are
--   threshold: from which size on another licence is needed; shown likewise nowhere
--   acceptable_use: a policy of acceptable use is passed on
--   patent: it has a patent licence or ends on patent claims
--   share_alike: derivatives stay under the same licence
--   use_restrictions: derivatives carry the same restrictions of use or the same agreement
--   non_commercial: no commercial use
--   research_only: research use alone
--   no_derivatives: no derivative may be published
--   naming: what the name of a derivative begins with
--   adapter: whether duties reach an adapter: yes or unclear
--   quantized: whether duties reach a quantized version: yes or unclear
--   kept_by: further licences under which share_alike and use_restrictions are kept
--   source: document and section
--   note: what a reader should know of this row
select
    license,
    name,
    spdx,
    family,
    license_class,
    attribution,
    threshold,
    acceptable_use,
    patent,
    share_alike,
    use_restrictions,
    non_commercial,
    research_only,
    no_derivatives,
    naming,
    adapter,
    quantized,
    kept_by,
    source,
    note
from license_rule_rows
order by license
