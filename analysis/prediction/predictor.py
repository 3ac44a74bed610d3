"""The predictor: a linear model of the tokens, pooled with the votes of the neighbours.

Each class c of an instance gets the score Σ_k w_k · s_k(c), and probabilities are its softmax. The
opinions s_k are: the logarithm of the class's share (prior); what the text says, the logarithm of
a one-against-rest logistic regression; and of each source of votes the logarithm of
(votes for c + 2 · share) / (votes + 2) over the share, which is 0 where nobody votes. The w_k are
the same for all classes, at least 0, and found by maximum likelihood on a fold that the text model
has not seen: this linear pool of logarithms is also the calibration.

A value is told from that probability on at which, on another fold, it could be rejected that more
than a tenth of what is told is wrong, and never below a half.

Source: Genest, Zidek, "Combining probability distributions", Statist. Sci. 1 (1986) for the pool;
Angelopoulos et al., "Learn then test" (2021) for the threshold.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import optimize, sparse
from scipy.special import log_expit, log_softmax, softmax
from scipy.stats import binom
from sklearn.linear_model import SGDClassifier

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[Any]
Bools = npt.NDArray[np.bool_]
EPOCHS = 8
PENALTY = 1e-5
VOTE_SMOOTHING = 2.0
POOL_PENALTY = 1e-3
POOLED_MOST = 3000  # instances that the pool's few weights are found on
MOST_WRONG = 0.1  # share of what is told
DOUBT = 0.05
FEWEST_TOLD = 30
LEAST_PROBABLE = 0.5  # what is less likely than not is not told, however well the rest does
NEVER_SEEN = -8.0  # score of a class that the text model has not met


@dataclass(frozen=True)
class TextModel:
    """Scores of c classes from d tokens.

    Attributes
    ----------
    weights
        Shape (d, c); 0 for echoes.
    bias
        Shape (c,).
    kept
        Shape (d,): 0 for echoes, else 1. A row is divided by the root of how many it has of them.
    """

    weights: Floats
    bias: Floats
    kept: Floats

    def scores(self, matrix: sparse.csr_array) -> Floats:
        """Logarithms, shape (n, c)."""
        length = np.sqrt(np.maximum(matrix @ self.kept, 1))[:, None]
        return np.asarray(log_expit((matrix @ self.weights) / length + self.bias))


@dataclass(frozen=True)
class Predictor:
    """All that is learned of a question.

    Attributes
    ----------
    text
        The model of the tokens.
    share
        Shape (c,): of each class where it was taught.
    trust
        Shape (2 + sources,): the weight of the prior, of the text, and of each source.
    threshold
        Probability from which on a value is told; above 1 if none can be.
    """

    text: TextModel
    share: Floats
    trust: Floats
    threshold: float

    def opinions(self, matrix: sparse.csr_array, votes: Sequence[Floats]) -> Floats:
        """What each source says of each class, shape (2 + sources, n, c)."""
        return opinions(self.text, self.share, matrix, votes)

    def probabilities(self, opinion: Floats) -> Floats:
        """Shape (n, c); the last class is that of rare values, which is never told."""
        return np.asarray(softmax(np.tensordot(self.trust, opinion, 1), axis=1))


def best_two(probability: Floats) -> tuple[Ints, Ints]:
    """The likeliest class that can be told, and the next one, each shape (n,)."""
    order = np.argsort(-probability[:, :-1], axis=1, kind="stable")
    return order[:, 0], order[:, 1]


def opinions(
    text: TextModel, share: Floats, matrix: sparse.csr_array, votes: Sequence[Floats]
) -> Floats:
    """See `Predictor.opinions`."""
    said = text.scores(matrix)
    stack = np.empty((2 + len(votes), *said.shape), np.float32)
    stack[0], stack[1] = np.log(share), said
    for at, vote in enumerate(votes, 2):
        count = vote.sum(axis=1, keepdims=True)
        smooth = (vote + VOTE_SMOOTHING * share) / (count + VOTE_SMOOTHING)
        stack[at] = np.log(smooth / share)
    return stack


def learn_text(
    matrix: sparse.csr_array, label: Ints, echo: Bools, class_count: int, rng: np.random.Generator
) -> TextModel:
    """Learn the weights of tokens.

    Parameters
    ----------
    matrix
        Shape (n, d).
    label
        Shape (n,): 0 to class_count - 1, two of them at least.
    echo
        Shape (d,): columns to drop.
    """
    kept = (~echo).astype(np.float32)
    columns = np.flatnonzero(~echo)
    length = np.sqrt(np.maximum(matrix @ kept, 1)).astype(np.float32)
    rows = _narrow(sparse.diags_array(1 / length) @ matrix[:, columns])
    seed = int(rng.integers(2**31))
    model = SGDClassifier(
        loss="log_loss", alpha=PENALTY, max_iter=EPOCHS, tol=None, random_state=seed
    )
    model.fit(rows, label)
    coefficients, bias = model.coef_, model.intercept_
    if len(model.classes_) == 2:  # one row stands for both
        coefficients, bias = np.vstack([-coefficients, coefficients]), np.array([-bias[0], bias[0]])
    weights = np.zeros((matrix.shape[1], class_count), np.float32)
    weights[np.ix_(columns, model.classes_)] = coefficients.T
    biases = np.full(class_count, NEVER_SEEN, np.float32)
    biases[model.classes_] = bias
    return TextModel(weights, biases, kept)


def learn_trust(opinion: Floats, label: Ints) -> Floats:
    """The pool's weights by maximum likelihood, shape (sources,).

    Parameters
    ----------
    opinion
        Shape (sources, n, c).
    label
        Shape (n,).
    """
    rows = np.arange(len(label))
    if not len(rows):
        return np.ones(len(opinion))

    def loss(trust: Floats) -> tuple[float, Floats]:
        score = log_softmax(np.tensordot(trust, opinion, 1), axis=1)
        excess = np.exp(score)
        excess[rows, label] -= 1
        slope = np.tensordot(opinion, excess, ((1, 2), (0, 1))) / len(rows)
        value = -score[rows, label].mean() + POOL_PENALTY * trust @ trust
        return float(value), slope.astype(np.float64) + 2 * POOL_PENALTY * trust

    start = np.full(len(opinion), 0.5)
    bounds = [(0.0, None)] * len(opinion)
    return np.asarray(optimize.minimize(loss, start, jac=True, bounds=bounds, method="L-BFGS-B").x)


def find_threshold(probability: Floats, is_right: Bools) -> float:
    """From which probability on at most a tenth of what is told is wrong.

    From the one that tells a fifth on, lower and lower thresholds are tested, each at level
    `DOUBT`, until one fails; so all of them together hold at that level. Where none fails, all that
    is as likely as not may be told.

    Parameters
    ----------
    probability, is_right
        Shape (n,): of the likeliest class, and whether it is the declared one.

    Returns
    -------
    2 where not even the surest fifth can be told.
    """
    order = np.argsort(-probability, kind="stable")
    falling, wrong = probability[order], np.cumsum(~is_right[order])
    found = 2.0
    tested = [*range(max(FEWEST_TOLD, len(order) // 5) - 1, len(order), max(1, len(order) // 50))]
    for at in tested:
        told = int(np.searchsorted(-falling, -falling[at], side="right"))  # with all that are equal
        if binom.cdf(wrong[told - 1], told, MOST_WRONG) > DOUBT:
            return found
        found = max(float(falling[at]), LEAST_PROBABLE)
    return LEAST_PROBABLE if tested else found  # all may be told


def _narrow(matrix: sparse.csr_array) -> sparse.csr_array:
    """With 32-bit indices, as scikit-learn wants them."""
    narrow = sparse.csr_array(matrix)
    narrow.indices = narrow.indices.astype(np.int32)
    narrow.indptr = narrow.indptr.astype(np.int32)
    return narrow
