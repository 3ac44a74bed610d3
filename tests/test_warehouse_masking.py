"""What people leaked never lands: tokens and e-mail addresses are masked, words are not."""

import hashlib
import re

import orjson
import pytest
from huggingface_hub.utils import validate_repo_id
from hypothesis import given
from hypothesis import strategies as st

from warehouse.masking import mask, masked, suspects_of_each

LETTERS = "AbCdEfGhIjKlMnOpQrStUvWxYz0123456789AbCdEfGhIjKlMnOpQrStUvWxYz"
TOKENS = {
    "huggingface": "hf_" + LETTERS[:34],
    "huggingface-org": "api_org_" + LETTERS[:34],
    "github": "ghp_" + LETTERS[:36],
    "openai": "sk-" + LETTERS[:48],
    "anthropic": "sk-ant-api03-" + LETTERS[:50],
    "aws": "AKIA" + "ABCDEFGHIJ234567",
    "google": "AIza" + LETTERS[:35],
    "slack": "xoxb-" + "123456789012-" + LETTERS[:24],
    "gitlab": "glpat-" + LETTERS[:20],
    "pypi": "pypi-AgEI" + LETTERS[:40],
}
OTHER_SPELLINGS = ["gho_" + LETTERS[:36], "ghs_" + LETTERS[:36], "github_pat_" + LETTERS[:60]]
SURROUNDINGS = ["{}", "a {} b", "name-{}", "x_{}", "'{}'", "line\n{}\n", "token={}&x", "%3D{}."]
INNOCENT = [
    "hf_transfer and hf_hub_download and hf_" + "d95b1fb237299c616a363d47b6117a0e564186dc",
    "d95b1fb237299c616a363d47b6117a0e564186dc",
    "risk-" + "a1" * 30,
    "sk-learn-pipelines-of-many-words-and-v2",
    "o/Shelf_hf_model",
    "wav2vec2_hf_" + "x" * 20,
    "AKIA" + "A" * 30,
    "xox-not-a-token",
    "git@github.com:owner/name.git",
    "https://cdn.example.org/npm/pkg@1.2.3/dist/x.js",
    "mAP@0.5 and Recall@10 and logo@2x.png and @decorator and user@localhost",
]


@pytest.mark.parametrize("kind", TOKENS)
@pytest.mark.parametrize("around", SURROUNDINGS)
def test_a_token_becomes_a_mask_that_tells_kind_and_hash_alone(kind, around):
    token = TOKENS[kind]
    text, leaks = mask(around.format(token))
    digest = hashlib.sha256(token.encode()).hexdigest()[:8]
    ((found, label),) = leaks
    assert found == kind
    assert label.endswith(f"MASKED-{digest}")
    assert text == around.format(label)
    assert token.startswith(label.split("MASKED-")[0])


@pytest.mark.parametrize("token", [*TOKENS.values(), *OTHER_SPELLINGS])
def test_an_id_that_held_a_token_is_still_an_id(token):
    text = masked(f"owner/{token}")
    assert token not in text
    validate_repo_id(text)
    assert masked(text) == text


@pytest.mark.parametrize("text", INNOCENT)
def test_words_hashes_and_versions_are_left_alone(text):
    assert mask(text) == (text, {})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Jane <jane.d+x@uni-x.ac.uk>, 2024", "Jane <[e-mail]>, 2024"),
        ("a@b.org,c@d.org", "[e-mail],[e-mail]"),
        ("mail:me@example.com.", "mail:[e-mail]."),
    ],
)
def test_an_address_becomes_a_word(text, expected):
    assert masked(text) == expected


SECRETS = st.sampled_from([*TOKENS.values(), *OTHER_SPELLINGS, "jane@example.org"])
PIECES = st.text(st.characters(codec="utf-8"), max_size=4) | st.sampled_from('\n\t\x1f"\\/')


@given(PIECES.filter(lambda x: not x[-1:].isalnum()), SECRETS, PIECES)
def test_no_escape_of_json_hides_a_secret_and_json_stays_json(before, secret, after):
    if secret == "jane@example.org" and re.search(r"[\w.%+-]$|^[\w-]", before + "\0" + after):
        before, after = "", ""
    after = "" if re.match("[A-Za-z0-9_-]", after) else after
    before = "" if re.search(r"[.%+\\-]$", before) else before
    text = orjson.dumps({"k": before + secret + after}).decode()
    hidden = masked(text)
    assert secret not in hidden
    kept = orjson.loads(hidden)["k"]
    assert kept.startswith(before)
    assert kept.endswith(after)


@given(st.lists(st.lists(PIECES | SECRETS | st.sampled_from(INNOCENT)).map("".join)))
def test_a_look_at_many_texts_overlooks_nothing(texts):
    suspected = suspects_of_each(texts)
    assert [mask(text, kinds) for text, kinds in zip(texts, suspected, strict=True)] == [
        mask(text) for text in texts
    ]


def test_a_look_at_many_texts_suspects_few():
    assert suspects_of_each(["task-1 of hf_hub", "", "a @decorator"]) == [(), (), ()]
