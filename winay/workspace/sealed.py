"""A stream of bytes, compressed and sealed in chunks of which none can be changed, cut off or moved unnoticed.

MAGIC, 16 bytes of salt, then each chunk: its length (4 bytes), AES-256-GCM of (plain length, zstd of the plain bytes).
The key is made for this stream from the salt, so the chunk's number can be the nonce; number and "is the last" are
authenticated with it.
"""

import os
from collections.abc import Callable, Iterable, Iterator

import pyarrow as pa
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

MAGIC, SALT, LENGTH = b"WINAY-1\n", 16, 4


class Damaged(Exception):
    """The bytes are not what was sealed, or not under this key."""


def derived(key: bytes, purpose: bytes, salt: bytes | None = None) -> bytes:
    """A key of 32 bytes for one purpose (HKDF-SHA-256)."""
    return HKDF(algorithm=SHA256(), length=32, salt=salt, info=purpose).derive(key)


def seal(chunks: Iterable[bytes], key: bytes, about: bytes) -> Iterator[bytes]:
    """The sealed stream, piece by piece. An empty stream is one empty chunk, so that nothing can be cut to nothing."""
    salt, codec = os.urandom(SALT), pa.Codec("zstd")
    yield MAGIC + salt
    cipher, rest, index = _cipher(key, salt), iter(chunks), 0
    chunk: bytes | None = next(rest, b"")
    while chunk is not None:
        following = next(rest, None)
        plain = len(chunk).to_bytes(LENGTH, "big") + codec.compress(chunk, asbytes=True)
        record = cipher.encrypt(_nonce(index), plain, about + _place(index, following is None))
        yield len(record).to_bytes(LENGTH, "big") + record
        chunk, index = following, index + 1


def opened(read: Callable[[int], bytes], key: bytes, about: bytes) -> Iterator[bytes]:
    """The plain chunks again; raises Damaged before giving out anything that was not sealed so."""
    head, codec, index = read(len(MAGIC) + SALT), pa.Codec("zstd"), 0
    cipher, record = _cipher(key, head[len(MAGIC) :]), _record(read)
    if not record or not head.startswith(MAGIC):
        raise Damaged
    while record:
        following = _record(read)
        try:
            plain = cipher.decrypt(_nonce(index), record, about + _place(index, not following))
        except (InvalidTag, ValueError) as error:
            raise Damaged from error
        size = int.from_bytes(plain[:LENGTH], "big")
        yield codec.decompress(plain[LENGTH:], decompressed_size=size, asbytes=True)
        record, index = following, index + 1


def _record(read: Callable[[int], bytes]) -> bytes:
    """The next sealed chunk; empty at the end of the stream."""
    length = read(LENGTH)
    size = int.from_bytes(length, "big")
    record = read(size)
    if length and (not record or len(length) + len(record) != LENGTH + size):
        raise Damaged
    return record


def _cipher(key: bytes, salt: bytes) -> AESGCM:
    return AESGCM(derived(key, b"winay stream", salt))


def _place(index: int, last: bool) -> bytes:
    return index.to_bytes(8, "big") + bytes([last])


def _nonce(index: int) -> bytes:
    return index.to_bytes(12, "big")
