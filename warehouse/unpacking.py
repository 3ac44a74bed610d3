"""What one raw file becomes: rows for the landing tables, masked, private repos withheld.

Nothing here touches a database. An envelope that cannot be read becomes a row of ``rejected`` and
takes no other away; a facet that this version does not know lands like any other.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import orjson

from warehouse.front_matter import FrontMatterBroken, read_front_matter, split_card
from warehouse.masking import Kinds, Leaks, mask, masked, suspects_of_each
from warehouse.raw import RawFile, bytes_of, page_records, text_of
from warehouse.records import read_record, refusal
from warehouse.weight_files import weight_rows

Row = dict[str, Any]
Rows = dict[str, list[Row]]

# What has to be as a crawl writes it; of other fields a wrong one is null in its column.
ENVELOPE = {"fetched_at": str | None, "failure": str | None, "status": int | None}
JOURNAL = frozenset({"run", "sweep", "sample"})
URL_PARTS = ("endpoint", "repo_id", "revision", "path")  # the view answer puts them in, in order
WRITTEN_BY_THE_HUB = ("repo_id", "revision", "url", "final_url", "path", "etag", "error_code")


@dataclass(frozen=True)
class Answer:
    """One envelope of a raw file, and the rows that it adds to.

    ``position`` is its place in the file, ``envelope`` has no secrets but in its body. Of ``text``,
    the body (empty for headers of weights, which are bytes), ``suspects`` are the secrets that it
    may hold. ``commits`` are those that the file has told of so far, by repo, with their places.
    """

    file: RawFile
    position: int
    envelope: Row
    text: str
    suspects: Kinds
    rows: Rows
    commits: dict[str, dict[str, int]]

    @property
    def is_good(self) -> bool:
        """Whether the body is what was asked for."""
        return self.envelope.get("status") in {200, 206} and self.envelope.get("failure") is None

    def add(self, table: str, **fields: Any) -> None:
        """Add a row: fields of its own, then those of the envelope."""
        file = self.file
        self.rows[table].append(
            {**self.envelope, "facet": file.facet, "raw_file": file.name, **fields}
        )

    def reject(self, stage: str, reason: str, *, key: str | None = None) -> None:
        """Add a row of rejects; the key is the repo unless told."""
        self.rows["rejected"].append(
            {
                "source": self.file.name,
                "key": self.envelope.get("repo_id") if key is None else key,
                "stage": stage,
                "reason": masked(reason),
            }
        )

    def tell(self, leaks: Leaks, *, repo_id: str | None = None) -> None:
        """Note which masks stand in what lands."""
        for (kind, label), count in leaks.items():
            told = {"place": self.file.facet, "kind": kind, "mask": label, "count": count}
            self.add("leak", **told, repo_id=repo_id or self.envelope.get("repo_id"))


def unpack(file: RawFile) -> Rows:
    """The rows of one raw file by landing table."""
    rows: Rows = defaultdict(list)
    take = READERS.get(file.facet, _take_facet_page)
    for answer in _answers(file, rows):
        if file.facet not in JOURNAL:
            answer.add("answer", position=answer.position, **_shaped(answer.envelope))
        take(answer)
    return rows


def _answers(file: RawFile, rows: Rows) -> Iterator[Answer]:
    ours = {at: one for at, one in enumerate(file.envelopes) if _is_ours(one)}
    for position in range(len(file.envelopes)):
        if position not in ours:
            reason = f"envelope {position} is not one of ours"
            rows["rejected"].append(
                {"source": file.name, "key": f"#{position}", "stage": "raw", "reason": reason}
            )
    clean = _without_secrets(list(ours.values()))
    texts = ["" if file.facet == "tensors" else text_of(one) for one in clean]
    commits: dict[str, dict[str, int]] = defaultdict(dict)
    for one in zip(ours, clean, texts, suspects_of_each(texts), strict=True):
        yield Answer(file, *one, rows, commits)


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _is_ours(envelope: Any) -> bool:
    if not isinstance(envelope, dict) or not {"body", "body_base64"} & envelope.keys():
        return False
    if any(not isinstance(envelope.get(name), kind) for name, kind in ENVELOPE.items()):
        return False
    if "body_base64" not in envelope:
        return isinstance(envelope["body"], str)
    try:
        bytes_of(envelope)
    except (TypeError, ValueError):
        return False
    return True


def _without_secrets(envelopes: list[Row]) -> list[Row]:
    written = [
        {name: value for name in WRITTEN_BY_THE_HUB if isinstance(value := one.get(name), str)}
        for one in envelopes
    ]
    kinds = suspects_of_each(["\n".join(texts.values()) for texts in written])
    return [
        {**one, **{name: masked(text) for name, text in texts.items()}} if suspected else one
        for one, texts, suspected in zip(envelopes, written, kinds, strict=True)
    ]


def _shaped(envelope: Row) -> Row:
    """The columns of a url: in most of them other columns stand word for word, and are left out."""
    url = envelope.get("url")
    if not isinstance(url, str):
        return {}
    known = {name: held for name in URL_PARTS if isinstance(held := envelope.get(name), str)}
    shape = url
    for name, held in known.items():
        shape = shape.replace(held, f"{{{name}}}") if held else shape
    spelled = shape
    for name in URL_PARTS:
        spelled = spelled.replace(f"{{{name}}}", known.get(name, ""))
    return {"url": None, "url_shape": shape} if spelled == url else {}


def _take_listing(answer: Answer) -> None:
    # An escape like \\u0040 hides an @ from the quick search; records are written anew without.
    kinds = None if "\\u00" in answer.text else answer.suspects
    start = len(answer.rows["record"]) + len(answer.rows["rejected"])
    for position, record in enumerate(_records(answer.text), start):
        if not _withhold(answer, record) and not _is_taken(answer, position, record, kinds):
            answer.reject("parse", "record is not JSON", key=str(position))


def _is_taken(answer: Answer, position: int, record: Any, kinds: Kinds | None) -> bool:
    """Take a record in; one that is nested too deep to be written again is as good as none."""
    if isinstance(record, _Broken):
        return False
    try:
        _take_record(answer, position, _masked_record(answer, record, kinds))
    except orjson.JSONEncodeError:
        return False
    return True


def _masked_record(answer: Answer, record: Any, kinds: Kinds | None) -> Any:
    if kinds == ():
        return record
    text = orjson.dumps(record).decode()
    anew, leaks = mask(text, kinds)
    if anew == text:
        return record
    clean = orjson.loads(anew)
    answer.tell(leaks, repo_id=clean.get("id") if isinstance(clean, dict) else None)
    return clean


def _take_record(answer: Answer, position: int, record: Any) -> None:
    if reason := refusal(record):
        key = record.get("id") if isinstance(record, dict) else None
        answer.reject("listing", reason, key=key if isinstance(key, str) else f"#{position}")
        return
    envelope = answer.envelope
    row = read_record(record, fetched_at=envelope.get("fetched_at"))
    row["position"], row["raw_file"] = position, answer.file.name
    row["sweep_id"], row["fetched_at"] = envelope.get("sweep_id"), envelope.get("fetched_at")
    answer.rows["record"].append(row)


class _Broken:
    """Stands for a record that is not JSON."""


def _records(page: str) -> Iterator[Any]:
    try:
        records = orjson.loads(page)
    except orjson.JSONDecodeError:
        records = None
    if not isinstance(records, list):
        records = list(map(_parsed_or_broken, page_records(page))) or [_Broken()]
    yield from records


def _parsed_or_broken(text: str) -> Any:
    value, anew = _parsed(text)
    return _Broken() if anew is None else value


def _parsed(text: str) -> tuple[Any, str | None]:
    try:
        value = orjson.loads(text)
        return value, orjson.dumps(value).decode()
    except (orjson.JSONDecodeError, orjson.JSONEncodeError):
        return None, None


def _withhold(answer: Answer, record: Any) -> bool:
    """Reject a private repo by the hash of its name: the name itself may be a secret."""
    if not isinstance(record, dict) or record.get("private") is not True:
        return False
    name = str(record.get("id"))
    answer.reject("withheld", "private", key=hashlib.sha256(name.encode()).hexdigest()[:12])
    return True


def _take_card(answer: Answer) -> None:
    text = answer.text if answer.is_good else None
    front_matter, problems = _front_matter(text)
    for problem in problems:
        answer.reject("front_matter", problem)
    if text is not None:
        text, leaks = mask(text, answer.suspects)
        answer.tell(leaks)
    if answer.envelope.get("failure") in {None, "entry-missing"}:
        # Masked after it is read: in YAML a mask like [e-mail] would be a list.
        read = front_matter and masked(front_matter)
        count = None if text is None else len(text)
        more = {"text": text, "character_count": count, "front_matter": read}
        answer.add("card", position=answer.position, **more)


def _front_matter(text: str | None) -> tuple[str | None, list[str]]:
    source = split_card(text)[0] if text else None
    if source is None:
        return None, []
    try:
        mapping, duplicates = read_front_matter(source)
    except FrontMatterBroken as broken:
        return None, [str(broken)]
    told = [
        f"duplicate key {key[:80]!r} in front matter: the last one counts" for key in duplicates
    ]
    return orjson.dumps(mapping).decode(), told


def _take_commits(answer: Answer) -> None:
    try:
        commits = orjson.loads(answer.text if answer.is_good else "null")
        if answer.suspects or "\\u00" in answer.text:
            clean, leaks = mask(orjson.dumps(commits).decode())
            commits = orjson.loads(clean)
            answer.tell(leaks)
    except (orjson.JSONDecodeError, orjson.JSONEncodeError):
        answer.reject("parse", "answer for commits is not JSON")
        commits = None
    is_read = isinstance(commits, list)
    page = answer.envelope.get("page") or 0
    answer.add("commit_page", page=page, is_read=is_read)
    repo_id = answer.envelope.get("repo_id")
    told = answer.commits[str(repo_id)]
    for place, commit in enumerate(commits if is_read else (), 1):
        sha = commit.get("id") if isinstance(commit, dict) else None
        if isinstance(sha, str) and sha not in told:  # pages move on while they are read
            told[sha] = len(told) + 1
            row = {"raw_file": answer.file.name, "repo_id": repo_id, "page": page, "place": place}
            answer.rows["commit_entry"].append(row | {"position": told[sha]} | _commit(commit))


def _commit(commit: Row) -> Row:
    authors = commit.get("authors")
    return {
        "commit_sha": commit.get("id"),
        "title": commit.get("title"),
        "message": commit.get("message"),
        "committed_at": commit.get("date"),
        "authors": [_text(a.get("user")) for a in authors if isinstance(a, dict)]
        if isinstance(authors, list)
        else None,
    }


def _take_facet_page(answer: Answer) -> None:
    # A probe that was led elsewhere is told by its body.
    wanted = answer.is_good or (
        answer.file.facet == "probe" and answer.envelope.get("status") == 200
    )
    _land_json(answer, answer.text if wanted else None)


def _take_yaml(answer: Answer) -> None:
    text = None
    if answer.is_good:
        try:
            called = str(answer.envelope.get("path") or answer.file.facet)
            mapping, _ = read_front_matter(answer.text, called=called)
            text = orjson.dumps(mapping).decode()
        except FrontMatterBroken as broken:
            answer.reject("parse", str(broken))
    _land_json(answer, text)


def _land_json(answer: Answer, text: str | None) -> None:
    probe = answer.file.facet == "probe"
    if not probe and answer.envelope.get("failure") not in {None, "entry-missing"}:
        return  # it says nothing of the repo: that it came is a row of answer
    value, anew = (None, None) if text is None else _parsed(text)
    if _withhold(answer, value):
        return
    if text is not None and anew is None:
        answer.reject("parse", f"answer for {answer.file.facet} is not JSON")
    if text is not None and anew is not None:
        anew, leaks = mask(anew if "\\u00" in text else text)
        answer.tell(leaks)
    answer.add("facet_page", position=answer.position, answer=anew)


def _take_journal(answer: Answer) -> None:
    _, entry = _parsed(answer.text)
    if entry is None:
        answer.reject("parse", f"{answer.file.facet} is not JSON", key=answer.file.name)
    else:
        answer.add("journal", entry=masked(entry))


def _take_tensors(answer: Answer) -> None:
    if not answer.is_good:
        return
    found = weight_rows(answer.envelope)
    for problem in found.problems:
        answer.reject("parse", problem)
    answer.tell(found.leaks)
    for weight_file, tensors in found.weight_files:
        position = len(answer.rows["weight_file"])
        answer.add("weight_file", position=position, **weight_file)
        answer.rows["tensor"] += [
            {"raw_file": answer.file.name, "position": position, **tensor} for tensor in tensors
        ]


READERS: dict[str, Callable[[Answer], None]] = {
    "model": _take_listing,
    "card": _take_card,
    "commits": _take_commits,
    "mergekit_config": _take_yaml,
    "tensors": _take_tensors,
    **dict.fromkeys(JOURNAL, _take_journal),
}
