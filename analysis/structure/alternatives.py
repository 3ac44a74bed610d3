"""A power law against other heavy tails: which of them the sizes can tell apart from it.

Distributions and the likelihood-ratio test are those of the package powerlaw (Alstott, Bullmore,
Plenz 2014). Three things are done around it. Its search starts from one guess and stays in the
first valley, so each distribution is fitted from several and the best is kept. Its constant of a
discrete truncated power law takes 10 ms of mpmath at each step; here it is summed in NumPy. And its
chances of whole numbers are differences of rounded distribution functions, which are lost to
cancellation where a lognormal comes close to a power law; here they are taken by logarithms.

Source: Clauset, Shalizi, Newman (2009), section 5; Vuong, "Likelihood ratio tests for model
selection and non-nested hypotheses", Econometrica 57 (1989).
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import log_ndtr

from analysis.structure.tails import PowerLaw, survival_of

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
POWER_LAW = "power_law"
LEAST = 1e-307  # a chance that is less stands as this, so that its logarithm is finite
UNDECIDED_FROM = 0.1  # p from which the sign of a ratio says nothing; Clauset, Shalizi, Newman 2009
SUMMED = 2_000  # terms of a constant that are added one by one; the rest is an integral
NODES, WEIGHTS = np.polynomial.legendre.leggauss(200)
Start = dict[str, float]


@dataclass(frozen=True)
class Tail:
    """One distribution fitted to the sizes from xmin up.

    Attributes
    ----------
    distribution
        power_law, or which alternative.
    parameters
        By name, as powerlaw names them (alpha, Lambda, mu, sigma, beta).
    log_likelihood
        Natural logarithm of the likelihood of all sizes ≥ xmin.
    ratio, p
        Log-likelihood of the power law less that of this one (positive: the power law is likelier),
        and the chance of so large a ratio where both are as good; None of the power law itself.
    survival
        P(X ≥ x), shape (u distinct sizes ≥ xmin,).
    """

    distribution: str
    parameters: dict[str, float]
    log_likelihood: float
    ratio: float | None
    p: float | None
    survival: Floats

    @property
    def verdict(self) -> str:
        """In words, what the ratio says of this alternative."""
        if self.ratio is None or self.p is None:
            return "is the law itself"
        if self.p >= UNDECIDED_FROM:
            return "cannot be told apart from the power law"
        return "fits worse than the power law" if self.ratio > 0 else "fits better"


def compare_tails(sizes: Ints, counts: Ints, law: PowerLaw) -> list[Tail]:
    """Fit all alternatives where the power law was fitted, and weigh each against it.

    Parameters
    ----------
    sizes, counts
        Shape (u,): the histogram that ``law`` was fitted to.

    Returns
    -------
    The power law, then lognormal, truncated_power_law, stretched_exponential, exponential. A power
    law is a truncated one without its cut, so that pair is compared by a chi-square of one degree;
    as the cut is at the edge of its range, that p is twice the right one at most.
    """
    inside = sizes >= law.xmin
    x, times = sizes[inside], counts[inside]
    data = np.repeat(x.astype(float), times)
    survival, after = survival_of(law, x), survival_of(law, x + 1)
    own = np.repeat(np.log(survival - after), times)
    tails = [Tail(POWER_LAW, {"alpha": law.alpha}, float(own.sum()), None, None, survival)]
    for name, kind in _kinds().items():
        with warnings.catch_warnings():  # steps that leave a range are told as warnings
            warnings.simplefilter("ignore")
            best = _best_fit(kind, data, law)
            theirs = best.loglikelihoods(data)
        ratio, p = _weigh(own, theirs, nested=POWER_LAW in name)
        told = {key: float(value) for key, value in best.parameters.items()}
        fitted = best.survival(x.astype(float))
        tails.append(Tail(name, told, float(theirs.sum()), ratio, p, fitted))
    return tails


def truncated_sum(alpha: float, rate: float, xmin: float) -> float:
    """Σ x^-alpha e^(-rate · x) over whole x ≥ xmin; rate > 0.

    `SUMMED` terms are added, the rest is their integral with the first corrections of Euler and
    Maclaurin. Relative error below 1e-9 for alpha > 0.
    """
    x = np.arange(xmin, xmin + SUMMED)
    first = float((x**-alpha * np.exp(-rate * x)).sum())
    end = float(xmin + SUMMED)
    # ∫ from end: with x = end · e^t the integrand falls smoothly
    reach = np.log1p(60 / (rate * end))
    t = (NODES + 1) * reach / 2
    grown = end * np.exp(t)
    integral = float((WEIGHTS * grown ** (1 - alpha) * np.exp(-rate * grown)).sum() * reach / 2)
    term = end**-alpha * np.exp(-rate * end)
    return float(first + integral + term / 2 + term * (alpha / end + rate) / 12)


def _weigh(own: Floats, theirs: Floats, *, nested: bool) -> tuple[float, float]:
    from powerlaw.statistics import loglikelihood_ratio

    if np.array_equal(own, theirs):
        return 0.0, 1.0
    ratio, p = loglikelihood_ratio(own, theirs, nested=nested)
    return float(ratio), float(p)


def _best_fit(kind: Any, data: Floats, law: PowerLaw) -> Any:
    ranges = {"alpha": (0.0, 10.0)} if kind.name == "truncated_power_law" else None
    fits = [
        kind(
            data=data,
            xmin=law.xmin,
            discrete=True,
            verbose=0,
            parameters=start,
            parameter_ranges=ranges,
        )
        for start in _starts(kind.name, data, law)
    ]
    return max(fits, key=lambda fit: float(fit.loglikelihood))


def _kinds() -> dict[str, Any]:
    """The package's distributions, with chances and survivals that are exact in far tails."""
    import powerlaw  # brings matplotlib, which nothing else here wants

    class Untold:
        def compute_distance_metrics(self, data: Any = None) -> None:
            """Nothing: distances are not asked for, and some take seconds."""

    class Rounded(Untold):
        """Whole numbers have what a continuous law gives to x - 1/2 … x + 1/2."""

        def survival(self: Any, x: Floats) -> Floats:
            edge = self.log_survival(np.array([self.xmin - 0.5]))
            return np.asarray(np.exp(self.log_survival(x - 0.5) - edge))

        def pdf(self: Any, data: Floats) -> Floats:
            if not self.in_range():
                return np.full(len(data), LEAST)
            lower = self.log_survival(data - 0.5)
            step = -np.expm1(self.log_survival(data + 0.5) - lower)
            return np.asarray(np.maximum(self.survival(data) * step, LEAST))

    class Lognormal(Rounded, powerlaw.Lognormal):  # type: ignore[misc]
        def log_survival(self, x: Floats) -> Floats:
            return np.asarray(log_ndtr((self.mu - np.log(x)) / self.sigma))

    class Stretched(Rounded, powerlaw.Stretched_Exponential):  # type: ignore[misc]
        def log_survival(self, x: Floats) -> Floats:
            return np.asarray(-((self.Lambda * x) ** self.beta))

    class Exponential(Untold, powerlaw.Exponential):  # type: ignore[misc]
        def survival(self, x: Floats) -> Floats:
            return np.asarray(np.exp(-self.Lambda * (x - self.xmin)))

    class Truncated(Untold, powerlaw.Truncated_Power_Law):  # type: ignore[misc]
        @property
        def _pdf_discrete_normalizer(self) -> float:
            alpha, rate, xmin = self.alpha, self.Lambda, self.xmin
            return float(1 / truncated_sum(alpha, rate, xmin))

        def survival(self, x: Floats) -> Floats:
            alpha, rate = float(self.alpha), float(self.Lambda)
            above = [truncated_sum(alpha, rate, float(at)) for at in x]
            return np.array(above) / truncated_sum(alpha, rate, float(self.xmin))

    return {kind.name: kind for kind in (Lognormal, Truncated, Stretched, Exponential)}


def _starts(name: str, data: Floats, law: PowerLaw) -> Iterator[Start | None]:
    if name == "truncated_power_law":
        yield {"alpha": law.alpha, "Lambda": 0.01 / float(data.max())}
        yield {"alpha": max(law.alpha - 0.3, 0.5), "Lambda": 1 / float(data.max())}
    elif name == "stretched_exponential":
        # of a given exponent the likeliest scale is known: that of a Weibull law from xmin on
        for beta in (1.0, 0.5, 0.3, 0.2, 0.1, 0.05):
            spread = np.mean(data**beta - (law.xmin - 0.5) ** beta)
            yield {"Lambda": float(spread ** (-1 / beta)), "beta": beta}
    elif name == "lognormal":
        yield None
        yield {"mu": 0.0, "sigma": 2.0}
        yield {"mu": -10.0, "sigma": 5.0}
    else:
        yield {"Lambda": float(np.log1p(1 / max(float(np.mean(data)) - law.xmin, 1e-9)))}
