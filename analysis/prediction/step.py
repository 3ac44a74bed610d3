"""The step of a study that predicts undocumented attributes, and says how good it is at that."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from analysis.prediction.lessons import make_lessons
from analysis.prediction.questions import (
    ATTRIBUTES,
    MISSING,
    RELATION,
    Question,
    model_questions,
    relation_question,
)
from analysis.prediction.scores import NAME, note_absence, note_scores
from analysis.prediction.splits import SPLITS
from analysis.prediction.telling import SCHEMA, Told, tell
from analysis.prediction.trials import Lesson, Trial, attempt
from analysis.study.measures import Study

# Whose predictor tells: owners that it never saw are what it will meet most.
TELLING = ("owner", "family", "time")
HELD_OUT = pa.schema(
    [
        ("attribute", pa.string()),
        ("split", pa.string()),
        ("node", pa.int64()),
        ("parent", pa.int64()),
        *((name, pa.string()) for name in ("declared", "predicted")),
        ("probability", pa.float64()),
        ("is_told", pa.bool_()),
        *((name, pa.string()) for name in ("majority", "family_vote")),
    ]
)


def predict(study: Study) -> None:
    """Predict task, library, licence, its family, model type and relation where they are missing.

    Keeps ``attribute_prediction``, ``relation_prediction`` and ``held_out_prediction``. Notes the
    measures of `analysis.prediction.scores` for each attribute and split; and of each attribute how
    many ``values`` can be told, which share declares others (``rest_share``), how many models are
    ``lacking`` it, how many of these are ``told``, from which ``threshold`` on, and how often that
    is likely right (``expected_accuracy``).
    """
    questions = [*model_questions(study), relation_question(study)]
    lessons, dictionary = make_lessons(study, questions)
    trials = [trial for lesson in lessons for trial in _tried(study, lesson)]
    del lessons
    held_out = [_held_out(trial) for trial in trials]
    study.keep("held_out_prediction", pa.concat_tables([HELD_OUT.empty_table(), *held_out]))
    tellers = _tellers(trials)
    models = tell(study, [tellers[name] for name in ATTRIBUTES if name in tellers], dictionary)
    edges = tell(study, [tellers[name] for name in [RELATION] if name in tellers], dictionary)
    _keep(study, "attribute_prediction", models)
    _keep(study, "relation_prediction", edges)
    told = {one.trial.question.name: one for one in models + edges}
    for question in questions:
        _note_told(study, question, told.get(question.name))


def _tried(study: Study, lesson: Lesson) -> list[Trial]:
    trials = []
    name = lesson.question.name
    for split in SPLITS:
        made = attempt(lesson, split, study.generator(f"prediction {name} by {split}"))
        if isinstance(made, str):
            note_absence(study, name, split, made)
        else:
            note_scores(study, made)
            trials.append(made)
    return trials


def _tellers(trials: list[Trial]) -> dict[str, Trial]:
    tellers: dict[str, Trial] = {}
    for trial in sorted(trials, key=lambda one: TELLING.index(one.split)):
        tellers.setdefault(trial.question.name, trial)
    return tellers


def _held_out(trial: Trial) -> pa.Table:
    question, rows = trial.question, trial.rows
    values = np.array(question.values, object)
    parent = question.parent[rows]
    columns = {
        "attribute": [question.name] * len(rows),
        "split": [trial.split] * len(rows),
        "node": question.node[rows],
        "parent": pa.array(parent, mask=np.full(len(rows), question.name != RELATION)),
        "declared": values[question.code[rows]],
        "predicted": values[trial.value],
        "probability": trial.probability,
        "is_told": trial.is_told,
        "majority": [question.values[trial.majority]] * len(rows),
        "family_vote": values[trial.family_vote],
    }
    return pa.table(columns).cast(HELD_OUT)


def _keep(study: Study, name: str, told: list[Told]) -> None:
    tables = [_named(one.rows, one.trial.question) for one in told]
    study.keep(name, pa.concat_tables(tables) if tables else _named(SCHEMA.empty_table(), None))


def _named(rows: pa.Table, question: Question | None) -> pa.Table:
    """With the attribute, and the numbers of the model and of its parent."""
    none = np.zeros(0, np.int64)
    node, parent = (none, none) if question is None else (question.node, question.parent)
    instance = rows["instance"].to_numpy()
    name = pa.scalar("" if question is None else question.name)
    rows = rows.append_column("node", pa.array(node[instance]))
    rows = rows.append_column("parent", pa.array(parent[instance]))
    return rows.append_column("attribute", pa.repeat(name, len(rows)))


def _note_told(study: Study, question: Question, told: Told | None) -> None:
    name = question.name
    declared = int(np.count_nonzero(question.label != MISSING))
    rest = int(np.count_nonzero(question.label == len(question.classes)))
    lacking = int(np.count_nonzero(question.is_asked))
    found = 0 if told is None else len(told.rows)
    unit = "edges" if name == RELATION else "models"
    undeclared = f"nobody declares {name}"
    untold = f"no {name} is told"
    numbers: list[tuple[str, float | None, int, str, str]] = [
        ("values", len(question.classes), declared, "values", ""),
        ("rest_share", rest / declared if declared else None, declared, "share", undeclared),
        ("lacking", lacking, lacking, unit, ""),
        ("told", found, lacking, unit, ""),
        ("threshold", told.threshold if told and found else None, found, "probability", untold),
        ("expected_accuracy", told.expected_accuracy if told else None, found, "share", untold),
    ]
    for measure, value, count, of_unit, reason in numbers:
        study.add(
            analysis=NAME,
            measure=measure,
            subject=name,
            value=value,
            count=count,
            unit=of_unit,
            reason=reason if value is None else None,
        )
