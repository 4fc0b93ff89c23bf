"""The vault: who people are, kept apart and sealed; everything outside knows a person only by a keyed pseudonym.

The key is a file outside the workspace; from it comes one key for each purpose (HKDF). Without it the lake cannot be
joined to any list of document numbers, not even by trying them all.
"""

import hashlib
import json
import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date
from functools import cache, cached_property
from itertools import islice
from pathlib import Path

import numpy as np
import pyarrow as pa
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from winay.core.problems import At, Problem, WinayError, wrong_use
from winay.core.text import say
from winay.workspace import disk, faults
from winay.workspace.key import derived, key_mark, read_key
from winay.workspace.sqlite import Database

CHUNK = 1 << 20  # bytes of a delivery sealed at a time
LENGTH = 4  # bytes that say how long what follows is
ZSTD = pa.Codec("zstd")
BATCH = 20_000  # identities written at a time
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's base 32: no I, L, O, U
DIGITS = 13  # 63 bits
_json = json.JSONEncoder(sort_keys=True).encode
_SCHEMA = """
create table if not exists people (person integer primary key, rest integer);
create table if not exists identities (person integer, known text, mark blob, sealed blob,
    primary key (person, known, mark)) without rowid;
create trigger if not exists one_person before insert on people
    when exists (select 1 from people where person = new.person and rest <> new.rest)
    begin select raise(abort, 'two identifiers'); end;
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


class Vault:
    """The vault under `path`. `mark`: of the key that made the workspace; any other key is refused, and told so."""

    def __init__(self, path: Path, key_file: Path, mark: str) -> None:
        self.path = path
        self.key_file = key_file
        self._mark = mark
        self._file = Database(path / "identities.sqlite", "the vault")

    def create(self) -> None:
        """Make the tables of identities."""
        self._file.create(_SCHEMA)

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
        return derived(self.key, b"winay pseudonyms")

    @cached_property
    def _sealing(self) -> AESGCM:
        return AESGCM(derived(self.key, b"winay sealed values"))

    def pseudonyms(self, kind: str, values: Sequence[str]) -> np.ndarray:
        """int64 >= 0, one a value: the first 63 bits of HMAC-SHA-256(key, kind:value). Distinct values are quickest."""
        words = np.frombuffer(b"".join(map(_hmac(self._naming, kind), values)), ">u8")
        return (words[::4] >> np.uint64(1)).astype(np.int64)

    def seal(self, plain: bytes, about: bytes = b"") -> bytes:
        """Encrypt a small value; `about` must be the same when it is opened."""
        nonce = os.urandom(12)
        return nonce + self._sealing.encrypt(nonce, plain, about)

    def unseal(self, value: bytes, about: bytes = b"", at: Path | None = None) -> bytes:
        """The value sealed, or a problem when a byte of it has changed. `at`: the file it is in."""
        try:
            return self._sealing.decrypt(value[:12], value[12:], about)
        except (InvalidTag, ValueError) as error:
            raise self._damaged(at or self.path) from error

    def put(self, people: Iterable[tuple[str, str, Mapping[str, str]]], known: date) -> None:
        """Seal what is known of identifiers: (kind, value, names, telephone…). The same again changes nothing.

        A pseudonym that already stands for another identifier is a problem, and nothing of the call is kept.
        """
        lines = (self._line(*row) for row in people)
        day = known.isoformat()
        with self._file.writing() as db:
            while batch := sorted(islice(lines, BATCH)):
                try:
                    db.executemany("insert or ignore into people values (?, ?)", (line[:2] for line in batch))
                except sqlite3.IntegrityError as error:
                    found = "one pseudonym would stand for two identifiers"
                    raise WinayError(Problem(At(str(self._file.path)), found)) from error
                rows = ((person, day, mark, sealed) for person, _, mark, sealed in batch)
                db.executemany("insert or ignore into identities values (?, ?, ?, ?)", rows)
            faults.point("vault.identities")

    def identities(self, persons: Iterable[int]) -> dict[int, dict[str, str]]:
        """person -> all that is known of the identifier: `kind`, `value` and its facts; what became known later wins."""
        sql = "select person, sealed from identities where person = ? order by known, mark"
        facts: dict[int, dict[str, str]] = {}
        with self._file.open() as db:
            for asked in persons:
                for person, sealed in db.execute(sql, (int(asked),)):
                    facts.setdefault(person, {}).update(self._facts(person, sealed))
        return facts

    def erase(self, person: int) -> bool:
        """Forget who a pseudonym is. True when something was known. The pseudonym stays taken."""
        with self._file.writing() as db:
            db.execute("pragma secure_delete = on")  # zeroes on the disk, not only a free page
            return db.execute("delete from identities where person = ?", (int(person),)).rowcount > 0

    def keep(self, path: Path) -> str:
        """Keep a delivered file, compressed and sealed chunk by chunk; returns the SHA-256 of its bytes, its name here."""
        sha256, found = disk.digest(path), hashlib.sha256()
        kept = self._kept(sha256)
        if kept.is_file():
            return sha256
        thing, size = say("the delivered file in the vault"), path.stat().st_size
        with (
            disk.writing(thing, kept, size),
            disk.staged(kept) as draft,
            path.open("rb") as plain,
            draft.open("wb") as out,
        ):
            for number, chunk in enumerate(iter(lambda: plain.read(CHUNK), b"")):
                faults.point("vault.keep.chunk")
                found.update(chunk)
                packed = _length(chunk) + ZSTD.compress(chunk, asbytes=True)
                piece = self.seal(packed, f"{sha256} {number}".encode())
                out.write(_length(piece) + piece)
            if found.hexdigest() != sha256:
                raise OSError(0, say("the delivered file changed while it was read"))
        disk.sync(kept.parent.parent)
        return sha256

    def delivered(self, sha256: str) -> Iterator[bytes]:
        """The bytes of a delivery, chunk by chunk. A changed or moved chunk is a problem and not given out; that the
        end was cut off is a problem at the end."""
        kept, found = self._kept(sha256), hashlib.sha256()
        if not kept.is_file():
            hint = "it was kept for the declared time, or it was never loaded here"
            raise WinayError(Problem(At(str(kept)), "this delivery is not in the vault", "", hint))
        with kept.open("rb") as file:
            for number, length in enumerate(iter(lambda: file.read(LENGTH), b"")):
                piece = file.read(int.from_bytes(length, "big"))
                if _length(piece) != length:
                    raise self._damaged(kept)
                packed = self.unseal(piece, f"{sha256} {number}".encode(), kept)
                size = int.from_bytes(packed[:LENGTH], "big")
                chunk = ZSTD.decompress(packed[LENGTH:], decompressed_size=size, asbytes=True)
                found.update(chunk)
                yield chunk
        if found.hexdigest() != sha256:
            raise self._damaged(kept)

    def deliveries(self) -> list[str]:
        """The deliveries kept, by their SHA-256."""
        return sorted(path.name for path in self.path.glob("deliveries/??/*") if not path.name.startswith("."))

    def verify(self) -> Iterator[Problem | None]:
        """Open every identity and every kept delivery: None for each piece that is as it was sealed."""
        yield from self._file.problems()
        for pieces in (self._everyone(), *map(self.delivered, self.deliveries())):
            try:
                yield from (None for _ in pieces)
            except WinayError as error:
                yield from error.problems

    def _everyone(self) -> Iterator[dict[str, str]]:
        with self._file.open() as db:
            for row in db.execute("select person, sealed from identities"):
                yield self._facts(*row)

    def _kept(self, sha256: str) -> Path:
        return self.path / "deliveries" / sha256[:2] / sha256

    def _damaged(self, path: Path) -> WinayError:
        return WinayError(
            Problem(At(str(path)), "what is sealed here is damaged", "", "bring the file back from a copy")
        )

    def _line(self, kind: str, value: str, facts: Mapping[str, str]) -> tuple[int, int, bytes, bytes]:
        """Pseudonym, what else its HMAC says (another identifier would say other), a mark of the facts, the facts."""
        word = _hmac(self._naming, kind)(value)
        person, rest = (int.from_bytes(word[at : at + 8], "big") >> 1 for at in (0, 8))
        plain = _json({**facts, "kind": kind, "value": value}).encode()
        mark = hashlib.blake2b(plain, key=self._naming, digest_size=8).digest()
        return person, rest, mark, self.seal(plain, person.to_bytes(8, "big"))

    def _facts(self, person: int, value: bytes) -> dict[str, str]:
        facts: dict[str, str] = json.loads(self.unseal(value, int(person).to_bytes(8, "big"), self._file.path))
        return facts


def _length(content: bytes) -> bytes:
    return len(content).to_bytes(LENGTH, "big")


@cache
def _hmac(key: bytes, kind: str) -> Callable[[str], bytes]:
    """HMAC-SHA-256(key, kind:value) of values: RFC 2104 with its keyed states copied, four times as fast as hmac.digest."""
    pad = key.ljust(64, b"\0")
    inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in pad) + kind.encode() + b":")
    outer = hashlib.sha256(bytes(byte ^ 0x5C for byte in pad))

    def digest(value: str) -> bytes:
        one, two = inner.copy(), outer.copy()
        one.update(value.encode("utf-8", "surrogatepass"))
        two.update(one.digest())
        return two.digest()

    return digest
