-- A trait's values in their drift order: the one that most traffic from base models to what is made
-- of them follows, so that what stands first is left for what stands later.
-- It orders the twenty values with most traffic in this twin; "other" is no licence and has no
-- place.
-- Grain: trait, twin, position
-- Source: trait_transition
-- Ref: Laufer, Oderinwa, Kleinberg, "Anatomy of a Machine Learning Ecosystem: 2 Million Models on
-- Hugging Face" (2025); Martí, Reinelt, "The Linear Ordering Problem" (2011)
-- Columns:
--   trait: as in trait_transition
--   twin: as in trait_transition
--   position: place in the order; 1 is the first
--   value: the value there
--   forward_traffic: its traffic with the others that follows the order, either from it or to it
--   backward_traffic: that which runs against it
--   sent: traffic from it to the others
--   received: traffic from the others to it
--   method: exact where no order has more forward traffic, bounded where that is not proved
--   gap: what the best order may have more than this one, as a share of the most that it can have
select
    trait,
    twin,
    position,
    value,
    forward_traffic,
    backward_traffic,
    sent,
    received,
    method,
    gap
from drift_order_rows
order by trait, twin, position
