-- A distribution fitted to the tail of a structural one, and how it stands against a power law.
-- Grain: subject, distribution
-- Source: model, base_model_edge, analysis/structure/sizes.py
-- Ref: Clauset, Shalizi, Newman, "Power-law distributions in empirical data", SIAM Review 51
-- (2009); Alstott, Bullmore, Plenz, "powerlaw: A Python Package for Analysis of Heavy-Tailed
-- Distributions", PLoS ONE 9 (2014).
-- Columns:
--   subject: what is distributed: family_size (families of two or more) or children (models that a
--     base has)
--   distribution: power_law, lognormal, truncated_power_law, stretched_exponential or exponential
--   xmin: least size that is part of the tail; where the power law fits best
--   tail_count: families or bases in the tail
--   alpha: exponent of a power law, truncated or not; null of the others
--   rate: rate of decay (λ) of an exponential, stretched or not, or of a cut; null of the others
--   mu: mean of the logarithms of a lognormal; null of the others
--   sigma: their standard deviation; null of the others
--   beta: exponent of stretching; null of the others
--   log_likelihood: natural logarithm of the likelihood of the tail
--   ratio: log-likelihood of the power law less that of this one; null for the power law itself
--   p: chance of so large a ratio were both as good; null for the power law itself
--   verdict: what that says: p of 0.1 and more cannot tell the two apart
select
    subject,
    distribution,
    xmin,
    tail_count,
    alpha,
    rate,
    mu,
    sigma,
    beta,
    log_likelihood,
    ratio,
    p,
    verdict
from tail_fit_rows
order by subject, distribution
