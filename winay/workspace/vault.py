"""The vault: who people are, kept apart and sealed; everything outside knows a person only by a keyed pseudonym.

The key is a file outside the workspace; from it comes one key for each purpose (HKDF). Without it the lake cannot be
joined to any list of document numbers, not even by trying them all.
"""

import hashlib
import json
import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import BinaryIO

import numpy as np
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from winay.core.problems import At, Problem, WinayError, wrong_use
from winay.core.text import say
from winay.workspace import disk, faults, sealed

CHUNK = 1 << 20  # bytes of a delivery sealed at a time
BATCH = 20_000  # identities written at a time
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's base 32: no I, L, O, U
DIGITS = 13  # 63 bits
_json = json.JSONEncoder(sort_keys=True).encode
_Line = tuple[int, str, bytes, bytes]
_SCHEMA = """
create table if not exists people (person integer primary key, rest integer);
create table if not exists identities (person integer, known text, mark blob, sealed blob,
    primary key (person, known, mark)) without rowid;
create temp table given (person integer, rest integer);
"""


def show(person: int) -> str:
    """A pseudonym for people: 13 characters of Crockford's base 32."""
    return "".join(ALPHABET[(int(person) >> shift) & 31] for shift in range(5 * (DIGITS - 1), -1, -5))


def parse(text: str) -> int:
    """The pseudonym a person typed: case, hyphens and the look-alikes I, L, O do not matter."""
    plain = text.strip().upper().replace("-", "").translate(str.maketrans("ILO", "110"))
    if len(plain) != DIGITS or not set(plain) <= set(ALPHABET) or plain[0] not in ALPHABET[:8]:
        raise wrong_use('"{text}" is not the number of a person', "expected 13 letters and digits", text=text)
    number = 0
    for char in plain:
        number = number * 32 + ALPHABET.index(char)
    return number


def new_key(path: Path) -> None:
    """Write 32 random bytes, readable by the owner only. An existing key is never overwritten."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(os.urandom(32).hex() + "\n")
    disk.sync(path)
    disk.sync(path.parent)


def read_key(path: Path) -> bytes:
    """The 32 bytes of a key file."""
    if not path.is_file():
        hint = "the key is outside the workspace: bring its file here, or say where it is in WINAY_KEY_FILE"
        raise WinayError(Problem(At(str(path)), "the key of this workspace is not here", "", hint))
    try:
        key = bytes.fromhex(path.read_text("ascii"))
    except ValueError:
        key = b""
    if len(key) != 32:
        raise WinayError(Problem(At(str(path)), "this file is not a key of winay", "expected 64 hexadecimal digits"))
    return key


def key_mark(key: bytes) -> str:
    """What the workspace remembers of its key, to know it again."""
    return sealed.derived(key, b"winay key mark").hex()[:16]


def _chunks(file: BinaryIO, told: Callable[[bytes], None]) -> Iterator[bytes]:
    while chunk := file.read(CHUNK):
        told(chunk)
        yield chunk


class Vault:
    """The vault under `path`. `mark`: of the key that made the workspace; any other key is refused, and told so."""

    def __init__(self, path: Path, key_file: Path, mark: str) -> None:
        self.path = path
        self.key_file = key_file
        self._mark = mark

    @cached_property
    def key(self) -> bytes:
        """The master key, once it is known to be this workspace's."""
        key = read_key(self.key_file)
        if key_mark(key) != self._mark:
            hint = "every workspace has its own key; bring the one made with it, or say where it is in WINAY_KEY_FILE"
            raise WinayError(Problem(At(str(self.key_file)), "this is the key of another workspace", "", hint))
        return key

    @cached_property
    def _naming(self) -> bytes:
        return sealed.derived(self.key, b"winay pseudonyms")

    @cached_property
    def _sealing(self) -> AESGCM:
        return AESGCM(sealed.derived(self.key, b"winay sealed values"))

    def pseudonyms(self, kind: str, values: Sequence[str]) -> np.ndarray:
        """int64 >= 0, one a value: the first 63 bits of HMAC-SHA-256(key, kind:value). Distinct values are quickest."""
        return self._named(kind, values)[:, 0]

    def _named(self, kind: str, values: Sequence[str]) -> np.ndarray:
        """[value, (pseudonym, what else its HMAC says)], both int64 >= 0."""
        pad = self._naming.ljust(64, b"\0")
        inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in pad) + kind.encode() + b":")
        outer = hashlib.sha256(bytes(byte ^ 0x5C for byte in pad))

        def named(value: str) -> bytes:  # RFC 2104 with its two keyed states copied: four times as fast as hmac.digest
            one, two = inner.copy(), outer.copy()
            one.update(value.encode("utf-8", "surrogatepass"))
            two.update(one.digest())
            return two.digest()[:16]

        words = np.frombuffer(b"".join(map(named, values)), ">u8").reshape(-1, 2)
        return (words >> np.uint64(1)).astype(np.int64)

    def seal(self, plain: bytes, about: bytes = b"") -> bytes:
        """Encrypt a small value; `about` must be the same when it is opened."""
        nonce = os.urandom(12)
        return nonce + self._sealing.encrypt(nonce, plain, about)

    def unseal(self, value: bytes, about: bytes = b"") -> bytes:
        """The value sealed, or a problem when a byte of it has changed."""
        try:
            return self._sealing.decrypt(value[:12], value[12:], about)
        except (InvalidTag, ValueError) as error:
            raise WinayError(Problem(At(str(self.path)), "a sealed value is damaged")) from error

    def put(self, people: Iterable[tuple[str, str, Mapping[str, str]]], known: date) -> None:
        """Seal what is known of identifiers: (kind, value, names, telephone…). The same again changes nothing.

        A pseudonym that already stands for another identifier is a problem, and nothing of the call is kept.
        """
        rows = iter(people)
        with disk.writing(say("the vault"), self.path), self._identities() as db, db:
            while batch := list(islice(rows, BATCH)):
                named = zip(self._taken(db, batch), batch, strict=True)
                lines = sorted(self._line(person, known.isoformat(), *row) for person, row in named)
                db.executemany("insert or ignore into identities values (?, ?, ?, ?)", lines)
            faults.point("vault.identities")

    def identity(self, person: int) -> dict[str, str]:
        """All that is known of an identifier: `kind`, `value` and its facts; what became known later wins."""
        return self.identities([person]).get(int(person), {})

    def identities(self, persons: Iterable[int]) -> dict[int, dict[str, str]]:
        """The same of many, by pseudonym; those of whom nothing is known are left out."""
        sql = "select person, sealed from identities where person = ? order by known, mark"
        facts: dict[int, dict[str, str]] = {}
        with self._identities() as db:
            for person in persons:
                for row in db.execute(sql, (int(person),)):
                    facts.setdefault(row[0], {}).update(self._facts(*row))
        return facts

    def erase(self, person: int) -> bool:
        """Forget who a pseudonym is. True when something was known. The pseudonym stays taken."""
        with disk.writing(say("the vault"), self.path), self._identities() as db, db:
            db.execute("pragma secure_delete = on")  # zeroes on the disk, not only a free page
            return db.execute("delete from identities where person = ?", (int(person),)).rowcount > 0

    def verify(self) -> Iterator[Problem | None]:
        """Open every identity and every kept delivery: one item each, None when it is as it was sealed."""
        try:
            with self._identities() as db:
                for (told,) in db.execute("pragma integrity_check"):
                    yield None if told == "ok" else self._damage("identities.sqlite", told)
                for row in db.execute("select person, sealed from identities"):
                    self._facts(*row)
                    yield None
        except WinayError as error:
            yield error.problems[0]
        for sha256 in self.deliveries():
            yield self._checked(sha256)

    def keep(self, path: Path) -> str:
        """Keep a delivered file, compressed and sealed; returns the SHA-256 of its bytes, its name here."""
        sha256 = disk.digest(path)
        kept = self._kept(sha256)
        if kept.is_file():
            return sha256
        with (
            disk.writing(say("the delivered file in the vault"), kept, path.stat().st_size),
            disk.staged(kept, lambda: faults.point("vault.keep.name")) as draft,
            path.open("rb") as plain,
            draft.open("wb") as out,
        ):
            found = hashlib.sha256()
            for piece in sealed.seal(_chunks(plain, found.update), self.key, bytes.fromhex(sha256)):
                faults.point("vault.keep.chunk")
                out.write(piece)
            if found.hexdigest() != sha256:
                raise OSError(0, say("the delivered file changed while it was read"))
        disk.sync(kept.parent.parent)
        return sha256

    def delivered(self, sha256: str) -> Iterator[bytes]:
        """The bytes of a delivery, chunk by chunk; a changed, cut or moved chunk is a problem and not given out."""
        kept = self._kept(sha256)
        if not kept.is_file():
            hint = "it was kept for the declared time, or it was never loaded here"
            raise WinayError(Problem(At(str(kept)), "this delivery is not in the vault", "", hint))
        try:
            with kept.open("rb") as file:
                yield from sealed.opened(file.read, self.key, bytes.fromhex(sha256))
        except sealed.Damaged as error:
            raise WinayError(self._damage(str(kept.relative_to(self.path)), say("a delivery"))) from error

    def deliveries(self) -> list[str]:
        """The deliveries kept, by their SHA-256."""
        return sorted(path.name for path in self.path.glob("deliveries/??/*") if not path.name.startswith("."))

    def forget(self, sha256: str) -> bool:
        """Delete a delivery whose time has passed. True when it was here."""
        kept = self._kept(sha256)
        if not kept.is_file():
            return False
        kept.unlink()
        disk.sync(kept.parent)
        return True

    def _kept(self, sha256: str) -> Path:
        return self.path / "deliveries" / sha256[:2] / sha256

    def _checked(self, sha256: str) -> Problem | None:
        found = hashlib.sha256()
        try:
            for chunk in self.delivered(sha256):
                found.update(chunk)
        except WinayError as error:
            return error.problems[0]
        return None if found.hexdigest() == sha256 else self._damage(sha256, say("a delivery"))

    def _damage(self, name: str, what: str) -> Problem:
        found, hint = "the vault is damaged: {what}", "bring the file back from a copy"
        return Problem(At(str(self.path / name)), found, "", hint, {"what": what})

    def _taken(self, db: sqlite3.Connection, batch: Sequence[tuple[str, str, object]]) -> list[int]:
        """The pseudonyms of a batch, each taken now by its identifier and by no other."""
        kinds = {kind: [value for k, value, _ in batch if k == kind] for kind in {row[0] for row in batch}}
        named = {kind: iter(self._named(kind, values).tolist()) for kind, values in kinds.items()}
        given = [next(named[kind]) for kind, _, _ in batch]
        db.execute("delete from given")
        db.executemany("insert into given values (?, ?)", given)
        db.execute("insert or ignore into people select * from given")
        sql = "select person from given join people using (person) where given.rest <> people.rest"
        for (person,) in db.execute(sql):
            found = "the pseudonym {person} would stand for two identifiers"
            raise WinayError(Problem(At(str(self.path)), found, facts={"person": show(person)}))
        return [person for person, _ in given]

    def _line(self, person: int, known: str, kind: str, value: str, facts: Mapping[str, str]) -> _Line:
        plain = _json({**facts, "kind": kind, "value": value}).encode()
        mark = hashlib.blake2b(plain, key=self._naming, digest_size=8).digest()
        return person, known, mark, self.seal(plain, person.to_bytes(8, "big"))

    def _facts(self, person: int, value: bytes) -> dict[str, str]:
        facts: dict[str, str] = json.loads(self.unseal(value, int(person).to_bytes(8, "big")))
        return facts

    @contextmanager
    def _identities(self) -> Iterator[sqlite3.Connection]:
        file = self.path / "identities.sqlite"
        try:
            db = sqlite3.connect(file, timeout=60)
            try:
                db.execute("pragma synchronous = full")
                db.executescript(_SCHEMA)
                yield db
            finally:
                db.close()
        except sqlite3.DatabaseError as error:
            raise WinayError(self._damage(file.name, str(error))) from error
