"""Likeness of relatives, slowly: texts, words, cosines, distances, means and twins of their own."""

import math
import re
from collections import Counter
from functools import cache
from itertools import pairwise

KINDS = ("random", "parent_child", "siblings", "grandparent")
TWINS = ("raw", "owner_capped", "no_bulk", "dated", "other_owner")


def distance(one, other):
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        last, row[0] = row[0], i
        for j, b in enumerate(other, 1):
            last, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, last + (a != b))
    return row[-1]


def terms(text, *, pairs):
    words = re.findall(r"[\w.:/+#-]*\w", text.lower())
    return words + [f"{a} {b}" for a, b in pairwise(words)] * pairs


def cosine(one, other):
    norms = [math.sqrt(sum(x * x for x in vector.values())) for vector in (one, other)]
    dot = sum(one[term] * other[term] for term in one if term in other)
    return dot / (norms[0] * norms[1]) if all(norms) else math.nan


def slow_tfidf(sample):
    counted = [Counter(terms(text, pairs=True)) for text in sample]
    total = Counter()
    for one in counted:
        total.update(one)
    features = {term for term, _ in sorted(total.items(), key=lambda x: (-x[1], x[0]))[:512]}
    seen = Counter(term for one in counted for term in one)

    def vector(text):
        of = Counter(terms(text, pairs=True))
        return {
            term: n * (1 + math.log((1 + len(sample)) / (1 + seen[term])))
            for term, n in of.items()
            if term in features
        }

    return vector


@cache
def swift_distance(one, other):
    """Levenshtein distance, a column of the table as the bits of one number (Myers 1999)."""
    mask, score = (1 << len(one)) - 1, len(one)
    if one == other:
        return 0
    if not one or not other:
        return max(len(one), len(other))
    at = {}
    for place, letter in enumerate(one):
        at[letter] = at.get(letter, 0) | 1 << place
    up, down, last = mask, 0, 1 << (len(one) - 1)
    for letter in other:
        same = at.get(letter, 0)
        vertical = same | down
        horizontal = (((same & up) + up) ^ up) | same
        more, less = down | (~(horizontal | up) & mask), up & horizontal
        score += bool(more & last) - bool(less & last)
        more, less = (more << 1 | 1) & mask, less << 1 & mask
        up, down = less | (~(vertical | more) & mask), more & vertical
    return score


def edits(one, other):
    return 1 - swift_distance(one, other) / max(len(one), len(other))


def slow_words(sample):
    known = {word for text in sample for word in terms(text, pairs=False)}

    @cache
    def vector(text):
        return {w: n for w, n in Counter(terms(text, pairs=False)).items() if w in known}

    return vector


def body(card):
    """What follows the fenced head of a card."""
    lines = card.removeprefix("\ufeff").lstrip().split("\n")
    if lines[0].rstrip("\r \t") != "---":
        return card
    for at, line in enumerate(lines[1:], 1):
        if line.rstrip("\r \t") in {"---", "..."}:
            return "\n" + "\n".join(lines[at + 1 :])
    return card


def begun(texts):
    cut = {name: text.strip()[:512] for name, text in texts.items()}
    return {name: text for name, text in cut.items() if text}


def own(cards, name, source):
    """A card without the lines of its parent's; None where nothing is left, or there is none."""
    if name not in cards:
        return None
    taken = set() if name == source else {x.strip() for x in cards.get(source, "").splitlines()}
    lines = [x.strip() for x in cards[name].splitlines()]
    return "\n".join(x for x in lines if x and x not in taken).strip()[:512] or None


class SlowLikeness:
    """Means by (measure, kind, twin): value and count; ``pairs`` are (first, second, source)."""

    def __init__(self, study, drawn):
        nodes = study.db.execute(
            "select repo_id, owner, is_bulk, is_dated from node order by node"
        ).fetchall()
        ids = [name for name, *_ in nodes]
        self.owner = {name: owner for name, owner, *_ in nodes}
        self.bulk = {name for name, _, is_bulk, _ in nodes if is_bulk}
        self.dated = {name for name, *_, is_dated in nodes if is_dated}
        self.means, self.pairs = {}, {}
        for kind, pairs in drawn.items():
            rows = zip(
                *(ends.tolist() for ends in (pairs.first, pairs.second, pairs.source)), strict=True
            )
            self.pairs[kind] = [(ids[a], ids[b], None if s < 0 else ids[s]) for a, b, s in rows]

    def count_cards(self, cards):
        pairs = self.pairs
        bodies = {name: body(text) for name, text in cards.items()}
        self.compare("card_file", begun(cards))
        ways = self.compare("card", begun(bodies))
        for kind in KINDS[1:]:
            told = [(own(bodies, a, s), own(bodies, b, s), a, b) for a, b, s in pairs[kind]]
            for way, likeness in ways.items():
                values = [likeness(a, b) for a, b, *_ in told if a and b]
                values = [x for x in values if not math.isnan(x)]
                self.mean(f"card_{way}", kind, "own_text", values, [1.0] * len(values))

    def compare(self, text, texts):
        firsts = {first for first, *_ in self.pairs["random"]}
        sample = [texts[name] for name in sorted(firsts) if name in texts]
        tfidf, words = cache(slow_tfidf(sample)), slow_words(sample)
        ways = {
            "tfidf": lambda a, b: cosine(tfidf(a), tfidf(b)),
            "words": lambda a, b: cosine(words(a), words(b)),
            "edits": edits,
        }
        for kind, pairs in self.pairs.items():
            for way, likeness in ways.items():
                told = [
                    (likeness(texts[a], texts[b]), a, b)
                    for a, b, _ in pairs
                    if a in texts and b in texts
                ]
                told = [row for row in told if not math.isnan(row[0])]
                for twin, weights in self.weights(told).items():
                    self.mean(f"{text}_{way}", kind, twin, [x for x, *_ in told], weights)
        return ways

    def weights(self, told):
        sizes = Counter(self.owner[a] for _, a, _ in told)
        return {
            "raw": [1.0 for _ in told],
            "owner_capped": [min(1.0, 10 / sizes[self.owner[a]]) for _, a, _ in told],
            "no_bulk": [float(not {a, b} & self.bulk) for _, a, b in told],
            "dated": [float({a, b} <= self.dated) for _, a, b in told],
            "other_owner": [float(self.owner[a] != self.owner[b]) for _, a, b in told],
        }

    def mean(self, measure, kind, twin, values, weights):
        whole = sum(weights)
        total = sum(w * x for w, x in zip(weights, values, strict=True))
        count = sum(w != 0 for w in weights)
        self.means[measure, kind, twin] = total / whole if whole else None, count


def slow_metadata(record):
    left_out = ("base_model:", "region:", "deploy:")
    words = {tag for tag in record["tags"] if not tag.startswith(left_out)}
    words |= {record[name] for name in ("pipeline_tag", "library_name") if record.get(name)}
    return " ".join(word.replace(" ", "_") for word in sorted(words)).strip()[:512]
