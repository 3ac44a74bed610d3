"""What is declared, with its text, as lessons for the predictors: a sample where it is much."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from analysis.prediction.echoes import echo_columns
from analysis.prediction.questions import MISSING, Question
from analysis.prediction.splits import stratified
from analysis.prediction.tokens import Dictionary, ask, make_dictionary, make_matrix, read_cards
from analysis.prediction.trials import Lesson
from analysis.study.measures import Study

Ints = npt.NDArray[np.int64]
MOST_TAUGHT = 30_000  # instances of a question that are learned from and tested


def make_lessons(study: Study, questions: list[Question]) -> tuple[list[Lesson], Dictionary]:
    """A lesson for each question, and the dictionary of their matrices.

    A model has one row of text for all its attributes; an edge has one of its own, as its child is
    seen beside another parent.
    """
    taught = [_taught(study, question) for question in questions]
    seen = np.concatenate([_seen(one, rows) for one, rows in zip(questions, taught, strict=True)])
    pairs, at = np.unique(seen, axis=0, return_inverse=True)
    ask(study, pairs[:, 0], pairs[:, 1])
    cards = read_cards(study)
    dictionary = make_dictionary(study, cards)
    matrix = make_matrix(study, dictionary, cards)
    ends = np.cumsum([len(rows) for rows in taught])[:-1]
    lessons = []
    for question, rows, texts in zip(questions, taught, np.split(at.ravel(), ends), strict=True):
        echo = echo_columns(question.name, question.spellings, dictionary)
        lessons.append(Lesson(question, rows, matrix[texts], echo))
    return lessons, dictionary


def _seen(question: Question, rows: Ints) -> Ints:
    return np.column_stack([question.node[rows], question.parent[rows]])


def _taught(study: Study, question: Question) -> Ints:
    declared = np.flatnonzero(question.label != MISSING)
    rng = study.generator(f"prediction sample {question.name}")
    return declared[stratified(question.label[declared], MOST_TAUGHT, rng)]
