"""Which repo a name belonged to, and when: repos are renamed, and names are given to others.

A repo is its ``_id``. Listings say which name it had at a time, and so does an answer that is a
record. A name belongs to the repo that was last seen under it, before any such look to the first.
Where no ``_id`` tells (a hub without, a copy on this machine), a name belongs to the repo to which
a redirect leads, and else stands for a repo of its own.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from operator import attrgetter, itemgetter
from pathlib import Path
from sys import intern
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import orjson

from crawler.failures import repo_of
from crawler.raw import Envelope, body_of, read_raw
from crawler.restraint import page_records

ALWAYS, NEVER = "", "9999"  # before and after all times as envelopes write them
FORGOTTEN = "forgotten"  # stands for all repos of which no more than a digest is left
RECORDS = frozenset({"probe", "security"})  # facets whose answers are records

Span = tuple[str, str]


class Saying(NamedTuple):
    """What a raw file says of a name, in lower case, at a time.

    Either that it was the repo ``hub_id``'s, or that it led to the name ``led_to``, or nothing but
    the name. ``sweep`` is the listing that said so, None for an answer about one repo.
    """

    name: str
    at: str
    hub_id: str | None
    led_to: str | None
    sweep: int | None


def gather(
    files: list[Path], is_wanted: Callable[[str], bool], hub_ids: Iterable[str]
) -> list[Saying]:
    """All that raw files say of the wanted names, of these repos, and of all that is tied to them.

    Reads the files again until nothing new is tied; keeps nothing of other repos. Raises
    `RawFileDamaged`.
    """
    names, repos = set[str](), set(hub_ids)
    while True:
        before, found = len(names) + len(repos), dict[Saying, None]()
        for said in (said for path in files for one in read_raw(path) for said in sayings(one)):
            called = [name for name in (said.name, said.led_to) if name is not None]
            if said.hub_id in repos or any(n in names or is_wanted(n) for n in called):
                found[said] = None
                names.update(name for name in called if not is_wanted(name))
                repos.update(() if said.hub_id is None else (said.hub_id,))
        if len(names) + len(repos) == before:
            return list(found)


def sayings(one: Envelope) -> Iterator[Saying]:
    """What an envelope says of names."""
    if one.get("facet") == "model":
        yield from _listed(one)
    elif isinstance(one.get("repo_id"), str):
        asked, at = _key(one["repo_id"]), fetched_at(one)
        yield Saying(asked, ALWAYS, None, None, None)
        answered, hub_id = answered_by(one)
        if answered is not None and hub_id is not None:
            yield Saying(_key(answered), at, hub_id, None, None)
        if answered is not None and _key(answered) != asked:
            yield Saying(asked, at, hub_id, _key(answered), None)


def answered_by(one: Envelope) -> tuple[str | None, str | None]:
    """Which repo answered, where an answer tells: its name, and its ``_id``."""
    record = _record(one)
    if isinstance(record.get("id"), str):
        return record["id"], _id_of(record)
    final, endpoint = one.get("final_url"), one.get("endpoint")
    if isinstance(final, str) and isinstance(endpoint, str) and final.startswith(f"{endpoint}/"):
        return repo_of(urlsplit(final[len(endpoint) :]).path), None
    return None, None


def fetched_at(one: Envelope) -> str:
    """When an answer came; before all others where it does not tell."""
    at = one.get("fetched_at")
    return at if isinstance(at, str) else ALWAYS


def is_lasting(hub_id: object) -> bool:
    """Whether an ``_id`` is the hub's own, which a repo keeps; a copy's is made up here."""
    return isinstance(hub_id, str) and not hub_id.startswith(("local-", "id:"))


class Names:
    """Who held which name when, out of what `gather` found.

    ``forgotten_since`` gives the times from which a name was that of a repo forgotten before: what
    raw files held of that is gone, and the name must not fall to who had it earlier.
    """

    def __init__(
        self, found: list[Saying], forgotten_since: Callable[[str], list[str]] = lambda name: []
    ) -> None:
        self.found = found
        self.names = sorted({said.name for said in found})
        self.looks: dict[str, list[tuple[str, str]]] = {}
        self.last: dict[str, tuple[str, str]] = {}
        self.first: dict[str, str] = {}
        self.sweeps: dict[str, set[int | None]] = defaultdict(set)
        for said in sorted(found, key=attrgetter("at")):
            if said.led_to is None and said.hub_id is not None and is_lasting(said.hub_id):
                self.looks.setdefault(said.name, []).append((said.at, said.hub_id))
                self.last[said.hub_id] = (said.at, said.name)
                self.first.setdefault(said.hub_id, said.at)
                self.sweeps[said.hub_id].add(said.sweep)
        for name in self.names:
            if gone := [(at, FORGOTTEN) for at in forgotten_since(name)]:
                self.looks[name] = sorted([*self.looks.get(name, []), *gone], key=itemgetter(0))
        self.ties = [*_redirects(found), *_shared_copies(found)]
        self._name_the_others()

    def holder(self, name: str, at: str) -> str | None:
        """The repo that a name belonged to; None for a name of which nothing is known."""
        looks = self.looks.get(_key(name))
        if not looks:
            return None
        return looks[max(bisect_right(looks, (at, "\uffff")) - 1, 0)][1]

    def repos_called(self, is_wanted: Callable[[str], bool], also: set[str]) -> set[str]:
        """The repos that have these names, or had them last, and those that they became.

        ``also`` names repos that are to be among them.
        A name that a repo gave up counts for it as long as no other repo has taken it since.
        """
        wanted = [name for name in self.looks if is_wanted(name)]
        repos = {repo for name in wanted for repo in (*self.present(name), self.looks[name][-1][1])}
        repos |= also
        same = self._same_repos()
        while more := {other for pair in same for other in pair if repos & pair} - repos:
            repos |= more
        return repos

    def present(self, name: str) -> set[str]:
        """The repos that nothing newer names otherwise; several where one was made anew."""
        past = {repo for _, repo in self.looks[name]}
        return {repo for repo in past if repo in self.last and self.last[repo][1] == name}

    def spans(self, name: str, repos: set[str]) -> list[Span]:
        """When a name belonged to one of these repos: from, until."""
        looks = self.looks.get(name, [])
        starts = [ALWAYS, *(at for at, _ in looks[1:]), NEVER]
        held = zip(looks, starts, starts[1:], strict=False)
        return [(since, until) for (_, repo), since, until in held if repo in repos]

    def copies(self, repos: set[str]) -> set[str]:
        """The made-up ``_id`` of copies on this machine that are of these repos alone."""
        holders = defaultdict[str, set[str | None]](set)
        for said in self.found:
            if said.hub_id is not None and not is_lasting(said.hub_id):
                holders[said.hub_id].add(self.holder(said.name, said.at))
        return {copy for copy, held_by in holders.items() if held_by <= repos}

    def _name_the_others(self) -> None:
        """Give names that no listing gave to a repo to the one that they are tied to."""
        self._inherit()
        for name in self.names:
            if name not in self.looks:
                self.looks[name] = [(ALWAYS, f"name:{name}")]
                self._inherit()

    def _inherit(self) -> None:
        while True:
            heirs = defaultdict[str, list[tuple[str, str]]](list)
            for one, at, other, hub_id in self.ties:
                for name, tied in ((one, other), (other, one)):
                    holder = hub_id or self.holder(tied, at)
                    if name not in self.looks and holder is not None:
                        heirs[name].append((at, holder))
            if not heirs:
                return
            self.looks |= {name: sorted(looks) for name, looks in heirs.items()}

    def _same_repos(self) -> list[set[str]]:
        """Pairs of ``_id`` that a redirect ties; never two that were listed beside each other."""
        pairs = []
        for name, at, other, hub_id in self.ties:
            old, new = self.holder(name, at), hub_id or self.holder(other, at)
            if old in self.last and new in self.last and old != new:
                ended = self.last[old][0] < self.first[new] and self.last[old][0] <= at
                if ended and self.sweeps[old].isdisjoint(self.sweeps[new] - {None}):
                    pairs.append({old, new})
        return pairs


Tie = tuple[str, str, str, str | None]


def _redirects(found: list[Saying]) -> Iterator[Tie]:
    for said in found:
        if said.led_to is not None:
            lasting = said.hub_id if is_lasting(said.hub_id) else None
            yield said.name, said.at, said.led_to, lasting


def _shared_copies(found: list[Saying]) -> Iterator[Tie]:
    """Names that one copy on this machine had one after the other."""
    before: dict[str, Saying] = {}
    for said in sorted(found, key=attrgetter("at")):
        if said.hub_id is not None and not is_lasting(said.hub_id):
            past = before.get(said.hub_id, said)
            if past.name != said.name:
                yield past.name, said.at, said.name, None
            before[said.hub_id] = said


def _listed(one: Envelope) -> Iterator[Saying]:
    at, sweep = fetched_at(one), one.get("sweep_id")
    for record in page_records(body_of(one)):
        if isinstance(record.get("id"), str):
            hub_id = _id_of(record)
            yield Saying(_key(record["id"]), at if hub_id else ALWAYS, hub_id, None, sweep)


def _record(one: Envelope) -> dict[str, Any]:
    if one.get("facet") not in RECORDS:
        return {}
    try:
        record = orjson.loads(body_of(one))
    except orjson.JSONDecodeError:
        return {}
    return record if isinstance(record, dict) else {}


def _id_of(record: dict[str, Any]) -> str | None:
    hub_id = record.get("_id")
    return intern(hub_id) if isinstance(hub_id, str) and hub_id else None


def _key(name: str) -> str:
    return intern(name.lower())
