"""What is compared of a model: its metadata as words, and the beginning of its card."""

from __future__ import annotations

import pyarrow as pa

from analysis.similarity.pairs import Ints, Pairs
from analysis.study.measures import Study
from warehouse.front_matter import split_card

CHARACTERS = 512
Texts = dict[int, str]
# A tag that names the parent, or what the Hub's services make of a repo, is no trait of the model.
METADATA = """
with word as (
    select asked.node, tag.tag as word
    from asked
    join main.model_tag as tag using (repo_id)
    where coalesce(tag.kind, '') not in ('base_model', 'region', 'deploy')
    union
    select node, unnest([pipeline_tag, library_name, model_type, architecture]) as word
    from asked
)
select node, string_agg(replace(word, ' ', '_'), ' ' order by word) as text
from word
where word is not null
group by node
order by node
"""
CARDS = """
select asked.node, left(card.text, 100_000) as text
from asked
join main.card as card using (repo_id)
order by node
"""


def metadata_texts(study: Study, nodes: Ints) -> Texts:
    """Metadata by node number: words, sorted, parted by spaces; 512 characters at most.

    They are the model's tags but those that name its base model, its region or the Hub's services,
    with its task, library and architecture. A model without any has no entry.
    """
    return beginnings(_asked(study, nodes, METADATA))


def card_texts(study: Study, nodes: Ints) -> Texts:
    """Cards by node number, their first 100,000 characters; a model without one has no entry."""
    return _asked(study, nodes, CARDS)


def bodies(cards: Texts) -> Texts:
    """Cards without their front matter."""
    return {node: split_card(text)[1] for node, text in cards.items()}


def beginnings(texts: Texts) -> Texts:
    """The first 512 characters of each, without white space around; empty ones have no entry."""
    begun = {key: text.strip()[:CHARACTERS] for key, text in texts.items()}
    return {key: text for key, text in begun.items() if text}


def ends(texts: Texts, pairs: Pairs) -> tuple[Texts, Texts]:
    """Texts of both ends of pairs, by place in ``pairs``."""
    return _placed(texts, pairs.first), _placed(texts, pairs.second)


def own_ends(cards: Texts, pairs: Pairs) -> tuple[Texts, Texts]:
    """Texts of both ends without the lines that also stand in their parent's card.

    Of an end that is that parent itself all lines stay. Takes bodies, gives beginnings by place in
    ``pairs``; an end of which nothing is left has no entry.
    """
    needed = set(pairs.source.tolist())
    lines = {node: set(_lines(text)) for node, text in cards.items() if node in needed}
    own = []
    for nodes in (pairs.first, pairs.second):
        taken = zip(nodes.tolist(), pairs.source.tolist(), strict=True)
        own.append(
            {
                place: "\n".join(
                    line
                    for line in _lines(cards[node])
                    if node == source or line not in lines.get(source, ())
                )
                for place, (node, source) in enumerate(taken)
                if node in cards
            }
        )
    return beginnings(own[0]), beginnings(own[1])


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def _placed(texts: Texts, nodes: Ints) -> Texts:
    return {place: texts[node] for place, node in enumerate(nodes.tolist()) if node in texts}


def _asked(study: Study, nodes: Ints, sql: str) -> Texts:
    study.db.register("asked_rows", pa.table({"node": nodes}))
    study.db.execute(
        "create or replace temp table asked as from node semi join asked_rows using (node)"
    )
    study.db.unregister("asked_rows")
    return dict(study.db.execute(sql).fetchall())
