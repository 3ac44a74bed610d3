"""Studies of traits and drift alone, for tests, and how to ask one for a number."""

from __future__ import annotations

from analysis.study.frame import lay_out
from analysis.study.measures import Study
from analysis.traits.drift import drift
from analysis.traits.mutation import traits
from warehouse.read import open_warehouse


def told(db, **options):
    study = Study(db.cursor(), **options)
    lay_out(study)
    traits(study)
    drift(study)
    return study


def studied(home, **options):
    home.built().close()
    with open_warehouse(home.folder) as db:
        yield told(db, **options)


def number(study, measure, subject="", twin="raw"):
    (found,) = [
        one
        for one in study.measures
        if (one.measure, one.subject, one.twin) == (measure, subject, twin)
    ]
    return found


def value(study, measure, subject="", twin="raw"):
    return number(study, measure, subject, twin).value


def rows(study, sql):
    return study.db.execute(sql).fetchall()
