"""The address of a hub, and what belongs to it."""

from __future__ import annotations

from urllib.parse import urljoin, urlsplit

from crawler import CrawlError
from crawler.addresses import is_loopback

DEFAULT_ENDPOINT = "https://huggingface.co"


class NotAHub(CrawlError):
    """The endpoint is none, or it answers as no Hub does."""


def same_origin(url: str, endpoint: str) -> bool:
    """Whether a URL lies on the endpoint's own scheme, host and port."""
    if url.startswith(endpoint + "/"):
        return True
    ours, theirs = urlsplit(endpoint), urlsplit(url)
    return (ours.scheme, ours.netloc) == (theirs.scheme, theirs.netloc)


def path_of(link: str, endpoint: str) -> str:
    """A Link's path and query; raises `NotAHub` when it leads to another origin.

    The token would otherwise go to whatever host the header names.
    """
    absolute = urljoin(endpoint + "/", link)
    if not same_origin(absolute, endpoint):
        raise NotAHub(f"{endpoint} names a next page on another host: {urlsplit(absolute).netloc}")
    return absolute[len(endpoint) :]


def checked_endpoint(endpoint: str) -> str:
    """The endpoint without a slash at its end.

    Raises `NotAHub` where it is no URL, is plain http off loopback, or holds a name and password:
    an endpoint is written into every envelope.
    """
    try:
        parts = urlsplit(endpoint)
        host, _ = parts.hostname, parts.port
    except ValueError:
        parts, host = urlsplit(""), None
    plain = parts.username is None and not parts.query and not parts.fragment
    if parts.scheme not in {"http", "https"} or not host or not plain:
        shown = endpoint.rpartition("@")[2].partition("?")[0]
        raise NotAHub(f"{shown!r} is no endpoint; give one like {DEFAULT_ENDPOINT}")
    if parts.scheme == "http" and not is_loopback(host):
        raise NotAHub(f"{endpoint} is plain http; only loopback may be, use https")
    return endpoint.rstrip("/")
