"""The governor: never more than its share of a window, whoever asks, whatever the clock does."""

import fcntl
import os
import random
import stat
import subprocess
import sys
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.governor import Governor, bucket_of, ledger_path, refusal_of
from crawler.ledger import Ledger, LedgerUnusable
from crawler.localhub.ratelimit import Window
from crawler.localhub.ratelimit import bucket_of as counted_in

ROOT = Path(__file__).parent.parent


class Clock:
    """Seconds that a test moves by hand."""

    def __init__(self, now=1000.0):
        self.now = now

    def __call__(self):
        return self.now


def told(left, seconds, *, quota=100, window=300, bucket="api"):
    return {
        "RateLimit": f'"{bucket}";r={left};t={seconds}',
        "RateLimit-Policy": f'"fixed window";"{bucket}";q={quota};w={window}',
    }


def lower(headers):
    return {name.lower(): value for name, value in headers.items()}


def governed(clock, path=None, **options):
    return Governor(path, clock=clock, rng=random.Random(1), **options)


def taken(governor, bucket="api", most=10_000):
    """How many requests may start before one has to wait."""
    return next((n for n in range(most) if governor.take(bucket) > 0), most)


def test_nothing_is_slowed_down_where_no_limit_was_ever_told():
    assert taken(governed(Clock())) == 10_000


def test_no_more_than_four_fifths_of_a_window_are_taken():
    clock = Clock()
    governor = governed(clock)
    assert governor.take("api") == 0
    governor.heed("api", lower(told(99, 300)))
    assert taken(governor) == 79
    assert taken(governor, "resolvers") == 10_000


def test_what_others_have_spent_is_left_to_them():
    governor = governed(Clock())
    governor.take("api")
    governor.heed("api", lower(told(30, 200)))
    assert taken(governor) == 10


def test_a_spent_window_is_waited_for_to_its_end_and_a_little_longer():
    clock = Clock()
    governor = governed(clock)
    governor.take("api")
    governor.heed("api", lower(told(0, 200)))
    waits = [governor.take("api") for _ in range(20)]
    assert all(201 <= wait <= 207 for wait in waits)
    assert len(set(waits)) == 20  # not in step
    clock.now += max(waits)
    assert taken(governor) == 80


def test_a_late_answer_about_a_window_that_is_over_changes_nothing():
    clock = Clock()
    governor = governed(clock)
    governor.take("api")
    governor.heed("api", lower(told(99, 20)))
    sent_at = clock.now
    clock.now += 30
    governor.take("api")  # a new window
    governor.heed("api", lower(told(1, 2)), sent_at=sent_at)
    assert taken(governor) == 79


def test_the_bucket_that_an_answer_names_is_believed():
    governor = governed(Clock())
    governor.take("resolvers")
    governor.heed("resolvers", lower(told(3, 100, bucket="pages")))
    assert governor.take("resolvers") > 0
    assert governor.take("pages") > 0
    assert governor.take("api") == 0


def test_a_server_that_tells_no_policy_is_held_to_what_it_says_is_left():
    governor = governed(Clock())
    governor.take("api")
    governor.heed("api", {"ratelimit": '"api";r=9;t=100'})
    assert taken(governor) == 7  # of ten in all, eight


@pytest.mark.parametrize("digits", ["9" * 30, "9" * 5000])
def test_absurd_numbers_hold_nobody_for_ever(digits):
    governor = governed(Clock())
    governor.take("api")
    governor.heed("api", lower(told(0, digits, quota=5)))
    assert governor.take("api") <= 3607


def test_retry_after_is_honoured_in_full_up_to_an_hour():
    clock = Clock()
    governor = governed(clock)
    governor.throttle("api", 700.0, granular=False)
    assert 700 <= governor.take("api") <= 706
    governor.throttle("api", 10.0, granular=False)
    assert governor.take("api") >= 700
    governor.throttle("api", 1e9, granular=False)
    assert 3600 <= governor.take("api") <= 3606
    assert governor.take("resolvers") == 0


def test_refusals_without_a_reason_are_waited_out_longer_and_longer_until_one_is_answered():
    clock = Clock()
    governor = governed(clock, long_backoff_s=60)

    def refused():
        governor.throttle("api", None, granular=True)
        wait = governor.take("api")
        clock.now += wait
        return wait

    assert [int(refused() // 60) for _ in range(8)] == [1, 2, 4, 8, 16, 32, 60, 60]
    governor.heed("api", {}, refused=True)
    assert refused() >= 3600
    governor.heed("api", {})
    assert refused() < 64


def test_refusals_of_requests_under_way_together_count_once():
    governor = governed(Clock(), long_backoff_s=60)
    for _ in range(8):
        governor.throttle("api", None, granular=True)
    assert governor.take("api") < 64


@pytest.mark.parametrize(
    ("headers", "stated", "says"),
    [
        ({}, None, (None, True)),
        ({}, 5.0, (5.0, False)),
        (told(40, 100), None, (None, True)),
        (told(0, 100), None, (101.0, False)),
        (told(0, 100), 7.0, (7.0, False)),
        (told(40, 100), 7.0, (7.0, True)),
    ],
)
def test_what_a_refusal_says(headers, stated, says):
    assert refusal_of(lower(headers), stated) == says


@pytest.mark.parametrize("jump", [-5e8, 5e8])
def test_a_clock_that_begins_anew_holds_nobody(jump):
    clock = Clock(1e9)
    governor = governed(clock)
    governor.take("api")
    governor.heed("api", lower(told(0, 300)))
    governor.throttle("api", 3600.0, granular=False)
    clock.now += jump
    assert governor.take("api") == 0


@pytest.mark.parametrize("path", ["/api/models", "/o/m/resolve/main/a", "/o/m", "/api/resolve/x"])
def test_paths_are_counted_as_the_hub_counts_them(path):
    assert bucket_of(path) == counted_in(path)


@given(
    quota=st.integers(2, 60),
    seed=st.integers(0, 2**32),
    latency=st.floats(0.001, 20),
    others=st.integers(0, 30),
)
def test_no_window_is_ever_exceeded(quota, seed, latency, others):
    """One at a time, with others spending of the same quota."""
    clock, rng = Clock(0.0), random.Random(seed)
    governor, window = Governor(clock=clock, rng=rng), Window(quota)
    for _ in range(150):
        if (wait := governor.take("api")) > 0:
            clock.now += wait
            continue
        sent_at = clock.now
        clock.now += latency * rng.random()
        for _ in range(rng.randrange(1 + others) // 10):
            window.spend(clock.now)
        allowed, left, seconds = window.spend(clock.now)
        clock.now += latency * rng.random()
        governor.heed("api", lower(told(left, seconds, quota=quota)), sent_at=sent_at)
        assert allowed or others


def test_two_governors_of_one_file_share_a_window(tmp_path):
    clock, path = Clock(), tmp_path / "deep" / "budget-boot"
    one, two = governed(clock, path), governed(clock, path)
    one.take("api")
    one.heed("api", lower(told(99, 300)))
    assert taken(two, most=39) == 39
    assert taken(one) == 40
    assert two.take("api") > 0
    one.close()
    two.close()
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.fixture
def hasty_threads():
    """Threads that interrupt each other all the time, so that a missing lock shows."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("hasty_threads")
@pytest.mark.parametrize("name", ["budget-boot", None])
def test_threads_never_take_more_than_there_is(tmp_path, name):
    governor = governed(Clock(), name and tmp_path / name)
    governor.take("api")
    governor.heed("api", lower(told(4999, 300, quota=5000)))
    counts = []
    threads = [threading.Thread(target=lambda: counts.append(taken(governor))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    governor.close()
    assert sum(counts) == 3999


def test_no_other_process_reads_a_budget_that_is_being_changed(tmp_path):
    path = tmp_path / "budget-boot"
    ledger = Ledger(path)
    with path.open("rb") as other:
        with ledger.locked(), pytest.raises(BlockingIOError):
            fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
    ledger.close()


@pytest.mark.parametrize("content", [b"", b"garbage", b"\xff" * 256, b"x" * 10_000])
def test_a_file_that_is_no_budget_is_begun_anew(tmp_path, content):
    path = tmp_path / "budget-boot"
    path.write_bytes(content)
    governor = governed(Clock(), path)
    assert taken(governor) == 10_000
    governor.close()


def test_a_budget_that_cannot_be_kept_is_said_in_one_line(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(LedgerUnusable, match="XDG_CACHE_HOME") as said:
        Governor(tmp_path / "file" / "budget")
    assert "\n" not in str(said.value)


def test_budgets_of_earlier_boots_go_when_nobody_uses_them(tmp_path):
    for name in ("a-old", "a-used", "b-old"):
        (tmp_path / name).write_bytes(b"")
    for name in ("a-old", "b-old"):
        os.utime(tmp_path / name, (1, 1))
    governed(Clock(), tmp_path / "a-now").close()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a-now", "a-used", "b-old"]


def test_the_token_is_not_in_the_name_of_its_budget_and_every_caller_has_one_of_its_own():
    names = {
        str(ledger_path(endpoint, token))
        for endpoint in ("https://hub.test", "https://other.test")
        for token in (None, "hf_one", "hf_two")
    }
    assert len(names) == 6
    assert "hf_" not in "".join(names)


@contextmanager
def counting(quota):
    """A server that counts all requests and states a quota; yields its port and the count."""
    window, seen, lock = Window(quota), [], threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            with lock:
                seen.append(self.path)
                _, left, seconds = window.spend(0.0)
            self.send_response(200)
            for name, value in told(left, seconds, quota=quota).items():
                self.send_header(name, value)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *args):
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield server.server_port, seen
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


CHILD = """
import sys
from concurrent.futures import ThreadPoolExecutor
from crawler.hub import CrawlStopped, Hub

def ask(number):
    try:
        hub.get("/api/models")
    except CrawlStopped:
        pass

hub = Hub(sys.argv[1], on_wait=lambda bucket, seconds: hub.stop())
with hub:
    hub.get("/api/models")
    print("ready", flush=True)
    sys.stdin.readline()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(ask, range(500)))
"""


def test_processes_on_one_machine_together_stay_within_four_fifths():
    with counting(100) as (port, seen):
        command = [sys.executable, "-c", CHILD, f"http://127.0.0.1:{port}"]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        children = [subprocess.Popen(command, cwd=ROOT, text=True, **pipes) for _ in range(2)]
        try:
            for child in children:
                assert child.stdout.readline() == "ready\n"
            for child in children:
                child.communicate("go\n", timeout=60)
        finally:
            for child in children:
                child.kill()
                child.communicate()
        assert [child.returncode for child in children] == [0, 0]
        assert len(seen) == 80
