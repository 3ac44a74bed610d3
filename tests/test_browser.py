"""The atlas as a reader meets it: the real server, a real Chromium, nothing stubbed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest
from browsing import (
    free_port,
    ink_share,
    serving,
    shoot,
    start_atlas,
    wait_for_ink,
    wait_until_ready,
)

from analysis.lineage import derive_lineage
from atlas.palette import LIGHT
from crawler.raw import envelope, write_raw
from warehouse.build import build

pytestmark = pytest.mark.browser

NOW = "2026-11-23T00:00:00.000Z"
HOSTILE_CARD = """# Hello <script>document.title = 'hurt'</script>

<img src="https://evil.test/pixel.png" onerror="alert(1)">

![pixel](https://evil.test/other.png) [go](javascript:alert(2)) [safe](https://good.test/)

<style>body { display: none }</style>

words after it
"""


@dataclass
class Watch:
    """What went on in a page while it was open."""

    requests: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    dialogs: list[str] = field(default_factory=list)

    def follow(self, page: Any) -> None:
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("console", self._heard)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("dialog", lambda dialog: (self.dialogs.append(dialog.message), dialog.dismiss()))

    def _heard(self, said: Any) -> None:
        # On a deep link Streamlit first asks for its own two addresses below the page's: both 404.
        own = said.location.get("url", "").endswith(("_stcore/health", "_stcore/host-config"))
        if said.type == "error" and not own:
            self.errors.append(said.text)

    def foreign(self, host: str) -> list[str]:
        near = (f"http://{host}/", "data:", "blob:")
        return [url for url in self.requests if not url.startswith(near)]


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    home = tmp_path_factory.mktemp("home")
    fill(home)
    with serving(home) as atlas:
        yield atlas


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def page(chromium: Any, host: str, watch: Watch) -> Iterator[Any]:
    context = chromium.new_context(viewport={"width": 1400, "height": 1000})
    page = context.new_page()
    watch.follow(page)
    yield page
    context.close()
    assert watch.foreign(host) == []
    assert watch.errors == []
    assert watch.dialogs == []


def fill(home: Path) -> None:
    models = [
        {"id": "org/root", "downloads": 9_000, "tags": ["license:mit"]},
        *(
            {"id": f"org/tuned-{n}", "downloads": n, "tags": ["base_model:finetune:org/root"]}
            for n in range(12)
        ),
        {
            "id": "org/merged",
            "tags": ["base_model:merge:org/tuned-1", "base_model:merge:org/tuned-2"],
        },
        *({"id": f"crowd/m{n}", "tags": ["base_model:adapter:crowd/base"]} for n in range(160)),
    ]
    known = [{"_id": m["id"].encode().hex()[:24], **m} for m in models]
    shared = {"run_id": 1, "url": "u", "fetched_at": NOW, "status": 200}
    listing = envelope(
        json.dumps(known).encode(), facet="model", sweep_id=1, next_path=None, **shared
    )
    write_raw(home / "raw/model/00001-000000.jsonl.zst", [listing])
    card = envelope(
        HOSTILE_CARD.encode(), facet="card", repo_id="org/root", revision="main", **shared
    )
    write_raw(home / "raw/card/0000001.jsonl.zst", [card])
    build(home, derive=derive_lineage)


RIGHTMOST = """wanted => {
  // The rightmost pixel of a colour in the second chart, once its entry animation is at rest.
  const charts = document.querySelectorAll('[data-testid=stEChartsChart]');
  const canvas = charts.length === 2 ? charts[1].querySelector('canvas') : null;
  if (!canvas) return null;
  const {width, height} = canvas;
  const seen = canvas.getContext('2d').getImageData(0, 0, width, height).data;
  for (let x = width - 1; x >= 0; x--) for (let y = 0; y < height; y++) {
    const i = 4 * (y * width + x);
    if (wanted.every((part, k) => seen[i + k] === part) && seen[i + 3] === 255) {
      const found = [x, y].join();
      const rest = window.lastFound === found;
      window.lastFound = found;
      return rest ? [x, y] : null;
    }
  }
  return null;
}"""


def test_home_shows_counts_and_an_example_leads_to_its_page(page: Any, host: str) -> None:
    page.goto(f"http://{host}/")
    page.get_by_text("Known models").wait_for()
    assert "174" in page.locator(".atlas-stats").inner_text()
    wait_for_ink(page)
    shoot(page, "home")
    page.get_by_role("link", name="org/merged").first.click()
    page.locator("h1.atlas-title", has_text="merged").wait_for()
    assert "/model?id=org%2Fmerged" in page.url


def test_search_is_a_permalink(page: Any, host: str) -> None:
    page.goto(f"http://{host}/?q=tuned-11")
    page.get_by_role("link", name="org/tuned-11").wait_for()
    assert page.get_by_label("Search models by name").input_value() == "tuned-11"


@pytest.mark.parametrize(("family", "members"), [("org/root", "14"), ("crowd/base", "161")])
def test_family_permalink_draws_the_same_tree_again(
    page: Any, host: str, family: str, members: str
) -> None:
    page.goto(f"http://{host}/family?id={family}")
    for _ in range(2):
        page.locator(".atlas-stats", has_text=members).wait_for()
        wait_for_ink(page)
        assert ink_share(page) > 0.001
        page.reload()
    page.locator(".atlas-stats", has_text=members).wait_for()
    wait_for_ink(page)
    shoot(page, f"family-{members}")


def test_a_click_on_the_tree_offers_the_model(page: Any, host: str) -> None:
    page.goto(f"http://{host}/model?id=org/tuned-1")
    page.get_by_text("What was made from it").wait_for()
    at = page.wait_for_function(RIGHTMOST, arg=list(bytes.fromhex(LIGHT.relation["merge"][1:])))
    x, y = at.json_value()
    page.get_by_test_id("stEChartsChart").last.click(position={"x": x - 3, "y": y})
    offer = page.get_by_role("link", name="open this model")
    offer.wait_for()
    offer.click()
    page.locator("h1.atlas-title", has_text="merged").wait_for()


def test_hostile_card_stays_text(page: Any, host: str) -> None:
    page.goto(f"http://{host}/model?id=org/root")
    page.get_by_role("tab", name="Card").click()
    card = page.locator(".atlas-card")
    card.get_by_text("words after it").wait_for()
    assert "[image: pixel]" in card.inner_text()
    assert card.locator("script, img, style, iframe, svg").count() == 0
    links = card.locator("a")
    assert links.count() == 1
    assert links.first.get_attribute("target") == "_blank"
    assert "noopener" in str(links.first.get_attribute("rel"))
    assert page.title() != "hurt"
    shoot(page, "card")


def test_unknown_model_offers_others(page: Any, host: str) -> None:
    page.goto(f"http://{host}/model?id=org/rooot%3Cimg%20src=x%3E")
    page.get_by_text("No such model").wait_for()
    assert page.locator("h1 img").count() == 0
    page.get_by_role("link", name="org/root").first.click()
    page.locator("h1.atlas-title", has_text="root").wait_for()


def test_answers_are_guarded_and_other_hosts_refused(host: str) -> None:
    name, port = host.split(":")
    connection = HTTPConnection(name, int(port), timeout=5)
    connection.request("GET", "/")
    answer = connection.getresponse()
    answer.read()
    policy = str(answer.getheader("Content-Security-Policy"))
    assert "default-src 'self'" in policy
    assert "'unsafe-inline'" not in policy.partition("script-src")[2].partition(";")[0]
    assert answer.getheader("X-Frame-Options") == "DENY"
    assert answer.getheader("X-Content-Type-Options") == "nosniff"
    connection.request("GET", "/", headers={"Host": "evil.test"})
    assert connection.getresponse().status == 400
    connection.close()


def test_busy_port_is_one_line_and_ctrl_c_ends_cleanly(tmp_path: Path) -> None:
    import signal

    from app.serve import PortBusy, check_port

    port = free_port()
    server = start_atlas(tmp_path, port)
    try:
        wait_until_ready(server, port)
        with pytest.raises(PortBusy, match=f"port {port} is busy; choose another with --port"):
            check_port(port)
        server.send_signal(signal.SIGINT)
        _, told = server.communicate(timeout=20)
    finally:
        server.kill()
    assert server.returncode == 130
    assert "Traceback" not in told
