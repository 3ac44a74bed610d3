-- Two values of a trait between which more traffic runs one way than the other, and whether that is
-- more than chance, if each owner had tossed a coin for the direction of all its edges.
-- Grain: trait, twin, from_value, to_value
-- Source: trait_transition, drift_order
-- Ref: Benjamini, Hochberg, "Controlling the false discovery rate", J. R. Statist. Soc. B 57 (1995)
-- Columns:
--   trait: as in trait_transition
--   twin: as in trait_transition
--   from_value: value that is left more often for the other
--   to_value: the other
--   traffic_forward: traffic from from_value to to_value
--   traffic_back: traffic the other way
--   is_consistent: whether from_value stands before to_value in drift_order
--   p_value: chance of so much net traffic, either way, under that toss
--   q_value: least rate of false discoveries, among the pairs of this trait and twin, at which it
--     is told from chance
select
    trait,
    twin,
    from_value,
    to_value,
    traffic_forward,
    traffic_back,
    is_consistent,
    p_value,
    q_value
from drift_pair_rows
order by trait, twin, p_value, traffic_forward - traffic_back desc, from_value, to_value
