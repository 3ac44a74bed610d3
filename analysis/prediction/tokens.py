"""What is written about a model, as rows of a sparse 0/1 matrix: one column a token.

A token is a kind and a text: a word of the name (``name``), of the parent's name
(``parent_name``), a tag (``tag``), a file at the top of the repo (``file``), an extension
(``extension``), the count of parameters (``parameters``; ``magnitude`` is its power of two), a
dtype (``dtype``), an attribute of the model or of its parent (``own.license``,
``parent.license``), the relation to the parent (``relation``), a word of the card (``word``).
Front matter is no card text. A word stands under the attributes that its line talks about
(``word[license]``), so that each attribute can drop what restates it; see `echoes`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from scipy import sparse

from analysis.prediction.card_words import TALK, CardWords, read_bodies, talks_about, words_of
from analysis.study.measures import Study

Ints = npt.NDArray[np.int64]
Cells = tuple[Ints, Ints]
TRAITS = ("pipeline_tag", "library_name", "license", "model_type", "architecture")
FEWEST_MODELS = 5  # a token that fewer models of a sample bear is no column
CARDS_AT_ONCE = 50_000
MOST_TOKENS = 20_000  # the most frequent of them are columns
TALKS = 1 << len(TALK)
ROWS = 1 << 32
ASKED = """
create or replace temp table asked as
select row, repo_id, asked_rows.node, asked_rows.parent, parameter_count,
    {own}
from asked_rows
join node on node.node = asked_rows.node
order by row
"""
OWN = "select row, {trait} as text from asked"
OF_PARENT = """
    select row, node.{trait} as text from asked join node on node.node = asked.parent"""
PLAIN = {
    "name": """
        select row, unnest(list_distinct(string_split(
            translate(lower(split_part(repo_id, '/', -1)), '-._ ', '    '), ' '
        ))) as text
        from asked""",
    "parent_name": """
        select row, unnest(list_distinct(string_split(
            translate(lower(split_part(node.repo_id, '/', -1)), '-._ ', '    '), ' '
        ))) as text
        from asked join node on node.node = asked.parent""",
    "tag": """
        select row, tag as text
        from asked join main.model_tag as told on told.repo_id = asked.repo_id
        where (kind is null or kind in ('dataset', 'arxiv')) and {between}""",
    "file": """
        select row, lower(path) as text
        from asked join main.repo_file as told on told.repo_id = asked.repo_id
        where not contains(path, '/') and {between}""",
    "extension": """
        select distinct row, extension as text
        from asked join main.repo_file as told on told.repo_id = asked.repo_id
        where extension is not null and {between}""",
    "parameters": "select row, parameter_count::varchar as text from asked",
    "magnitude": """
        select row, floor(log2(parameter_count))::integer::varchar as text
        from asked where parameter_count > 0""",
    "dtype": """
        select row, unnest(json_keys(safetensors, '$.parameters')) as text
        from asked join main.model_metadata as told on told.repo_id = asked.repo_id
        where contains(safetensors, '"parameters":{{"') and {between}""",
    "relation": """
        select row, relation as text
        from asked join kin on kin.child = asked.node and kin.parent = asked.parent""",
    **{f"own.{trait}": OWN.format(trait=trait) for trait in TRAITS},
    **{f"parent.{trait}": OF_PARENT.format(trait=trait) for trait in TRAITS},
}
FREQUENT = """
select count(distinct row) as n, '{kind}', text
from ({sql})
where text <> ''
group by text
having n >= {fewest}
"""
CELLS = """
select told.row::integer as row, known.column
from ({sql}) as told
join known on known.text = told.text
"""


@dataclass(frozen=True)
class Dictionary:
    """The tokens that are columns.

    Attributes
    ----------
    kind, text
        Of each column, shape (d,).
    """

    kind: list[str]
    text: list[str]

    def __len__(self) -> int:
        return len(self.kind)


def ask(study: Study, node: Ints, parent: Ints) -> None:
    """Say of whom the next matrix tells: temp table ``asked``.

    Parameters
    ----------
    node, parent
        Shape (n rows,): numbers of a model and of the parent that it is seen beside; -1 for none.
    """
    rows = pa.table({"row": np.arange(len(node)), "node": node, "parent": parent})
    study.db.register("asked_rows", rows)
    study.db.execute(ASKED.format(own=", ".join(f"node.{trait}" for trait in TRAITS)))
    study.db.unregister("asked_rows")


def read_cards(study: Study) -> pa.Table:
    """Cards of the rows asked for, as `card_words` reads them."""
    return read_bodies(study, _between(study))


def make_dictionary(study: Study, cards: pa.Table) -> Dictionary:
    """Tokens that at least `FEWEST_MODELS` of the rows asked for bear, the most frequent ones."""
    found: list[tuple[int, str, str]] = []
    between = _between(study)
    for kind, sql in PLAIN.items():
        of_kind = sql.format(between=between)
        frequent = FREQUENT.format(kind=kind, sql=of_kind, fewest=FEWEST_MODELS)
        found += study.db.execute(frequent).fetchall()
    found += _frequent_words(words_of(cards))
    found = sorted(found, key=lambda one: (-one[0], one[1], one[2]))[:MOST_TOKENS]
    return Dictionary([kind for _, kind, _ in found], [text for _, _, text in found])


def make_matrix(study: Study, dictionary: Dictionary, cards: pa.Table) -> sparse.csr_array:
    """0/1 of the rows asked for, shape (n rows, d columns), float32."""
    between = _between(study)
    count = study.db.execute("select count(*) from asked").fetchall()[0][0]
    parts = [
        _cells(study, kind, sql.format(between=between), dictionary) for kind, sql in PLAIN.items()
    ]
    parts += [
        _word_cells(words_of(cards.slice(at, CARDS_AT_ONCE)), dictionary)
        for at in range(0, len(cards), CARDS_AT_ONCE)
    ]
    row, column = (np.concatenate(part).astype(np.int32) for part in zip(*parts, strict=True))
    ones = np.ones(len(row), np.float32)
    matrix = sparse.csr_array((ones, (row, column)), shape=(count, len(dictionary)))
    matrix.sum_duplicates()
    matrix.data[:] = 1
    return matrix


def word_kind(talk: int) -> str:
    """The kind of a card's word whose line talks about these attributes."""
    return f"word[{','.join(talks_about(talk))}]"


def _between(study: Study) -> str:
    """A condition that spares the database all other models' rows."""
    low, high = study.db.execute("select min(repo_id), max(repo_id) from asked").fetchall()[0]
    return f"told.repo_id between {_quoted(low or '')} and {_quoted(high or '')}"


def _cells(study: Study, kind: str, sql: str, dictionary: Dictionary) -> Cells:
    columns = [at for at, one in enumerate(dictionary.kind) if one == kind]
    if not columns:
        return _no_cells()
    texts = pa.array([dictionary.text[at] for at in columns], pa.string())
    study.db.register("known", pa.table({"text": texts, "column": pa.array(columns, pa.int32())}))
    found = study.arrays(CELLS.format(sql=sql))
    study.db.unregister("known")
    return found["row"], found["column"]


def _frequent_words(words: CardWords) -> list[tuple[int, str, str]]:
    coded = words.word.dictionary_encode()
    code = coded.indices.to_numpy().astype(np.int64)
    borne = np.unique((code * TALKS + words.talk) * ROWS + words.row) // ROWS
    token, count = np.unique(borne, return_counts=True)
    enough = count >= FEWEST_MODELS
    texts = coded.dictionary.take(token[enough] // TALKS).to_pylist()
    kinds = [word_kind(int(talk)) for talk in token[enough] % TALKS]
    return list(zip(count[enough].tolist(), kinds, texts, strict=True))


def _word_cells(words: CardWords, dictionary: Dictionary) -> Cells:
    talks = {word_kind(talk): talk for talk in range(TALKS)}
    columns = [at for at, kind in enumerate(dictionary.kind) if kind in talks]
    texts = pa.array([dictionary.text[at] for at in columns], pa.large_string())
    vocabulary = pc.unique(texts)
    table = np.full((len(vocabulary) + 1, TALKS), -1)
    at_talk = [talks[dictionary.kind[at]] for at in columns]
    table[pc.index_in(texts, vocabulary).to_numpy(zero_copy_only=False), at_talk] = columns
    code = pc.fill_null(pc.index_in(words.word, vocabulary), len(vocabulary)).to_numpy()
    column = table[code, words.talk]
    kept = column >= 0
    return words.row[kept].astype(np.int32), column[kept].astype(np.int32)


def _no_cells() -> Cells:
    return np.zeros(0, np.int64), np.zeros(0, np.int64)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
