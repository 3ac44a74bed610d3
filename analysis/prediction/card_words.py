"""Words of cards: of the first lines under the front matter, each with what its line talks about.

A line that names an attribute ("License: MIT", "a fine-tuned version of") may restate it. Its words
are told apart from the same words elsewhere, so that whoever predicts that attribute can drop them
and whoever predicts another one can use them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from analysis.study.measures import Study

Ints = npt.NDArray[np.int64]
CHARACTERS = 600  # of a card's text that are read
# A line talks about an attribute when it holds one of these, whatever the case.
TALK = {
    "license": ("licen", "copyright"),
    "pipeline_tag": ("pipeline", "automodel", "task"),
    "library_name": ("library", "framework", "import", "pip install"),
    "model_type": ("model_type", "model type", "architecture", "config "),
    "relation": (
        *("base_model", "base model", "tuned", "tuning", "adapter", "lora", "merge", "quant"),
        *("gguf", "gptq", "awq"),
    ),
}
# A front matter that is not closed is text: its keys are words that lines talk with.
BODY = """
select row, left(
    case when starts_with(text, '---') and position(chr(10) || '---' in text) > 0
        then substr(text, position(chr(10) || '---' in text) + 4)
        else text
    end, {characters}) as body
from asked
join main.card as told on told.repo_id = asked.repo_id
where {between}
"""
PARTING = b"\t\r!\"#$%&()*,:;<=>?@[\\]^`{|}~'/"
SPLIT_AT = bytes.maketrans(
    PARTING + bytes(range(65, 91)), b" " * len(PARTING) + bytes(range(97, 123))
)


@dataclass(frozen=True)
class CardWords:
    """Words of cards, as they stand.

    Attributes
    ----------
    row
        Shape (w words,): whose card; a word that a card has often is there often.
    talk
        Shape (w,): bits of the attributes that its line talks about, in the order of `TALK`.
    word
        w lower-case words, split at blanks and punctuation but not at ``-``, ``_``, ``+`` and a
        ``.`` within a word.
    """

    row: Ints
    talk: Ints
    word: pa.Array


def read_bodies(study: Study, between: str) -> pa.Table:
    """First letters of the cards of whom temp table ``asked`` names: columns row and body.

    ``between`` bounds their names.
    """
    sql = BODY.format(characters=CHARACTERS, between=between)
    return study.db.sql(sql).to_arrow_table().combine_chunks()


def words_of(bodies: pa.Table) -> CardWords:
    """Words of such cards."""
    body = _plain(bodies["body"].cast(pa.large_string()).combine_chunks())
    line_row, line = _split(body, "\n")
    word_line, word = _split(line, " ")
    row = bodies["row"].to_numpy()[line_row[word_line]]
    return CardWords(row, _talks(line)[word_line], word)


def talks_about(talk: int) -> list[str]:
    """The attributes that bits stand for."""
    return [name for bit, name in enumerate(TALK) if talk >> bit & 1]


def _plain(text: pa.Array) -> pa.Array:
    """Lower-case and without punctuation: byte for byte, so that places stay as they are."""
    valid, offsets, letters = text.buffers()
    plain = (letters.to_pybytes() if letters else b"").translate(SPLIT_AT)
    plain = plain.replace(b". ", b"  ").replace(b".\n", b" \n")
    buffers = [valid, offsets, pa.py_buffer(plain)]
    return pa.Array.from_buffers(text.type, len(text), buffers, text.null_count, text.offset)


def _split(text: pa.Array, at: str) -> tuple[Ints, pa.Array]:
    """The parts that are not empty, and the number of the text that each is from."""
    parts = pc.split_pattern(text, at)
    origin, flat = pc.list_parent_indices(parts), pc.list_flatten(parts)
    full = pc.not_equal(flat, "")
    return origin.filter(full).to_numpy(), flat.filter(full)


def _talks(line: pa.Array) -> Ints:
    """Lines recur from card to card: each is looked at once."""
    coded = line.dictionary_encode()
    talk = np.zeros(len(coded.dictionary), np.int64)
    for bit, words in enumerate(TALK.values()):
        any_word = "|".join(re.escape(word) for word in words)
        held = pc.match_substring_regex(coded.dictionary, any_word)
        talk |= held.to_numpy(zero_copy_only=False).astype(np.int64) << bit
    return np.asarray(talk[coded.indices.to_numpy()])
