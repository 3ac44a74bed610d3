"""Pseudonyms for people: the same person is the same pseudonym in all exports of a home.

A pseudonym is ``~`` and the first 16 hex digits of HMAC-SHA256 (RFC 2104) over a name, keyed with a
salt that stays in the home. Who has the salt can test a guess, and nobody else can.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path

import duckdb

SALT = "export-salt"
SALT_BYTES = 32
BLOCK_BYTES = 64
HEX_DIGITS = 16


def salt_of(home: Path) -> bytes:
    """The salt of a home, made at the first call and readable by its owner alone."""
    path = home / "state" / SALT
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        _write_once(path, secrets.token_bytes(SALT_BYTES))
    return path.read_bytes()


def create_pseudonym(db: duckdb.DuckDBPyConnection, salt: bytes) -> None:
    """Make ``temp.pseudonym(name)``: null for null."""
    key = salt.ljust(BLOCK_BYTES, b"\0")
    inner, outer = (_blob(bytes(byte ^ pad for byte in key)) for pad in (0x36, 0x5C))
    digest = f"sha256({outer} || unhex(sha256({inner} || encode(name))))"
    db.execute(f"create temp macro pseudonym(name) as '~' || left({digest}, {HEX_DIGITS})")


def _blob(content: bytes) -> str:
    return f"from_hex('{content.hex()}')"


def _write_once(path: Path, content: bytes) -> None:
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    try:
        path.hardlink_to(part)  # of two at once, one salt wins
    except FileExistsError:
        pass
    finally:
        part.unlink()
