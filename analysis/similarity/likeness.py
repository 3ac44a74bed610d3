"""How alike two texts are, from 0 to 1, three ways.

Source: Laufer, Oderinwa, Kleinberg, "Anatomy of a Machine Learning Ecosystem: 2 Million Models on
Hugging Face" (2025): normalised Levenshtein, bag-of-words cosine, TF-IDF cosine over 512 features
of one or two words.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from rapidfuzz.distance import Levenshtein
from rapidfuzz.process import cpdist
from scipy.sparse import csr_array, csr_matrix
from sklearn.feature_extraction.text import CountVectorizer, TfidfTransformer
from sklearn.preprocessing import normalize

Floats = npt.NDArray[np.float64]
FEATURES = 512
# Words as people read them; a tag (text-generation, license:mit) stays one word.
WORD = r"[\w.:/+#-]*\w"


def edit_likeness(first: Sequence[str], second: Sequence[str]) -> Floats:
    """1 - Levenshtein distance / length of the longer text, shape (n pairs,)."""
    found = cpdist(
        first, second, scorer=Levenshtein.normalized_similarity, dtype=np.float64, workers=-1
    )
    return np.asarray(found, np.float64)


class Vocabulary:
    """The words that texts are compared by, counted in a random sample of them.

    Parameters
    ----------
    texts
        Sample that the words and their document frequencies come from.
    words
        Whether they are all single words, as they are counted, or the 512 most frequent of one or
        two words, weighed by TF-IDF (inverse document frequency, smoothed as scikit-learn does).
    """

    def __init__(self, texts: Sequence[str], *, words: bool) -> None:
        self._counts = CountVectorizer(token_pattern=WORD, ngram_range=(1, 1 if words else 2))
        self._weights: TfidfTransformer | None = None
        counted = self._counts.fit_transform(texts)
        if not words:
            frequent = _most_frequent(counted, FEATURES)
            names = self._counts.get_feature_names_out()[frequent]
            self._counts = CountVectorizer(token_pattern=WORD, ngram_range=(1, 2), vocabulary=names)
            self._weights = TfidfTransformer().fit(counted[:, frequent])

    def likeness(self, first: Sequence[str], second: Sequence[str]) -> Floats:
        """Cosines, shape (n pairs,); NaN where a text has none of the words."""
        one, other = self._vectors(first), self._vectors(second)
        cosines = np.asarray(one.multiply(other).sum(axis=1)).ravel()
        blank = (np.diff(one.indptr) == 0) | (np.diff(other.indptr) == 0)
        return np.where(blank, np.nan, cosines)

    def _vectors(self, texts: Sequence[str]) -> csr_array:
        counted = self._counts.transform(texts)
        weighed = counted if self._weights is None else self._weights.transform(counted)
        return csr_array(normalize(weighed))


def _most_frequent(counted: csr_matrix, most: int) -> npt.NDArray[np.int64]:
    """Columns of the largest sums, in order; of equal ones the first by name."""
    totals = np.asarray(counted.sum(axis=0)).ravel()
    return np.sort(np.argsort(-totals, kind="stable")[:most])
