"""The figures of the anatomy, in the order of the report."""

from __future__ import annotations

from functools import partial

from atlas.report.charts import bars, curves, dots, tail
from atlas.report.figures import Figure

KIN = (
    "Up to 10,000 pairs of a kind, one for each edge; cosine of TF-IDF over 512 words and pairs of"
    " words; 95 % intervals resample owners or families, whichever is wider."
)
MOST_BARS = 15
POPULAR = "Downloads are the Hub's 30-day figure, which counts requests, not people."


def measured(analysis: str, measure: str, label: str = "subject") -> str:
    """A query for the values of one measure: all its subjects and twins."""
    return (
        f"select {label} as label, twin, value, low, high, published\n"
        "from study_measure\n"
        f"where analysis = '{analysis}' and measure = '{measure}'\n"
        "order by analysis, measure, subject, twin"
    )


def plotted(analysis: str, *series: str, line: str = "subject", where: str = "twin = 'raw'") -> str:
    """A query for the points of some series, a line a subject."""
    named = ", ".join(f"'{one}'" for one in series)
    return (
        f"select {line} as line, x, label, y, low, high\n"
        "from study_series\n"
        f"where analysis = '{analysis}' and series in ({named}) and {where}\n"
        "order by line, x"
    )


def ranked(analysis: str, series: str, subject: str) -> str:
    """A query for the bars of one series, in their order."""
    return (
        "select label, y, low, high\n"
        "from study_series\n"
        f"where analysis = '{analysis}' and series = '{series}' and subject = '{subject}'"
        f" and twin = 'raw'\norder by x\nlimit {MOST_BARS}"
    )


STRUCTURE = (
    Figure(
        "growth",
        "structure",
        "Models and edges by month",
        "Models made in each month, and edges by the month in which their child was made.",
        plotted(
            "structure",
            *("models_created", "edges_created"),
            line="case when series = 'models_created' then 'models'"
            " else coalesce(nullif(subject, ''), 'edges') end",
            where="twin = 'raw' and (series = 'models_created' or subject = '')",
        ),
        partial(curves, x="", y="in the month", months=True),
        "What was made before March 2022 has no time of its own and is left out; what was deleted"
        " before the first crawl was never seen.",
    ),
    Figure(
        "family_sizes",
        "structure",
        "How large families are",
        "Share of families of at least so many models, those of one left out, with the laws that"
        " were fitted to their tail by maximum likelihood.",
        plotted(
            "structure",
            "family_size",
            "family_size_fit",
            line="case when series ="
            " 'family_size' then 'families' else replace(subject, '_', ' ') end",
        ),
        partial(
            tail, data="families", x="models in the family", y="share of families at least so large"
        ),
        "Laws that cannot be told apart stand in the relation tail_fit, with their likelihood"
        " ratios: a straight line is no proof of a power law.",
    ),
    Figure(
        "relation_by_generation",
        "structure",
        "Which relation makes each generation",
        "Share of each relation among the edges into models of a generation, with 95 % intervals.",
        plotted("structure", "relation_by_generation"),
        partial(curves, x="generation", y="share of edges", share=True, marks=True),
    ),
    Figure(
        "fertility",
        "structure",
        "Whose children have children",
        "Of the edges of a relation, the share whose child is a parent itself.",
        measured("structure", "fertile_share"),
        partial(dots, unit="share of edges", share=True),
    ),
    Figure(
        "days_to_child",
        "structure",
        "How soon children come",
        "Share of children made within so many days of their parent, by relation.",
        plotted("structure", "days_to_child", where="twin = 'raw' and subject <> ''"),
        partial(curves, x="days after the parent", y="share of children", log="x", share=True),
        "Only where both times are known and the child is the younger; how many are in the wrong"
        " order stands under wrong_order_share.",
    ),
)
CONCENTRATION = (
    Figure(
        "lorenz",
        "concentration",
        "How few own how much",
        "Share of uploads and of downloads that the smallest owners hold together.",
        plotted("concentration", "lorenz"),
        partial(curves, x="share of owners, smallest first", y="share held", share=True),
        POPULAR,
    ),
    Figure(
        "top_uploaders",
        "concentration",
        "Owners with the most models",
        "Models by owner, the largest first.",
        ranked("concentration", "top_owner", "uploads"),
        partial(bars, unit="models"),
    ),
    Figure(
        "top_downloads",
        "concentration",
        "Owners with the most downloads",
        "Downloads of all of an owner's models together.",
        ranked("concentration", "top_owner", "downloads"),
        partial(bars, unit="downloads in 30 days"),
        POPULAR,
    ),
)
SIMILARITY = (
    Figure(
        "likeness_metadata",
        "similarity",
        "How alike relatives are in their metadata",
        KIN,
        measured("similarity", "metadata_tfidf"),
        partial(dots, unit="cosine"),
    ),
    Figure(
        "likeness_cards",
        "similarity",
        "How alike relatives are in their cards",
        KIN + " The first 512 characters of a card below its front matter.",
        measured("similarity", "card_tfidf"),
        partial(dots, unit="cosine"),
    ),
)
IMPACT = (
    Figure(
        "poisoning",
        "impact",
        "Where poison would flow furthest",
        "Models made later, on any path of declared edges, from one repo.",
        ranked("impact", "top_repos", "poisoning"),
        partial(bars, unit="descendants"),
        "That a model could take poison in is no sign that it did.",
    ),
    Figure(
        "breaking",
        "impact",
        "Whose deletion breaks most",
        "Models that load this repo, or an adapter of it, when they are used.",
        ranked("impact", "top_repos", "deletion"),
        partial(bars, unit="models that would not load"),
    ),
    Figure(
        "dependence",
        "impact",
        "How much hangs on how few",
        "Share of all derived models below the repos with the most descendants, taken together.",
        plotted("impact", "dependent_share"),
        partial(curves, x="repos", y="share of derived models", log="x", share=True, marks=True),
    ),
    Figure(
        "orphans",
        "impact",
        "Whose base is gone already",
        "Share of derived models with a base that is gone, gated, disabled, or was never listed.",
        measured("impact", "orphan_share"),
        partial(dots, unit="share of derived models", share=True),
        "A ghost may be private, misspelled, or out of what was crawled; only gone, gated and"
        " disabled are known.",
    ),
)
FIGURES = (*STRUCTURE, *CONCENTRATION, *SIMILARITY, *IMPACT)
