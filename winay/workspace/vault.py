"""The vault: who people are, kept apart and sealed; everything outside knows a person only by a keyed pseudonym.

The key is a file outside the workspace. From it come one key for pseudonyms, one for sealing (HKDF) and one for
each delivery kept. Without it the lake cannot be joined to any list of document numbers, not even by trying them all.
"""

import hashlib
import hmac
import json
import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from functools import cached_property
from pathlib import Path

import numpy as np
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from winay.core.problems import At, Problem, WinayError, wrong_use
from winay.core.text import say
from winay.workspace import disk, faults

CHUNK = 1 << 20  # bytes of the delivery sealed at a time
MAGIC = b"WINAY-1\n"
SALT = 16
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's base 32: no I, L, O, U
DIGITS = 13  # 63 bits
Identifier = tuple[str, str]


def show(person: int) -> str:
    """A pseudonym for people: 13 characters of Crockford's base 32."""
    return "".join(ALPHABET[(person >> shift) & 31] for shift in range(5 * (DIGITS - 1), -1, -5))


def parse(text: str) -> int:
    """The pseudonym a person typed: case, hyphens and the look-alikes I, L, O do not matter."""
    plain = text.strip().upper().replace("-", "").translate(str.maketrans("ILO", "110"))
    if len(plain) != DIGITS or not set(plain) <= set(ALPHABET) or ALPHABET.index(plain[0]) > 7:
        raise wrong_use('"{text}" is not the number of a person', "expected 13 letters and digits", text=text)
    number = 0
    for char in plain:
        number = number * 32 + ALPHABET.index(char)
    return number


def new_key(path: Path) -> None:
    """Write 32 random bytes, readable by the owner only. An existing key is never overwritten."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w") as file:
        file.write(os.urandom(32).hex() + "\n")
    disk.sync(path)
    disk.sync(path.parent)


def key_mark(key: bytes) -> str:
    """What the workspace remembers of its key, to know it again."""
    return _derived(key, b"winay key mark").hex()[:16]


def read_key(path: Path) -> bytes:
    """The 32 bytes of a key file."""
    if not path.is_file():
        hint = "the key is outside the workspace: bring its file here, or say where it is in WINAY_KEY_FILE"
        raise WinayError(Problem(At(str(path)), "the key of this workspace is not here", "", hint))
    try:
        key = bytes.fromhex(path.read_text("ascii"))
    except (ValueError, UnicodeDecodeError):
        key = b""
    if len(key) != 32:
        raise WinayError(Problem(At(str(path)), "this file is not a key of winay", "expected 64 hexadecimal digits"))
    return key


class Vault:
    """The vault under `path`. `mark`: of the key that made the workspace; any other key is refused, and told so."""

    def __init__(self, path: Path, key_file: Path, mark: str) -> None:
        self.path = path
        self.key_file = key_file
        self._mark = mark

    @cached_property
    def _key(self) -> bytes:
        key = read_key(self.key_file)
        if key_mark(key) != self._mark:
            hint = "every workspace has its own key; use the one made with this workspace (winay.toml says where)"
            raise WinayError(Problem(At(str(self.key_file)), "this is the key of another workspace", "", hint))
        return key

    @cached_property
    def _naming(self) -> bytes:
        return _derived(self._key, b"winay pseudonyms")

    @cached_property
    def _sealing(self) -> AESGCM:
        return AESGCM(_derived(self._key, b"winay sealed values"))

    def pseudonyms(self, kind: str, values: Sequence[str]) -> np.ndarray:
        """int64 >= 0, one a value: the first 63 bits of HMAC-SHA-256(key, kind:value). Distinct values are quickest."""
        return self._named(kind, values)[:, 0]

    def _named(self, kind: str, values: Sequence[str]) -> np.ndarray:
        """[value, (pseudonym, what else its HMAC says)], both int64."""
        key, prefix = self._naming, kind.encode() + b":"
        joined = b"".join(hmac.digest(key, prefix + value.encode(), "sha256")[:16] for value in values)
        return (np.frombuffer(joined, ">u8").reshape(-1, 2) >> np.uint64(1)).astype(np.int64)

    def seal(self, plain: bytes, about: bytes = b"") -> bytes:
        """Encrypt a small value; `about` must be the same when it is opened."""
        nonce = os.urandom(12)
        return nonce + self._sealing.encrypt(nonce, plain, about)

    def unseal(self, sealed: bytes, about: bytes = b"") -> bytes:
        """The value sealed, or a problem when a byte of it has changed."""
        try:
            return self._sealing.decrypt(sealed[:12], sealed[12:], about)
        except (InvalidTag, ValueError) as error:
            raise WinayError(Problem(At(str(self.path)), "a sealed value is damaged")) from error

    def put(self, people: Iterable[tuple[str, str, Mapping[str, str]]], known: date) -> None:
        """Seal what is known of identifiers: (kind, value, names, telephone…). The same again changes nothing.

        A pseudonym that already stands for another identifier is a problem, and nothing of the call is kept.
        """
        rows = [(kind, value, dict(facts)) for kind, value, facts in people]
        kinds = {kind: [value for k, value, _ in rows if k == kind] for kind in {row[0] for row in rows}}
        named = {kind: iter(self._named(kind, values).tolist()) for kind, values in kinds.items()}
        with disk.writing(say("the vault"), self.path), self._identities() as db, db:
            for kind, value, facts in rows:
                person, rest = next(named[kind])
                db.execute("insert or ignore into people values (?, ?)", (person, rest))
                if db.execute("select rest from people where person = ?", (person,)).fetchone() != (rest,):
                    facts = {"person": show(person), "kind": kind}
                    raise WinayError(
                        Problem(None, "the pseudonym {person} stands for two identifiers ({kind})", facts=facts)
                    )
                plain = json.dumps({"kind": kind, "value": value, **facts}, ensure_ascii=False, sort_keys=True).encode()
                mark = hmac.digest(self._naming, b"identity " + plain, "sha256")[:8]
                row = (person, known.isoformat(), mark, self.seal(plain, person.to_bytes(8, "big")))
                db.execute("insert or ignore into identities values (?, ?, ?, ?)", row)
            faults.point("vault.identities")

    def identity(self, person: int) -> dict[str, str]:
        """All that is known of an identifier: `kind`, `value` and its facts, what became known later winning."""
        with self._identities() as db:
            rows = db.execute(
                "select sealed from identities where person = ? order by known, mark", (person,)
            ).fetchall()
        facts: dict[str, str] = {}
        for (sealed,) in rows:
            facts |= json.loads(self.unseal(sealed, person.to_bytes(8, "big")))
        return facts

    def erase(self, person: int) -> bool:
        """Forget who a pseudonym is. True when something was known. The pseudonym stays taken."""
        with disk.writing(say("the vault"), self.path), self._identities() as db, db:
            db.execute("pragma secure_delete = on")
            return db.execute("delete from identities where person = ?", (person,)).rowcount > 0

    @contextmanager
    def _identities(self) -> Iterator[sqlite3.Connection]:
        self.path.mkdir(parents=True, exist_ok=True)
        db = sqlite3.connect(self.path / "identities.sqlite", timeout=60)
        try:
            db.execute("pragma synchronous = full")
            db.execute("create table if not exists people (person integer primary key, rest integer)")
            db.execute(
                """create table if not exists identities (person integer, known text, mark blob, sealed blob,
                primary key (person, known, mark)) without rowid"""
            )
            yield db
        except sqlite3.DatabaseError as error:
            problem = Problem(At(str(self.path / "identities.sqlite")), "the vault: {what}", facts={"what": error})
            raise WinayError(problem) from error
        finally:
            db.close()

    def keep(self, path: Path) -> str:
        """Keep a delivered file, compressed and sealed in chunks; returns the SHA-256 of its bytes, its name."""
        sha256 = disk.digest(path)
        kept = self._delivery(sha256)
        if kept.is_file():
            return sha256
        with (
            disk.writing(say("the delivered file in the vault"), kept, path.stat().st_size),
            disk.staged(kept, lambda: faults.point("vault.keep.name")) as draft,
            path.open("rb") as plain,
            draft.open("wb") as sealed,
        ):
            salt = os.urandom(SALT)
            sealed.write(MAGIC + salt)
            for record in _sealed(iter(lambda: plain.read(CHUNK), b""), self._chunks(salt), bytes.fromhex(sha256)):
                faults.point("vault.keep.chunk")
                sealed.write(len(record).to_bytes(4, "big") + record)
        disk.sync(kept.parent.parent)
        return sha256

    def delivered(self, sha256: str) -> Iterator[bytes]:
        """The bytes of a delivery, chunk by chunk; a changed, cut or moved chunk is a problem and not given out."""
        import pyarrow as pa

        kept, index = self._delivery(sha256), 0
        if not kept.is_file():
            hint = "it was kept for the declared time, or it was never loaded here"
            raise WinayError(Problem(At(str(kept)), "this delivery is not in the vault", "", hint))
        with kept.open("rb") as file:
            head = file.read(len(MAGIC) + SALT)
            cipher, record = self._chunks(head[len(MAGIC) :]), _record(file.read)
            while record:
                following = _record(file.read)
                about = bytes.fromhex(sha256) + _about(index, last=not following)
                try:
                    plain = cipher.decrypt(_nonce(index), record, about)
                except (InvalidTag, ValueError) as error:
                    found = "the delivery kept in the vault is damaged"
                    raise WinayError(Problem(At(str(kept)), found, "", "bring it back from a copy")) from error
                size = int.from_bytes(plain[:4], "big")
                yield pa.Codec("zstd").decompress(plain[4:], decompressed_size=size, asbytes=True)
                record, index = following, index + 1
        if not index or not head.startswith(MAGIC):
            raise WinayError(Problem(At(str(kept)), "the delivery kept in the vault is damaged"))

    def deliveries(self) -> list[str]:
        """The deliveries kept, by their SHA-256."""
        return sorted(path.name for path in self.path.glob("deliveries/??/*") if not path.name.startswith("."))

    def damaged(self, sha256: str) -> Problem | None:
        """Open a kept delivery from end to end; None when it is what was delivered."""
        found = hashlib.sha256()
        try:
            for chunk in self.delivered(sha256):
                found.update(chunk)
        except WinayError as error:
            return error.problems[0]
        if found.hexdigest() == sha256:
            return None
        return Problem(At(str(self._delivery(sha256))), "the delivery kept in the vault is damaged")

    def forget(self, sha256: str) -> bool:
        """Delete a delivery whose time has passed. True when it was here."""
        kept = self._delivery(sha256)
        if not kept.is_file():
            return False
        kept.unlink()
        disk.sync(kept.parent)
        return True

    def _delivery(self, sha256: str) -> Path:
        return self.path / "deliveries" / sha256[:2] / sha256

    def _chunks(self, salt: bytes) -> AESGCM:
        """The cipher of one kept delivery: a key of its own, so that the chunk's number can be the nonce."""
        return AESGCM(_derived(self._key, b"winay delivery", salt))


def _derived(key: bytes, purpose: bytes, salt: bytes | None = None) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=salt, info=purpose).derive(key)


def _sealed(chunks: Iterator[bytes], cipher: AESGCM, sha256: bytes) -> Iterator[bytes]:
    """Each chunk compressed and sealed; an empty file is one empty chunk, so that nothing can be cut to nothing."""
    import pyarrow as pa

    index, chunk = 0, next(chunks, b"")
    while True:
        following = next(chunks, None)
        plain = len(chunk).to_bytes(4, "big") + pa.Codec("zstd").compress(chunk, asbytes=True)
        yield cipher.encrypt(_nonce(index), plain, sha256 + _about(index, last=following is None))
        if following is None:
            return
        index, chunk = index + 1, following


def _record(read: Callable[[int], bytes]) -> bytes:
    """The next sealed chunk; empty at the end (a chunk cut short fails its check)."""
    return read(int.from_bytes(read(4), "big"))


def _about(index: int, last: bool) -> bytes:
    return index.to_bytes(8, "big") + bytes([last])


def _nonce(index: int) -> bytes:
    return index.to_bytes(12, "big")
