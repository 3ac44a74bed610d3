"""The hub's client over real HTTP: polite, bounded, and honest about what went wrong."""

import gzip
import hashlib
import socket
import struct
import threading
import tracemalloc
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpcore2
import pytest

from crawler import CrawlError
from crawler.addresses import RedirectRefused, is_public, next_hop
from crawler.answer import retry_after_s
from crawler.failures import FAILURES, classify, repo_of
from crawler.hub import (
    TRIES,
    BudgetSpent,
    CrawlStopped,
    HeaderUnusable,
    Hub,
    HubUnreachable,
    NotAHub,
    TokenRefused,
    path_of,
)
from crawler.network import Guard, ProxyUnusable, open_client
from crawler.waits import Waits

ACTIONS = {
    *("retry", "requeue", "tombstone", "alias", "record", "disable-facet", "quarantine", "stop")
}
CARD = "/o/m/resolve/main/README.md"
FILE = bytes(range(256)) * 40


class Asked(BaseHTTPRequestHandler):
    """One request, as the functions that answer see it."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.server.seen.append((self.path, headers))
        self.server.answer(self)

    def reply(self, status=200, body=b"", **headers):
        self.send_response_only(status)
        named = {name.replace("_", "-"): str(value) for name, value in headers.items()}
        for name, value in {"Content-Length": str(len(body)), **named}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def hang_up(self):
        """Reset the connection."""
        linger = struct.pack("ii", 1, 0)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.close_connection = True
        self.wfile.close()
        self.rfile.close()
        self.connection.close()

    def finish(self):
        if not self.wfile.closed:
            super().finish()

    def log_message(self, *args):
        """Say nothing."""


@contextmanager
def serving(answer):
    """A server in this process that lets a function answer; yields it, with what it has seen."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Asked)
    server.answer, server.seen = answer, []
    server.origin = f"http://127.0.0.1:{server.server_port}"
    server.handle_error = lambda *about: None  # a client that hangs up is what is tested
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def asking(answer, **options):
    """A server and the hub's client for it."""
    options = {"backoff_s": 0.001, "long_backoff_s": 0.001, **options}
    with serving(answer) as server, Hub(server.origin, **options) as hub:
        yield server, hub


def in_turn(*answers):
    """Each request gets the next of these answers, the last one for ever."""
    left = list(answers)

    def answer(asked):
        status, headers, body = left.pop(0) if len(left) > 1 else left[0]
        asked.reply(status, body, **headers)

    return answer


def always(status=200, body=b"", **headers):
    return in_turn((status, headers, body))


# --- who is asked, and who asks


@pytest.mark.parametrize(
    ("endpoint", "says"),
    [
        ("http://example.org", "only loopback may be"),
        ("ftp://example.org", "is no endpoint"),
        ("example", "is no endpoint"),
        ("https://me:secret@example.org", "is no endpoint"),
        ("https://example.org:x", "is no endpoint"),
        ("https://[example.org", "is no endpoint"),
        ("https://example.org?token=secret", "is no endpoint"),
    ],
)
def test_an_endpoint_that_would_leak_is_refused(endpoint, says):
    with pytest.raises(NotAHub, match=says) as said:
        Hub(endpoint)
    assert "secret" not in str(said.value)


def test_a_next_page_on_another_host_is_refused():
    assert path_of("https://hub.test/api/models?x=1", "https://hub.test") == "/api/models?x=1"
    with pytest.raises(NotAHub, match=r"another host: evil\.test"):
        path_of("https://evil.test/api/models", "https://hub.test")


def test_passing_failures_are_retried_with_who_we_are():
    answers = in_turn((503, {}, b""), (429, {}, b""), (200, {}, b"[]"))
    with asking(answers, contact="me@lab.test", token="hf_secret") as (server, hub):
        answer = hub.get("/api/models")
    assert (answer.body, answer.failure) == (b"[]", None)
    assert len(server.seen) == hub.request_count == 3
    assert hub.failures == {"transient": 1, "throttled": 1}
    _, headers = server.seen[-1]
    assert headers["user-agent"].startswith("hubatlas/")
    assert "me@lab.test" in headers["user-agent"]
    assert headers["authorization"] == "Bearer hf_secret"


def test_what_is_gated_is_asked_for_without_the_token():
    with asking(always(), token="hf_secret") as (server, hub):
        hub.get("/api/models", gated=True)
    assert "authorization" not in server.seen[0][1]


def test_what_fails_every_time_is_an_answer_in_the_end():
    with asking(always(502, b"bad gateway")) as (server, hub):
        answer = hub.get("/api/models")
    assert (answer.status, answer.failure, answer.body) == (502, "transient", b"bad gateway")
    assert len(server.seen) == TRIES


def test_the_request_after_the_last_allowed_one_is_not_sent():
    with asking(always(), max_requests=2) as (server, hub):
        hub.get("/1")
        hub.get("/2")
        with pytest.raises(BudgetSpent):
            hub.get("/3")
    assert [path for path, _ in server.seen] == ["/1", "/2"]


@pytest.mark.parametrize(
    ("token", "says"), [("hf_bad", "refuses the token"), (None, "without a token")]
)
def test_a_refused_token_stops_the_crawl(token, says):
    refusal = always(401, X_Error_Message="Invalid credentials in Authorization header")
    with asking(refusal, token=token) as (server, hub), pytest.raises(TokenRefused, match=says):
        hub.get("/api/models/o/m")
    assert len(server.seen) == 1


@pytest.mark.parametrize(
    "who", [{"token": "hf_a\nb"}, {"token": "hf_ä"}, {"contact": "me\r\nX: y"}]
)
def test_what_no_header_may_hold_is_refused_unseen(who):
    with pytest.raises(HeaderUnusable, match=next(iter(who))) as said:
        Hub("https://hub.test", **who)
    assert "hf_" not in str(said.value)


def test_cookies_are_not_kept():
    with asking(always(Set_Cookie="id=1; Path=/")) as (server, hub):
        hub.get("/1")
        hub.get("/2")
    assert "cookie" not in server.seen[1][1]


# --- when the hub asks to wait


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(
    ("headers", "least", "most"),
    [
        ({"Retry_After": "120"}, 120, 126),
        (
            {
                "Retry_After": "Mon, 01 Jan 2024 00:02:00 GMT",
                "Date": "Mon, 01 Jan 2024 00:00:00 GMT",
            },
            119,
            126,
        ),
        ({"Retry_After": "99999999999999"}, 3599, 3606),
    ],
)
def test_a_stated_wait_holds_the_bucket(status, headers, least, most):
    waits = []

    def stop(bucket, seconds):
        waits.append((bucket, seconds))
        hub.stop()

    with asking(always(status, **headers), on_wait=stop) as (server, hub):
        with pytest.raises(CrawlStopped):
            hub.get("/api/models")
        with pytest.raises(CrawlStopped):
            hub.get("/api/models")
    ((bucket, seconds),) = waits
    assert bucket is None
    assert least <= seconds <= most
    assert len(server.seen) == 1


def test_a_refusal_that_nothing_explains_is_waited_out_long():
    left = {
        "RateLimit": '"api";r=400;t=100',
        "RateLimit_Policy": '"fixed window";"api";q=500;w=300',
    }
    waits = []

    def stop(bucket, seconds):
        waits.append((bucket, seconds))
        hub.stop()

    options = {"on_wait": stop, "long_backoff_s": 60}
    with asking(always(429, **left), **options) as (_, hub), pytest.raises(CrawlStopped):
        hub.get("/api/models")
    ((bucket, seconds),) = waits
    assert bucket is None
    assert 59 <= seconds <= 63


def test_a_refusal_that_the_quota_explains_is_a_wait_for_the_quota():
    spent = {
        "RateLimit": '"api";r=0;t=100',
        "RateLimit_Policy": '"fixed window";"api";q=500;w=300',
    }
    waits = []

    def stop(bucket, seconds):
        waits.append(bucket)
        hub.stop()

    with asking(always(429, **spent), on_wait=stop) as (_, hub), pytest.raises(CrawlStopped):
        hub.get("/api/models")
    assert waits == ["api"]


def test_once_the_hub_has_answered_again_the_next_wait_is_for_its_quota():
    waits, refused = [], [True]
    policy = {"RateLimit_Policy": '"fixed window";"api";q=50;w=300'}

    def answer(asked):
        left, status = (40, 429) if refused.pop() else (0, 200)
        refused.append(False)
        asked.reply(status, RateLimit=f'"api";r={left};t=300', **policy)

    def stop(bucket, seconds):
        waits.append(bucket)
        if len(waits) > 1:
            hub.stop()

    options = {"on_wait": stop, "long_backoff_s": 0.01}
    with asking(answer, **options) as (_, hub):
        hub.get("/api/models")
        with pytest.raises(CrawlStopped):
            hub.get("/api/models")
    assert waits == [None, "api"]


def test_a_wait_that_no_quota_explains_is_said_to_be_the_hubs_wish():
    told = []
    waits = Waits(told.append)
    for bucket in (None, "api", None):
        waits.tell_of(bucket, 60)
    asked, quota = told
    assert asked.endswith("UTC: the hub asks to wait")
    assert quota.endswith("UTC, for the hub's quota of api requests")


def test_no_window_is_spent_beyond_four_fifths_whatever_is_asked():
    count = [0]

    def answer(asked):
        count[0] += 1
        limits = f'"api";r={50 - count[0]};t=300'
        policy = '"fixed window";"api";q=50;w=300'
        asked.reply(200, RateLimit=limits, RateLimit_Policy=policy)

    with asking(answer, on_wait=lambda bucket, seconds: hub.stop()) as (server, hub):
        for _ in range(40):
            hub.get("/api/models")
        with pytest.raises(CrawlStopped):
            hub.get("/api/models")
    assert len(server.seen) == 40


def test_who_waits_for_a_turn_is_let_go_at_once_when_the_crawl_stops():
    waiting, ended = threading.Event(), []
    options = {"on_wait": lambda bucket, seconds: waiting.set()}
    with asking(always(429, Retry_After="3000"), **options) as (_, hub):

        def ask():
            with pytest.raises(CrawlStopped):
                hub.get("/api/models")
            ended.append(True)

        thread = threading.Thread(target=ask)
        thread.start()
        assert waiting.wait(30)
        hub.stop()
        thread.join(30)
    assert ended


@pytest.mark.parametrize(
    ("stated", "seconds"),
    [("0", 0), ("17", 17), ("", None), ("soon", None), ("-5", None), ("²", None), ("1.5", None)],
)
def test_retry_after_is_read_in_no_other_form_than_its_two(stated, seconds):
    assert retry_after_s({"retry-after": stated}, datetime.now(UTC)) == seconds


def test_a_date_in_retry_after_is_measured_against_the_servers_own():
    headers = {
        "retry-after": "Mon, 01 Jan 2024 00:02:00 GMT",
        "date": "Mon, 01 Jan 2024 00:01:00 GMT",
    }
    assert retry_after_s(headers, datetime(2030, 1, 1, tzinfo=UTC)) == 60
    assert retry_after_s(headers | {"date": ""}, datetime(2030, 1, 1, tzinfo=UTC)) == 0


# --- redirects


@contextmanager
def two_hubs(answer, answer_elsewhere, **options):
    with serving(answer_elsewhere) as other, asking(answer(other), **options) as (server, hub):
        yield server, other, hub


def test_a_file_comes_from_its_content_host_without_our_token_and_its_signature_is_not_kept():
    def here(other):
        target = other.origin + "/blob?Signature=s3cret"
        return always(302, b"Found", Location=target, X_Repo_Commit="c" * 40)

    with two_hubs(here, always(200, b"# card", ETag='"e"'), token="hf_secret") as (
        server,
        other,
        hub,
    ):
        answer = hub.get(CARD)
    assert answer.body == b"# card"
    assert "authorization" in server.seen[0][1]
    assert "authorization" not in other.seen[0][1]
    assert answer.resolved_url == other.origin + "/blob?Signature=s3cret"
    kept = answer.provenance
    assert "s3cret" not in repr(kept) + repr(answer)
    assert kept["final_url"] == other.origin + "/blob"
    assert (kept["repo_commit"], kept["etag"]) == ("c" * 40, '"e"')
    assert kept["body_sha256"] == hashlib.sha256(b"# card").hexdigest()
    assert kept["endpoint"] == server.origin
    assert kept["client"].startswith("hubatlas/")


def test_a_range_is_kept_across_redirects():
    def here(other):
        return always(302, Location=other.origin + "/blob")

    there = always(206, FILE[5:9], Content_Range=f"bytes 5-8/{len(FILE)}")
    with two_hubs(here, there) as (server, other, hub):
        answer = hub.get("/o/m/resolve/main/x.bin", span=(5, 9))
    assert answer.body == FILE[5:9]
    assert server.seen[0][1]["range"] == other.seen[0][1]["range"] == "bytes=5-8"


def test_a_content_host_that_is_known_is_asked_without_spending_a_quota():
    spent = {
        "RateLimit": '"pages";r=0;t=300',
        "RateLimit_Policy": '"fixed window";"pages";q=500;w=300',
    }
    there = always(206, FILE[:8], Content_Range=f"bytes 0-7/{len(FILE)}")
    options = {"token": "hf_x", "on_wait": lambda bucket, seconds: hub.stop()}
    with two_hubs(lambda other: always(200, **spent), there, **options) as (server, other, hub):
        hub.get("/a/page")
        answer = hub.get("/o/m/resolve/main/x.bin", span=(0, 8), url=other.origin + "/b?sig=1")
    assert (answer.body, answer.failure) == (FILE[:8], None)
    assert len(server.seen) == 1
    assert "authorization" not in other.seen[0][1]
    assert answer.provenance["url"] == server.origin + "/o/m/resolve/main/x.bin"


def test_a_signature_that_has_run_out_is_told_at_once():
    with two_hubs(lambda other: always(), always(403)) as (_, other, hub):
        answer = hub.get("/o/m/resolve/main/x.bin", url=other.origin + "/b?sig=1")
    assert (answer.failure, len(other.seen)) == ("transient", 1)


def test_a_content_host_that_is_down_fails_its_file_alone():
    with serving(always()) as gone:
        pass
    with asking(always(302, Location=gone.origin + "/blob")) as (_, hub):
        answer = hub.get("/o/m/resolve/main/x.bin")
        assert hub.get("/o/m/resolve/main/x.bin", url=gone.origin).status == 0
    assert (answer.status, answer.failure) == (302, "transient")


def test_a_renamed_repo_is_told_as_moved():
    def answer(asked):
        if "/old/" in asked.path:
            asked.reply(307, Location=asked.path.replace("/old/", "/new/"))
        else:
            asked.reply(200, b"{}")

    with asking(answer) as (server, hub):
        moved = hub.get("/api/models/old/m?x=1")
    assert (moved.failure, moved.body) == ("moved", b"{}")
    assert moved.final_url == server.origin + "/api/models/new/m?x=1"


def test_a_redirect_to_the_same_repos_cached_file_is_no_move():
    cached = f"/api/resolve-cache/models/o/m/{'a' * 40}/README.md"

    def answer(asked):
        asked.reply(*((200, b"# x") if asked.path == cached else (307, b"")), Location=cached)

    with asking(answer) as (_, hub):
        assert hub.get(CARD).failure is None


def test_a_redirect_loop_fails_its_request_alone():
    with asking(always(302, Location="/again")) as (server, hub):
        answer = hub.get("/api/models/o/m")
    assert (answer.status, answer.failure) == (302, "integrity")
    assert "more than 5 times" in answer.reason
    assert len(server.seen) == 6


@pytest.mark.parametrize(
    "target",
    [
        "https://10.0.0.1/",
        "https://169.254.169.254/latest/meta-data",
        "https://[::ffff:10.0.0.1]/",
        "https://0xa000001/",
        "https://224.0.0.1/",
        "http://example.org/plain",
        "ftp://127.0.0.1/",
        "file:///etc/passwd",
        "https://me:pw@127.0.0.1/",
        "https://127.0.0.1:99999/",
        "https://[127/",
        "https:///nowhere",
    ],
)
def test_a_redirect_that_leads_astray_is_not_followed(target):
    with asking(always(302, Location=target)) as (server, hub):
        answer = hub.get("/o/m/resolve/main/x.bin")
    assert (answer.status, answer.failure, answer.body) == (302, "integrity", b"")
    assert "redirected to" in answer.reason
    assert len(server.seen) == 1


@pytest.mark.parametrize("target", ["http://127.0.0.1:1/", "http://localhost:1/", "http://[::1]/"])
def test_a_public_hub_leads_nobody_to_loopback(target):
    with pytest.raises(RedirectRefused):
        next_hop("https://hub.test/x", target, endpoint="https://hub.test")
    assert next_hop("http://127.0.0.1:9/x", target, endpoint="http://127.0.0.1:9") == target


def test_names_are_checked_by_what_they_resolve_to_where_the_connection_is_made():
    with serving(always()) as inside:
        port = inside.server_port
        for addresses in (["127.0.0.1"], ["10.1.2.3", "192.168.0.1"], ["::1"]):
            guard = Guard("https://hub.test", lambda host, port, found=addresses: found)
            with pytest.raises(RedirectRefused, match=r"cdn\.test"):
                guard.connect_tcp("cdn.test", port)
        assert not inside.seen


def test_a_name_that_changes_its_mind_is_resolved_once_and_connected_to_as_checked():
    asked = []

    def rebinding(host, port):
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["10.0.0.1"]

    with (
        serving(always(200, b"here")) as inside,
        open_client("http://127.0.0.1:9", rebinding) as client,
    ):
        found = client.get(f"http://rebind.test:{inside.server_port}/")
    assert found.content == b"here"
    assert asked == ["rebind.test"]


def test_a_name_without_an_address_is_a_broken_connection():
    def nowhere(host, port):
        raise socket.gaierror("no such name")

    with pytest.raises(httpcore2.ConnectError):
        Guard("https://hub.test", nowhere).connect_tcp("cdn.test", 443)


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("8.8.8.8", True),
        ("2606:4700::1111", True),
        ("::ffff:8.8.8.8", True),
        ("64:ff9b::808:808", True),
        ("10.0.0.1", False),
        ("100.64.0.1", False),
        ("169.254.169.254", False),
        ("0.0.0.0", False),
        ("224.0.0.1", False),
        ("::1", False),
        ("::ffff:127.0.0.1", False),
        ("::10.0.0.1", False),
        ("64:ff9b::a00:1", False),
        ("2002:a00:1::", False),
        ("fe80::1%eth0", False),
        ("fc00::1", False),
        ("fec0::1", False),
    ],
)
def test_which_addresses_are_public(address, public):
    assert is_public(address) is public


def test_a_proxy_is_used_for_public_endpoints_and_never_for_loopback(monkeypatch):
    with serving(always(200, b"by proxy")) as proxy, asking(always(200, b"straight")) as (_, hub):
        monkeypatch.setenv("http_proxy", proxy.origin)
        monkeypatch.setenv("no_proxy", "direct.test")
        with open_client("https://hub.test", lambda host, port: ["10.0.0.1"]) as client:
            assert client.get("http://cdn.test/x").content == b"by proxy"
            with pytest.raises(RedirectRefused):
                client.get("http://direct.test/x")
        with Hub(hub.endpoint) as again:
            assert again.get("/x").body == b"straight"
    assert [path for path, _ in proxy.seen] == ["http://cdn.test/x"]


def test_a_proxy_that_cannot_be_used_is_one_line_without_its_password(monkeypatch):
    monkeypatch.setenv("https_proxy", "socks5://me:secret@127.0.0.1:1")
    with pytest.raises(ProxyUnusable, match=r"127\.0\.0\.1:1 is not one for http") as said:
        Hub("https://hub.test").__enter__()
    assert "secret" not in str(said.value)


# --- bytes


def test_packed_answers_are_unpacked():
    packed = gzip.compress(b"one ") + gzip.compress(b"two")
    with asking(always(200, packed, Content_Encoding="gzip")) as (server, hub):
        assert hub.get(CARD).body == b"one two"
    assert server.seen[0][1]["accept-encoding"] == "gzip"


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("gzip", gzip.compress(b"x" * 1000, mtime=0)[:-12]),
        ("gzip", b"this is no gzip"),
        ("gzip", gzip.compress(b"x", mtime=0) + b"tail"),
        ("br", b"x"),
        ("gzip, gzip", b"x"),
    ],
)
def test_what_cannot_be_unpacked_is_no_body(encoding, body):
    with asking(always(200, body, Content_Encoding=encoding)) as (_, hub):
        answer = hub.get(CARD)
    assert (answer.status, answer.failure, answer.body) == (200, "integrity", b"")


def test_a_bomb_is_left_off_long_before_it_has_unfolded():
    bomb = gzip.compress(bytes(2**28))
    with asking(always(200, bomb, Content_Encoding="gzip")) as (_, hub):
        tracemalloc.start()
        answer = hub.get(CARD, most_bytes=4 * 2**20)
        _, most_in_memory = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert answer.failure == "integrity"
    assert "more than 4,194,304 bytes" in answer.reason
    assert most_in_memory < 16 * 2**20


def test_a_body_that_is_too_long_is_left_off():
    with asking(always(200, b"x" * 5000)) as (_, hub):
        assert hub.get(CARD, most_bytes=5000).failure is None
        assert hub.get(CARD, most_bytes=4999).failure == "integrity"


def test_a_page_of_html_where_json_is_due_is_malformed_and_kept():
    with asking(always(200, b"<!doctype html>")) as (_, hub):
        answer = hub.get("/api/models", json_due=True)
        assert hub.get(CARD).failure is None
    assert (answer.failure, answer.body) == ("malformed", b"<!doctype html>")


def test_a_page_with_one_broken_record_is_not_malformed():
    with asking(always(200, b' [{"id": NaN}]')) as (_, hub):
        assert hub.get("/api/models", json_due=True).failure is None


@pytest.mark.parametrize("breaks", ["reset", "short"])
def test_a_connection_that_breaks_amid_a_body_is_tried_again(breaks):
    def answer(asked):
        if len(asked.server.seen) > 2:
            asked.reply(200, b"whole")
            return
        asked.send_response(200)
        asked.send_header("Content-Length", "5")
        asked.end_headers()
        asked.wfile.write(b"who")
        asked.close_connection = True
        if breaks == "reset":
            asked.hang_up()

    with asking(answer) as (server, hub):
        assert hub.get(CARD).body == b"whole"
    assert len(server.seen) == 3
    assert hub.failures == {"integrity": 2}


def test_a_body_that_is_always_short_fails_its_request_alone():
    def answer(asked):
        asked.reply(200, b"who", Content_Length=5)
        asked.close_connection = True

    with asking(answer) as (server, hub):
        answer = hub.get(CARD)
    assert (answer.status, answer.failure, answer.body) == (200, "integrity", b"")
    assert len(server.seen) == TRIES


@pytest.mark.parametrize("part", ["head", "body"])
def test_a_server_that_drips_holds_nobody_for_ever(part):
    done = threading.Event()

    def answer(asked):
        head = b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\nX: "
        asked.wfile.write(head if part == "head" else head + b"\r\n\r\n")
        while not done.wait(0.02):
            asked.wfile.write(b"x")

    with asking(answer, exchange_s=0.3) as (server, hub):
        answer = hub.get(CARD)
        done.set()
    assert answer.failure == "transient"
    assert answer.status == (0 if part == "head" else 200)
    assert answer.reason == "the request took longer than 0.3 s"
    assert len(server.seen) == 1


def test_headers_without_end_are_left_off():
    def answer(asked):
        asked.wfile.write(b"HTTP/1.1 200 OK\r\n" + b"X: " + b"x" * 25_000_000)

    with asking(answer) as (_, hub):
        answer = hub.get(CARD)
    assert (answer.status, answer.failure) == (0, "integrity")


# --- ranges


def ranged(asked):
    """Answer a range as a good server does."""
    start, stop = (int(n) for n in asked.headers["Range"].removeprefix("bytes=").split("-"))
    part = FILE[start : stop + 1]
    last = start + len(part) - 1
    asked.reply(206, part, Content_Range=f"bytes {start}-{last}/{len(FILE)}")


@pytest.mark.parametrize("span", [(0, 8), (100, 5000), (len(FILE) - 10, len(FILE) + 500)])
def test_a_span_is_those_bytes_and_no_others(span):
    with asking(ranged) as (_, hub):
        answer = hub.get("/o/m/resolve/main/x.bin", span=span)
    assert (answer.body, answer.failure) == (FILE[slice(*span)], None)
    assert not answer.span_ignored


def test_a_whole_file_where_a_span_was_asked_for_is_cut_and_no_more_of_it_read():
    def answer(asked):
        asked.reply(200, FILE[:5000], Content_Length=10**9)
        asked.close_connection = True

    with asking(answer) as (_, hub):
        answer = hub.get("/o/m/resolve/main/x.bin", span=(10, 4000))
        too_far = hub.get("/o/m/resolve/main/x.bin", span=(10, 4000), most_bytes=3999)
    assert (answer.body, answer.failure, answer.span_ignored) == (FILE[10:4000], None, True)
    assert too_far.failure == "integrity"


@pytest.mark.parametrize(
    ("status", "length", "headers"),
    [
        (206, 8, {}),
        (206, 8, {"Content_Range": "bytes 1-8/10240"}),
        (206, 9, {"Content_Range": "bytes 0-8/10240"}),
        (206, 7, {"Content_Range": "bytes 0-7/10240"}),
        (206, 9, {"Content_Range": "bytes 0-7/10240"}),
        (206, 5, {"Content_Range": "bytes 0-4/10240"}),
        (206, 5, {"Content_Range": "bytes 0-4/*"}),
        (206, 8, {"Content_Range": "bytes 0-7/10240", "Content_Encoding": "gzip"}),
        (206, 8, {"Content_Type": "multipart/byteranges; boundary=x"}),
        (416, 0, {"Content_Range": "bytes */4"}),
        (200, 0, {}),
    ],
)
def test_any_other_bytes_than_the_span_are_none(status, length, headers):
    with asking(always(status, FILE[:length], **headers)) as (_, hub):
        answer = hub.get("/o/m/resolve/main/x.bin", span=(0, 8))
    assert (answer.failure, answer.body) == ("integrity", b"")


def test_a_part_where_all_was_asked_for_is_none():
    with asking(always(206, b"part", Content_Range="bytes 0-3/10")) as (_, hub):
        assert hub.get(CARD).failure == "integrity"


# --- nobody there, or only for some


def test_an_endpoint_that_is_down_is_one_line():
    with serving(always()) as gone:
        pass
    with Hub(gone.origin) as hub, pytest.raises(HubUnreachable, match="did not answer") as said:
        hub.get("/api/models")
    assert "\n" not in str(said.value)
    assert hub.request_count == 1


def test_a_hub_that_hangs_up_on_everybody_is_unreachable():
    with asking(Asked.hang_up) as (server, hub), pytest.raises(HubUnreachable):
        hub.get("/api/models")
    assert len(server.seen) == TRIES


def test_a_hub_that_hangs_up_on_one_request_alone_does_not_end_the_crawl():
    """As others are answered meanwhile, as by other threads of a crawl."""

    def answer(asked):
        if asked.path == "/poison":
            hub.get("/api/models")
            asked.hang_up()
        else:
            asked.reply()

    with asking(answer) as (_, hub):
        answer = hub.get("/poison")
    assert (answer.status, answer.failure) == (0, "transient")


# --- time


@pytest.mark.parametrize(("skew_s", "believed"), [(0, "here"), (1, "here"), (-9000, "there")])
def test_looks_are_timed_by_the_server_where_the_clock_here_is_off(skew_s, believed):
    there = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
    here = there + timedelta(seconds=skew_s, milliseconds=250)
    dated = always(200, Date=there.strftime("%a, %d %b %Y %H:%M:%S GMT"))
    with asking(dated, clock=lambda: here) as (_, hub):
        fetched_at = hub.get(CARD).fetched_at
    moment = here if believed == "here" else there
    assert fetched_at == moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03}Z"


def test_a_cached_answer_is_as_old_as_its_cache_says():
    there = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
    dated = always(200, Date="Sun, 01 Mar 2026 11:00:00 GMT", Age="3600")
    with asking(dated, clock=lambda: there) as (_, hub):
        assert hub.get(CARD).fetched_at == "2026-03-01T12:00:00.000Z"


# --- the closed list


def test_every_failure_has_an_action():
    assert {failure.action for failure in FAILURES.values()} == ACTIONS
    assert list(FAILURES) == [
        *("transient", "throttled", "gone", "moved", "access", "disabled", "revision-missing"),
        *("entry-missing", "unsupported", "malformed", "auth", "integrity"),
    ]


@pytest.mark.parametrize(
    ("status", "code", "message", "path", "failure"),
    [
        (200, "", "", "/api/models", None),
        (206, "", "", CARD, None),
        *[(status, "", "", CARD, "transient") for status in (408, 425, 500, 502, 503, 504, 520)],
        (429, "", "", CARD, "throttled"),
        (404, "RepoNotFound", "", CARD, "gone"),
        (401, "RepoNotFound", "", CARD, "gone"),
        (401, "", "", "/api/models/o/m", "gone"),
        (401, "", "Invalid username or password.", "/api/models/o/m", "gone"),
        (401, "", "Invalid username or password.", "/api/whoami-v2", "auth"),
        (401, "", "", "/api/models?limit=1", "auth"),
        (401, "", "Invalid credentials in Authorization header", CARD, "auth"),
        (401, "GatedRepo", "", CARD, "access"),
        (403, "GatedRepo", "", CARD, "access"),
        (403, "", "", CARD, "access"),
        (403, "", "Access to this resource is disabled.", CARD, "disabled"),
        (451, "", "", CARD, "disabled"),
        (404, "RevisionNotFound", "", CARD, "revision-missing"),
        (404, "EntryNotFound", "", CARD, "entry-missing"),
        (404, "", "", CARD, "entry-missing"),
        (404, "", "", "/api/models/o/m/refs", "gone"),
        (410, "", "", "/api/models/o/m", "gone"),
        *[(status, "", "", CARD, "unsupported") for status in (400, 405, 422, 501)],
        (304, "", "", CARD, "integrity"),
        (416, "", "", CARD, "integrity"),
    ],
)
def test_answers_are_classified(status, code, message, path, failure):
    headers = {"x-error-code": code, "x-error-message": message}
    assert classify(status, headers, path=path) == failure


@pytest.mark.parametrize(
    ("status", "code", "message", "failure"),
    [
        (401, "", "", "access"),
        (403, "", "", "access"),
        (401, "RepoNotFound", "", "gone"),
        (403, "", "Access to this resource is disabled.", "disabled"),
        (404, "", "", "entry-missing"),
    ],
)
def test_a_refusal_that_names_no_error_is_that_of_the_gate(status, code, message, failure):
    told = {"X_Error_Code": code, "X_Error_Message": message}
    with asking(always(status, **told)) as (_, hub):
        answer = hub.get(CARD, gated=True)
    assert answer.failure == failure
    assert hub.failures == {failure: 1}


def test_a_repo_behind_a_gate_that_is_asked_for_by_name_is_not_gone():
    with asking(always(401)) as (_, hub):
        told = [hub.get("/api/models/o/m", gated=gated).failure for gated in (False, True)]
    assert told == ["gone", "access"]


@pytest.mark.parametrize(
    ("path", "repo_id"),
    [
        ("/api/models?limit=1", None),
        ("/api/whoami-v2", None),
        ("/api/models/gpt2", "gpt2"),
        ("/api/models/gpt2/tree/main?recursive=1", "gpt2"),
        ("/api/models/o/m/commits/main", "o/m"),
        ("/api/models/o/m/new-verb/x", "o/m"),
        ("/gpt2/resolve/main/a/resolve/b", "gpt2"),
        (CARD, "o/m"),
    ],
)
def test_which_repo_a_path_is_about(path, repo_id):
    assert repo_of(path) == repo_id


def test_every_exception_is_a_crawl_error():
    kinds = (HubUnreachable, NotAHub, BudgetSpent, CrawlStopped, TokenRefused, RedirectRefused)
    assert all(issubclass(kind, CrawlError) for kind in kinds)
