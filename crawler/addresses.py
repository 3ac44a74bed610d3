"""Where a redirect may lead: public addresses, and loopback where the endpoint is on loopback."""

from __future__ import annotations

import ipaddress
import re
import socket
from urllib.parse import urljoin, urlsplit

from crawler import CrawlError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
MOST_URL_CHARACTERS = 16_384


class RedirectRefused(CrawlError):
    """An answer leads to where no request goes; the message says where."""


def next_hop(here: str, location: str, *, endpoint: str) -> str:
    """Where a redirect leads: an absolute URL without fragment.

    Raises `RedirectRefused` for other schemes, plain http off loopback, names and passwords in the
    URL, and private addresses that are written out; those behind names are found by who connects.
    """
    try:
        parts = urlsplit(urljoin(here, location))
        host, port = parts.hostname or "", parts.port
    except ValueError as odd:
        raise RedirectRefused(f"redirected to what is no URL ({odd})") from odd
    if parts.scheme not in {"http", "https"} or not host or parts.username is not None:
        raise RedirectRefused("redirected to what is no plain http or https URL")
    if len(location) > MOST_URL_CHARACTERS or re.search(r"[\x00-\x20\x7f]", location):
        raise RedirectRefused("redirected to what is no URL")
    if parts.scheme == "http" and not is_loopback(host):
        raise RedirectRefused(f"redirected to plain http on {host}")
    if not is_endpoint(endpoint, host, port):
        allowed_addresses(host, _written_out(host), endpoint=endpoint)
    return parts._replace(fragment="").geturl()


def allowed_addresses(host: str, addresses: list[str], *, endpoint: str) -> list[str]:
    """Those of a host's addresses that may be connected to; `RedirectRefused` where none may."""
    local = is_loopback(urlsplit(endpoint).hostname or "")
    allowed = [a for a in addresses if is_public(a) or (local and is_loopback(a))]
    if addresses and not allowed:
        raise RedirectRefused(f"redirected to {host}, which is in a private network")
    return allowed


def is_endpoint(endpoint: str, host: str, port: int | None) -> bool:
    """Whether a host and port are the endpoint's own."""
    ours = urlsplit(endpoint)
    default = 443 if ours.scheme == "https" else 80
    return (ours.hostname, ours.port or default) == (host.lower(), port or default)


def is_loopback(host: str) -> bool:
    """Whether a host, as it stands in a URL, is this machine itself."""
    address = _parsed(host)
    return host.lower() == "localhost" if address is None else address.is_loopback


def is_public(address: str) -> bool:
    """Whether an address lies on the public internet, with any address that is packed into it."""
    parsed = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(parsed, ipaddress.IPv6Address):
        return all(map(_is_public_v4, _packed_into(parsed))) and _is_public_v6(parsed)
    return _is_public_v4(parsed)


_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_V4_COMPATIBLE = ipaddress.IPv6Network("::/96")


def _written_out(host: str) -> list[str]:
    address = _parsed(host)
    if host.lower() == "localhost" or host.lower().endswith(".localhost"):
        return ["127.0.0.1"]
    return [] if address is None else [str(address)]


def _parsed(host: str) -> Address | None:
    try:
        return ipaddress.ip_address(host.strip("[]").partition("%")[0])
    except ValueError:
        pass
    if not re.fullmatch(r"[0-9a-fA-FxX.]+", host):
        return None
    try:  # 127.1, 0x7f000001 and 2130706433 are addresses to most resolvers
        return ipaddress.IPv4Address(socket.inet_aton(host))
    except OSError:
        return None


def _is_public_v4(address: ipaddress.IPv4Address) -> bool:
    return address.is_global and not address.is_multicast


def _is_public_v6(address: ipaddress.IPv6Address) -> bool:
    # Python calls some addresses global that no public route leads to.
    odd = address.is_multicast or address.is_site_local or address in _V4_COMPATIBLE
    packed = address.ipv4_mapped is not None or address in _NAT64
    return (address.is_global or packed) and not odd


def _packed_into(address: ipaddress.IPv6Address) -> list[ipaddress.IPv4Address]:
    found = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
    if address in _NAT64:
        found.append(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    return [packed for packed in found if packed is not None]
