-- What share of all models has a card, a licence, a declared base, by a stratified sample?
-- Params:
--   $sample_id null: which sample; null for the newest
-- Caveat: about the models of the sample's frame when it was drawn; one whose card was not fetched
-- counts as without. The 95 % interval is normal; a stratum's variance is taken as if one more
-- model had the trait and one more had not, since drawn models that are all alike prove little.
-- Ref: Cochran, "Sampling Techniques" (1977), sections 5.3 to 5.6; Agresti, Coull, The American
-- Statistician 52 (1998)
with chosen as (
    select max(sample_id) as sample_id
    from sample
    where $sample_id::bigint is null or sample_id = $sample_id::bigint
),
member as (
    select repo_id, stratum, inclusion_probability
    from sample_member
    where sample_id = (select sample_id from chosen)
),
described as (
    select
        member.stratum,
        member.inclusion_probability,
        model.license is not null as has_license,
        member.repo_id in (select repo_id from card) as has_card,
        member.repo_id in (select child_id from base_model_edge) as has_base
    from member
    join model using (repo_id)
),
told as (
    select
        stratum,
        inclusion_probability,
        unnest(['base', 'card', 'license']) as trait,
        unnest([has_base, has_card, has_license])::integer as held
    from described
),
by_stratum as (
    select
        trait,
        stratum,
        count(*) as member_count,
        sum(1 / inclusion_probability) as frame_count,
        avg(held) as share,
        (sum(held) + 1) / (count(*) + 2) as cautious_share,
        -- what is left undrawn; nothing is uncertain of a stratum that was drawn whole
        1 - min(inclusion_probability) as undrawn_share
    from told
    group by trait, stratum
),
estimated as (
    select
        trait,
        sum(member_count)::bigint as member_count,
        sum(frame_count) as frame_count,
        sum(frame_count * share) / sum(frame_count) as share,
        sqrt(sum(
            frame_count * frame_count * undrawn_share
            * cautious_share * (1 - cautious_share) / member_count
        )) / sum(frame_count) as standard_error
    from by_stratum
    group by trait
)
select
    trait,
    member_count,
    round(frame_count)::bigint as frame_count,
    share as estimated_share,
    greatest(0, share - 1.959964 * standard_error) as low_share,
    least(1, share + 1.959964 * standard_error) as high_share
from estimated
order by trait
