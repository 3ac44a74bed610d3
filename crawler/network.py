"""The way out: which hosts a request may reach, how long it may take, how much it may bring.

Connections are guarded where they are made: a name is resolved once, its addresses are checked,
and one of those is connected to, so that a name which changes its mind in between gets nobody
past. The endpoint's own host is the user's word and is not judged. Everything else must lie on the
public internet; only a hub on loopback may send its clients on to loopback.

Proxies out of the environment (``HTTPS_PROXY``, ``NO_PROXY``) are used for all but loopback
endpoints. Behind one, names are resolved by the proxy and are the proxy's to judge; addresses
written out in a redirect are refused all the same.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any
from urllib.parse import urlsplit

import httpcore2
from huggingface_hub.utils import httpx

from crawler import CrawlError
from crawler.addresses import allowed_addresses, is_endpoint, is_loopback

CONNECTIONS = 8
TIMEOUTS = httpx.Timeout(connect=10.0, read=60.0, write=60.0, pool=300.0)
Resolver = Callable[[str, int], list[str]]


class OverTime(Exception):
    """A request and its answer took longer than they may."""


class ProxyUnusable(CrawlError):
    """The environment names a proxy that cannot be used."""


def addresses_of(host: str, port: int) -> list[str]:
    """All addresses of a host, as the system resolves it; raises `OSError` where it has none."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def open_client(endpoint: str, resolve: Resolver = addresses_of) -> httpx.Client:
    """An HTTP client for one endpoint: guarded, with time-outs, without cookies or redirects."""
    return httpx.Client(
        transport=_Ways(endpoint, resolve),
        timeout=TIMEOUTS,
        follow_redirects=False,
        cookies=CookieJar(policy=DefaultCookiePolicy(allowed_domains=[])),
        headers={"Accept-Encoding": "gzip"},
    )


@contextlib.contextmanager
def ending_within(seconds: float) -> Iterator[None]:
    """Let nothing that this thread reads or writes in the block last beyond its end.

    What does raises `OverTime`. A time-out for each read alone would not do: a server that sends
    a byte now and then never meets one.
    """
    _ends.at = time.monotonic() + seconds
    try:
        yield
    except httpx.TimeoutException as slow:
        if time.monotonic() >= _ends.at:
            raise OverTime(f"the request took longer than {seconds:g} s") from slow
        raise
    finally:
        _ends.at = None


_ends = threading.local()


class _Ways(httpx.BaseTransport):
    """Straight out, or through the proxy that the environment names for a host."""

    def __init__(self, endpoint: str, resolve: Resolver) -> None:
        context = httpx.create_ssl_context()
        guard = Guard(endpoint, resolve)
        self._straight = _OverPool(_pool(context, guard))
        proxies = {} if is_loopback(urlsplit(endpoint).hostname or "") else _proxies()
        self._proxied = {
            scheme: _OverPool(_proxy_pool(url, context)) for scheme, url in proxies.items()
        }

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        proxied = self._proxied.get(request.url.scheme)
        if proxied is None or urllib.request.proxy_bypass(request.url.host):
            return self._straight.handle_request(request)
        return proxied.handle_request(request)

    def close(self) -> None:
        for way in (self._straight, *self._proxied.values()):
            way.close()


class _OverPool(httpx.HTTPTransport):
    """httpx over a pool of connections that it did not make itself."""

    def __init__(self, pool: httpcore2.ConnectionPool) -> None:
        self._pool = pool


def _pool(context: ssl.SSLContext, guard: httpcore2.NetworkBackend) -> httpcore2.ConnectionPool:
    return httpcore2.ConnectionPool(
        ssl_context=context,
        max_connections=CONNECTIONS,
        max_keepalive_connections=CONNECTIONS,
        keepalive_expiry=5.0,
        network_backend=guard,
    )


def _proxies() -> dict[str, str]:
    named = urllib.request.getproxies()
    chosen = {scheme: named.get(scheme) or named.get("all") for scheme in ("http", "https")}
    return {scheme: url for scheme, url in chosen.items() if url}


def _proxy_pool(url: str, context: ssl.SSLContext) -> httpcore2.ConnectionPool:
    try:
        proxy = httpx.Proxy(url if "://" in url else f"http://{url}")
    except (ValueError, httpx.InvalidURL) as odd:
        raise ProxyUnusable(f"the proxy {_unkeyed(url)} cannot be used ({odd})") from odd
    if proxy.url.scheme not in {"http", "https"}:
        raise ProxyUnusable(f"the proxy {_unkeyed(url)} is not one for http; name another or none")
    return httpcore2.HTTPProxy(
        proxy_url=str(proxy.url),
        proxy_auth=proxy.raw_auth,
        proxy_headers=proxy.headers.raw,
        ssl_context=context,
        max_connections=CONNECTIONS,
        max_keepalive_connections=CONNECTIONS,
        keepalive_expiry=5.0,
        network_backend=_Timed(),
    )


def _unkeyed(url: str) -> str:
    return url.rpartition("@")[2]


class _Timed(httpcore2.NetworkBackend):
    """Connections whose reads and writes end when `ending_within` says so."""

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.NetworkStream:
        """Connect to the first of `ways_to` a host that answers."""
        options = list(socket_options or ())
        failed: httpcore2.ConnectError | httpcore2.ConnectTimeout | None = None
        for address in self.ways_to(host, port):
            try:
                made = httpcore2.SyncBackend().connect_tcp(
                    address, port, _left(timeout), local_address, options
                )
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                failed = error
            else:
                return _TimedStream(made)
        raise failed or httpcore2.ConnectError(f"{host} has no address")

    def ways_to(self, host: str, port: int) -> Iterable[str]:
        """What to connect to for a host, in the order to try it: its name, for the system."""
        return [host]


class Guard(_Timed):
    """Connects to the endpoint, and beyond it to public addresses alone.

    Raises `RedirectRefused` where a host has no address that may be connected to.
    """

    def __init__(self, endpoint: str, resolve: Resolver = addresses_of) -> None:
        self._endpoint = endpoint
        self._resolve = resolve

    def ways_to(self, host: str, port: int) -> Iterable[str]:
        """The addresses of a host that may be connected to, in the system's order."""
        if is_endpoint(self._endpoint, host, port):
            return [host]
        try:
            found = self._resolve(host, port)
        except OSError as error:
            raise httpcore2.ConnectError(f"{host}: {error}") from error
        return allowed_addresses(host, found, endpoint=self._endpoint)


class _TimedStream(httpcore2.NetworkStream):
    def __init__(self, stream: httpcore2.NetworkStream) -> None:
        self._stream = stream

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, _left(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, _left(timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore2.NetworkStream:
        made = self._stream.start_tls(ssl_context, server_hostname, _left(timeout))
        return _TimedStream(made)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def _left(timeout: float | None) -> float | None:
    at = getattr(_ends, "at", None)
    if at is None:
        return timeout
    left = float(at) - time.monotonic()
    if left <= 0:
        raise httpcore2.ReadTimeout("the whole request took too long")
    return left if timeout is None else min(timeout, left)
