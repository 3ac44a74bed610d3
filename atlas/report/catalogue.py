"""The figures of the anatomy, in the order of the report."""

from __future__ import annotations

from functools import partial

from atlas.report.charts import bars, curves, dots, heat, ladder, tail
from atlas.report.figures import Figure

KIN = (
    "Up to 10,000 pairs of a kind, one for each edge; cosine of TF-IDF over 512 words and pairs of"
    " words; 95 % intervals resample owners or families, whichever is wider."
)
ATTRIBUTE = "split_part(subject, ' by ', 1)"
BY_FAMILY = "ends_with(subject, ' by family')"
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
        partial(curves, x="", y="in the month", log="y", months=True),
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
TRAITS = (
    Figure(
        "mutation",
        "traits",
        "How much each trait changes from parent to child",
        "Mean Jaccard distance of a trait's values over edges whose ends both report it.",
        measured("traits", "mutation_rate").replace(
            "= 'mutation_rate'", "= 'mutation_rate' and not contains(subject, ',')"
        ),
        partial(dots, unit="distance"),
        "What a parent declares now may not be what it declared when its child was made; how often"
        " that was seen stands under parent_observed_share.",
    ),
    Figure(
        "mutation_by_relation",
        "traits",
        "Which relation changes what",
        "The same for the edges of each relation, raw.",
        """select split_part(subject, ', ', 1) as label, split_part(subject, ', ', 2) as "group",
    value as y, low, high
from study_measure
where analysis = 'traits' and measure = 'mutation_rate' and contains(subject, ',')
    and twin = 'raw' and split_part(subject, ', ', 2) <> 'unknown'
    and split_part(subject, ', ', 1) in ('task', 'library', 'license', 'language', 'tag')
order by label, "group\"""",
        partial(bars, unit="distance"),
    ),
)
DRIFT = (
    Figure(
        "license_transitions",
        "drift",
        "Which licence became which",
        "Edges from a parent's licence (rows) to its child's (columns), of the licences with most"
        " edges; a row is coloured by its shares.",
        """with busy as (
    select value
    from (
        select parent_value as value, traffic from trait_transition
        where trait = 'license' and twin = 'raw'
        union all
        select child_value as value, traffic from trait_transition
        where trait = 'license' and twin = 'raw'
    )
    group by value
    order by sum(traffic) desc, value
    limit 14
)
select parent_value as "row", child_value as "column", traffic as value
from trait_transition
where trait = 'license' and twin = 'raw'
    and parent_value in (from busy) and child_value in (from busy)
order by edge_count desc, "row", "column\"""",
        partial(heat, x="the child's licence", y="the parent's licence"),
    ),
    Figure(
        "license_order",
        "drift",
        "The order in which licences drift",
        "The order of licences for which most changes lead onward (linear ordering problem); beside"
        " each, its changes that follow the order and those against it.",
        """select value as label, forward_traffic as forward, backward_traffic as backward
from drift_order
where trait = 'license' and twin = 'raw'
order by position""",
        partial(ladder, forward="along the order", backward="against it"),
        "An order is found in any traffic: forward_p tells how often chance does as well, and"
        " forward_share_held_out how well the order of some owners fits the others.",
    ),
    Figure(
        "direction",
        "drift",
        "How much of the change follows one order",
        "Share of the changes of a trait that lead onward in its best order.",
        measured("drift", "forward_share"),
        partial(dots, unit="share of changes", share=True),
        "Few changes fit some order nearly whole, whatever they are.",
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
LICENSES = (
    Figure(
        "license_classes",
        "licenses",
        "Which kinds of licence models bear",
        "Share of models by the class of what they declare, by the rule table license_rule.",
        measured("licenses", "class_share"),
        partial(dots, unit="share of models", share=True),
    ),
    Figure(
        "license_charges",
        "licenses",
        "Are a base model's obligations kept?",
        "Each derived model by the worst verdict on any obligation of any ancestor: conflict,"
        " unclear, unknown, or all kept.",
        measured("licenses", "model_charge_share"),
        partial(dots, unit="share of derived models", share=True),
        "Advice, no legal judgement: a licence may be granted in ways that no tag tells.",
    ),
    Figure(
        "license_duties",
        "licenses",
        "Which obligations get lost",
        "Share of derived models that drop an obligation of some ancestor.",
        """select split_part(subject, ',', 1) as label, twin, value, low, high, published
from study_measure
where analysis = 'licenses' and measure = 'duty_charge_share' and ends_with(subject, ', conflict')
order by subject, twin""",
        partial(dots, unit="share of derived models", share=True),
    ),
    Figure(
        "license_exposure",
        "licenses",
        "How many downloads they are",
        "The same verdicts weighed by downloads.",
        measured("licenses", "exposure"),
        partial(dots, unit="share of downloads of derived models", share=True),
        POPULAR,
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
PREDICTION = (
    Figure(
        "prediction_accuracy",
        "prediction",
        "How well what is not declared can be told",
        "Accuracy on families that were held out whole, beside the vote of the family and the most"
        " frequent value.",
        """select split_part(subject, ' by ', 1) as label,
    case measure
        when 'accuracy' then 'kin, owner and text'
        when 'accuracy_family_vote' then 'vote of the family'
        else 'most frequent value'
    end as "group",
    value as y, low, high
from study_measure
where analysis = 'prediction' and ends_with(subject, ' by family') and twin = 'raw'
    and measure in ('accuracy', 'accuracy_family_vote', 'accuracy_majority')
order by label, measure""",
        partial(bars, unit="share right", share=True),
        "Held out are models that do declare it; those that do not may be harder.",
    ),
    Figure(
        "prediction_reliability",
        "prediction",
        "Whether probabilities mean what they say",
        "Share that is right among answers of like probability; on the diagonal they mean what they"
        " say.",
        plotted("prediction", "reliability", line=ATTRIBUTE, where=BY_FAMILY),
        partial(curves, x="probability told", y="share right", share=True, marks=True),
    ),
    Figure(
        "prediction_coverage",
        "prediction",
        "What abstaining buys",
        "Accuracy of the answers that are surest, by the share that is answered.",
        plotted("prediction", "coverage_accuracy", line=ATTRIBUTE, where=BY_FAMILY),
        partial(curves, x="share answered", y="share right", share=True),
    ),
)
FIGURES = (
    *STRUCTURE,
    *CONCENTRATION,
    *TRAITS,
    *DRIFT,
    *SIMILARITY,
    *LICENSES,
    *IMPACT,
    *PREDICTION,
)
