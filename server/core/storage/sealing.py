"""How a file is encrypted: AES-256-GCM in chunks of 1 MiB with STREAM nonces.

Layout: magic "LAM1", 8 random bytes, then chunks of ciphertext, each with its 16-byte tag. The nonce of chunk n
is the first 7 random bytes, n as 4 bytes big-endian, and a byte that is 1 on the last chunk only. So chunks
cannot be reordered, dropped or cut off unnoticed, and any byte range can be read by decrypting its chunks alone.
Source: V. T. Hoang, R. Reyhanitabar, P. Rogaway, D. Vizar, "Online authenticated-encryption and its
nonce-reuse misuse-resistance", CRYPTO 2015 (the STREAM construction).
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

MAGIC = b"LAM1"
HEADER_BYTES = 12
CHUNK = 1024 * 1024
TAG = 16


class Damaged(Exception):
    """The bytes are not those that were stored."""


def _nonce(header: bytes, index: int, last: bool) -> bytes:
    return header[4:11] + index.to_bytes(4, "big") + (b"\x01" if last else b"\x00")


def stored_size(plain_size: int) -> int:
    """Bytes on disk for `plain_size` bytes. An empty file still has one (empty) chunk."""
    chunks = max(1, -(-plain_size // CHUNK))
    return HEADER_BYTES + plain_size + chunks * TAG


def seal(key: bytes, plain: BinaryIO) -> Iterator[bytes]:
    """The stored bytes, piece by piece."""
    header = MAGIC + secrets.token_bytes(HEADER_BYTES - len(MAGIC))
    cipher = AESGCM(key)
    yield header
    index = 0
    chunk = _full(plain)
    while True:
        # Only a look ahead tells whether this chunk is the last one.
        following = _full(plain) if len(chunk) == CHUNK else b""
        yield cipher.encrypt(_nonce(header, index, not following), chunk, header)
        if not following:
            return
        chunk, index = following, index + 1


def _full(plain: BinaryIO) -> bytes:
    """One whole chunk, even from a stream that answers in smaller pieces."""
    parts, missing = [], CHUNK
    while missing and (piece := plain.read(missing)):
        parts.append(piece)
        missing -= len(piece)
    return b"".join(parts)


def unseal_range(key: bytes, stored: BinaryIO, plain_size: int, start: int, length: int) -> Iterator[bytes]:
    """Plain bytes start .. start+length. Raises Damaged when a chunk is not what was stored."""
    stored.seek(0)
    header = stored.read(HEADER_BYTES)
    if len(header) != HEADER_BYTES or header[:4] != MAGIC:
        raise Damaged("the header is not that of a stored object")
    cipher = AESGCM(key)
    last = max(0, -(-plain_size // CHUNK) - 1)
    end = min(start + length, plain_size)
    index = start // CHUNK
    while index <= last and (index * CHUNK < end or (plain_size == 0 and index == 0)):
        stored.seek(HEADER_BYTES + index * (CHUNK + TAG))
        wanted = min(CHUNK, plain_size - index * CHUNK) + TAG
        sealed = stored.read(wanted)
        try:
            chunk = cipher.decrypt(_nonce(header, index, index == last), sealed, header)
        except InvalidTag:
            raise Damaged(f"chunk {index} does not verify") from None
        offset = index * CHUNK
        piece = chunk[max(0, start - offset) : max(0, end - offset)]
        if piece:
            yield piece
        index += 1
