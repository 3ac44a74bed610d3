"""The life of a repo: its commits, tags, pull request and discussions."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from crawler.localhub.shelf import Commit, RepoFile, put_blob
from crawler.localhub.zoo.breed import Grown, own_seed
from crawler.localhub.zoo.cards import card
from crawler.localhub.zoo.pack import GIT_ATTRIBUTES
from crawler.localhub.zoo.species import Animal

UPLOAD = "Upload folder using huggingface_hub"
EDIT = "Update README.md"
FORMER_LICENSE = "apache-2.0"
LATER_EDIT_SHARE = 0.4
QUESTIONS = (
    "Which images were held out?",
    "Licence of the derived models?",
    "Works on 16 by 16 digits too?",
)


@dataclass(frozen=True)
class Edit:
    """One commit to be: a title, changed files, tags that point at it."""

    title: str
    files: dict[str, bytes]
    tags: tuple[str, ...] = ()
    pull_request: int = 0


@dataclass
class Chronicle:
    """What `crawler.localhub.shelf.Repo` holds beside the record; commits newest first."""

    commits: list[Commit] = field(default_factory=list)
    refs: dict[str, list[dict[str, str]]] = field(default_factory=dict)
    discussions: list[dict[str, object]] = field(default_factory=list)


def edits(animal: Animal, grown: Grown | None, *, copied: bytes, seed: int) -> list[Edit]:
    """What happens to a repo, in order; ``copied`` is a card taken over word for word."""
    if animal.history == "nothing":
        return []
    first = Edit("initial commit", {".gitattributes": GIT_ATTRIBUTES})
    if grown is None:
        return [first]
    if animal.card == "none":
        return [first, Edit(UPLOAD, grown.now.files)]
    if copied:
        return [first, Edit(UPLOAD, {**grown.now.files, "README.md": copied})]
    return [first, *HISTORIES.get(animal.history, _plain)(grown, seed)]


def chronicle(animal: Animal, steps: list[Edit], *, blobs: Path, seed: int) -> Chronicle:
    """Turn edits into commits with dates and ids, store the files, and set the refs."""
    draw = np.random.default_rng(own_seed(f"dates/{animal.repo_id}", seed))
    date = born_at(animal, seed)
    tree: dict[str, RepoFile] = {}
    story = Chronicle(discussions=_discussions(animal, seed))
    tags: list[dict[str, str]] = []
    pulls: list[dict[str, str]] = []
    for number, edit in enumerate(steps):
        tree |= {path: put_blob(blobs, content) for path, content in edit.files.items()}
        date += _pause(number, draw)
        commit_id = _commit_id(animal, number, tree, seed)
        author = {"user": animal.owner}
        story.commits.insert(
            0, Commit(commit_id, edit.title, stamp(date), dict(tree), authors=[author])
        )
        tags += [_ref(tag, f"refs/tags/{tag}", commit_id) for tag in edit.tags]
        if edit.pull_request:
            name = f"refs/pr/{edit.pull_request}"
            pulls.append(_ref(name, name, commit_id))
    branches = [_ref("main", "refs/heads/main", c.id) for c in story.commits[:1]]
    story.refs = {"branches": branches, "converts": [], "tags": tags, "pullRequests": pulls}
    return story


def born_at(animal: Animal, seed: int) -> datetime:
    """The instant of creation: that of the plan, or a drawn one on the plan's day."""
    if "T" in animal.born:
        return datetime.fromisoformat(animal.born)
    second = own_seed(f"born/{animal.repo_id}", seed) % 80_000
    return datetime.fromisoformat(animal.born).replace(tzinfo=UTC) + timedelta(seconds=second)


def stamp(date: datetime) -> str:
    """An instant as the Hub writes it: UTC, milliseconds, Z."""
    return date.strftime("%Y-%m-%dT%H:%M:%S.000Z")


def _plain(grown: Grown, seed: int) -> list[Edit]:
    animal = grown.animal
    later = np.random.default_rng(own_seed(f"edit/{animal.repo_id}", seed)).random()
    first = [Edit(UPLOAD, grown.now.files)]
    if later >= LATER_EDIT_SHARE:
        return [*first, Edit("Upload README.md", _card(grown))]
    return [*first, Edit("Upload README.md", _card(grown, brief=True)), Edit(EDIT, _card(grown))]


def _releases(grown: Grown, _: int) -> list[Edit]:
    former, now = (version.files for version in grown.versions)
    talked = int(grown.animal.talked_about)
    title = "Say how to use it and where it ends" + (" (#1)" if talked else "")
    return [
        Edit(UPLOAD, former),
        Edit("Upload README.md", _card(grown, version=0, brief=True), tags=("v1.0",)),
        Edit(title, _card(grown, version=0), pull_request=talked),
        Edit("Train to the end", {**now, **_card(grown)}, tags=("v1.1",)),
    ]


def _silent(grown: Grown, _: int) -> list[Edit]:
    # The card keeps the accuracy of the weights that are no longer there.
    former, now = (version.files for version in grown.versions)
    return [
        Edit(UPLOAD, former),
        Edit("Upload README.md", _card(grown, version=0)),
        Edit(UPLOAD, now),
    ]


def _relicensed(grown: Grown, _: int) -> list[Edit]:
    talked = int(grown.animal.talked_about)
    title = f"Relicense under {grown.animal.license}" + (" (#1)" if talked else "")
    return [
        Edit(UPLOAD, grown.now.files, tags=("v1.0",)),
        Edit("Upload README.md", _card(grown, license_name=FORMER_LICENSE)),
        Edit(title, _card(grown), tags=("v1.1",), pull_request=talked),
    ]


HISTORIES = {"releases": _releases, "silent": _silent, "relicensed": _relicensed}


def _card(
    grown: Grown, *, version: int = -1, brief: bool = False, license_name: str = ""
) -> dict[str, bytes]:
    license_name = license_name or grown.animal.license
    text = card(grown, grown.versions[version], license_name=license_name, brief=brief)
    return {"README.md": text.encode()}


def _discussions(animal: Animal, seed: int) -> list[dict[str, object]]:
    if not animal.talked_about:
        return []
    start = born_at(animal, seed) + timedelta(minutes=45)  # the pull request comes first
    pull: dict[str, object] = {
        "title": "Improve the card",
        "status": "merged",
        "isPullRequest": True,
    }
    asked: list[dict[str, object]] = [
        {"title": title, "status": "open" if number % 2 else "closed", "isPullRequest": False}
        for number, title in enumerate(QUESTIONS)
    ]
    people = ("noraqv", "tinytutor", "oxbow-ml", "mergehaven")
    talk: list[dict[str, object]] = []
    for number, (one, author) in enumerate(zip([pull, *asked], people, strict=True), start=1):
        created = stamp(start + timedelta(days=9 * (number - 1)))
        more: dict[str, object] = {
            "num": number,
            "createdAt": created,
            "author": {"name": author, "type": "user"},
        }
        repo = {"name": animal.repo_id, "type": "model"}
        talk.insert(0, {**more, **one, "repo": repo})
    return talk


def _pause(number: int, draw: np.random.Generator) -> timedelta:
    if number == 0:
        return timedelta(0)
    if number <= 2:
        return timedelta(seconds=int(draw.integers(20, 900)))
    return timedelta(seconds=int(draw.integers(3_600, 40 * 86_400)))


def _commit_id(animal: Animal, number: int, tree: dict[str, RepoFile], seed: int) -> str:
    listed = "\n".join(f"{path} {file.sha256}" for path, file in sorted(tree.items()))
    text = f"{seed} {animal.repo_id} {number}\n{listed}"
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()


def _ref(name: str, ref: str, commit_id: str) -> dict[str, str]:
    return {"name": name, "ref": ref, "targetCommit": commit_id}
