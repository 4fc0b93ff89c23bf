"""The vault: who people are, kept apart and sealed; everything outside knows a person only by a keyed pseudonym.

The key is a file outside the workspace: 32 random bytes, and from them one key for each purpose (HKDF). Without it the
lake cannot be joined to any list of document numbers, not even by trying them all. What is sealed is the same each time
(AES-SIV), so that what is put twice is there once.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date
from functools import cache, cached_property, partial
from itertools import islice
from pathlib import Path
from secrets import token_hex

import numpy as np
import pyarrow as pa
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hmac import HMAC
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from winay.core.problems import At, Problem, WinayError, wrong_use
from winay.core.text import say
from winay.workspace import disk
from winay.workspace.sqlite import Database

CHUNK = 1 << 20  # bytes of a delivery sealed at a time
LENGTH = 4  # bytes that say how long a sealed chunk is
BATCH = 20_000  # identities written at a time
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's base 32: no I, L, O, U
DIGITS = 13  # 63 bits
_json = json.JSONEncoder(sort_keys=True).encode
_SCHEMA = """
create table if not exists identities (person integer, known text, sealed blob, rest integer,
    primary key (person, known, sealed)) without rowid;
create trigger if not exists one_person before insert on identities
    when exists (select 1 from identities where person = new.person and rest <> new.rest)
    begin select raise(abort, 'one pseudonym would stand for two identifiers'); end;
"""


def show(person: int) -> str:
    """A pseudonym for people: 13 characters of Crockford's base 32."""
    return "".join(ALPHABET[(int(person) >> shift) & 31] for shift in range(5 * (DIGITS - 1), -1, -5))


def parse(text: str) -> int:
    """The pseudonym a person typed: case, hyphens and the look-alikes I, L, O do not matter."""
    plain = text.strip().upper().replace("-", "").translate(str.maketrans("ILO", "110"))
    if len(plain) != DIGITS or not set(plain) <= set(ALPHABET) or plain[0] not in ALPHABET[:8]:
        raise wrong_use('"{text}" is not the number of a person', "expected 13 letters and digits", text=text)
    return sum(ALPHABET.index(char) << 5 * place for place, char in enumerate(reversed(plain)))


def new_key(path: Path) -> None:
    """Write 32 random bytes, readable by the owner only. An existing key is never overwritten."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.touch(mode=0o600, exist_ok=False)
    path.write_text(token_hex(32) + "\n", "ascii")
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


def derived(key: bytes, purpose: bytes, length: int = 32) -> bytes:
    """A key for one purpose (HKDF-SHA-256)."""
    return HKDF(algorithm=SHA256(), length=length, salt=None, info=purpose).derive(key)


def key_mark(key: bytes) -> str:
    """What the workspace remembers of its key, to know it again."""
    return derived(key, b"winay key mark").hex()[:16]


class Vault:
    """The vault under `path`. `mark`: of the key that made the workspace; any other key is refused, and told so."""

    def __init__(self, path: Path, key_file: Path, mark: str) -> None:
        self.path = path
        self.key_file = key_file
        self._mark = mark
        self._file = Database(path / "identities.sqlite", "the vault")

    def create(self) -> None:
        """Make the table of identities."""
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
    def _sealing(self) -> AESSIV:
        return AESSIV(derived(self.key, b"winay sealed values", 64))

    def pseudonyms(self, kind: str, values: Sequence[str]) -> np.ndarray:
        """int64 >= 0, one a value: the first 63 bits of HMAC-SHA-256(key, kind:value). Distinct values are quickest."""
        words = np.frombuffer(b"".join(map(_hmac(self._naming, kind), values)), ">u8")
        return (words[::4] >> np.uint64(1)).astype(np.int64)

    def seal(self, plain: bytes, about: bytes = b"") -> bytes:
        """Encrypt a value; `about` must be the same when it is opened."""
        return self._sealing.encrypt(plain, [about])

    def unseal(self, value: bytes, about: bytes = b"", at: Path | None = None) -> bytes:
        """The value sealed, or a problem when a byte of it has changed. `at`: the file it is in."""
        try:
            return self._sealing.decrypt(value, [about])
        except (InvalidTag, ValueError) as error:
            raise _damaged(at or self.path) from error

    def put(self, people: Iterable[tuple[str, str, Mapping[str, str]]], known: date) -> None:
        """Seal what is known of identifiers: (kind, value, names, telephone…). The same again changes nothing.

        A pseudonym that already stands for another identifier is a problem, and nothing of the call is kept.
        """
        rows = (self._row(known, *told) for told in people)
        with self._file.writing() as db:
            while batch := sorted(islice(rows, BATCH)):
                db.executemany("insert or ignore into identities values (?, ?, ?, ?)", batch)

    def identities(self, persons: Iterable[int]) -> dict[int, dict[str, str]]:
        """person -> all that is known of the identifier: `kind`, `value` and its facts; what became known later wins."""
        sql = "select person, sealed from identities where person = ? order by known, sealed"
        facts: dict[int, dict[str, str]] = {}
        with self._file.open() as db:
            for asked in persons:
                for person, sealed in db.execute(sql, (int(asked),)):
                    facts.setdefault(person, {}).update(self._facts(person, sealed))
        return facts

    def erase(self, person: int) -> bool:
        """Forget who a pseudonym is. True when something was known."""
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
        with disk.writing(thing, kept, size):
            with disk.staged(kept) as draft, path.open("rb") as plain, draft.open("wb") as out:
                for number, chunk in enumerate(iter(partial(plain.read, CHUNK), b"")):
                    found.update(chunk)
                    sealed = self.seal(pa.compress(chunk, "zstd", asbytes=True), f"{sha256} {number}".encode())
                    out.write(len(sealed).to_bytes(LENGTH, "big") + sealed)
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
            for number, length in enumerate(iter(partial(file.read, LENGTH), b"")):
                sealed = file.read(int.from_bytes(length, "big"))
                if len(sealed).to_bytes(LENGTH, "big") != length:
                    raise _damaged(kept)
                packed = self.unseal(sealed, f"{sha256} {number}".encode(), kept)
                chunk = pa.input_stream(pa.py_buffer(packed), compression="zstd").read()
                found.update(chunk)
                yield chunk
        if found.hexdigest() != sha256:
            raise _damaged(kept)

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

    def _row(self, known: date, kind: str, value: str, facts: Mapping[str, str]) -> tuple[int, str, bytes, int]:
        """Pseudonym, day, the facts sealed, and what else its HMAC says (another identifier would say other)."""
        word = _hmac(self._naming, kind)(value)
        person, rest = (int.from_bytes(word[at : at + 8], "big") >> 1 for at in (0, 8))
        plain = _json({**facts, "kind": kind, "value": value}).encode()
        return person, known.isoformat(), self.seal(plain, person.to_bytes(8, "big")), rest

    def _facts(self, person: int, sealed: bytes) -> dict[str, str]:
        facts: dict[str, str] = json.loads(self.unseal(sealed, int(person).to_bytes(8, "big"), self._file.path))
        return facts


def _damaged(path: Path) -> WinayError:
    return WinayError(Problem(At(str(path)), "what is sealed here is damaged", "", "bring the file back from a copy"))


@cache
def _hmac(key: bytes, kind: str) -> Callable[[str], bytes]:
    """HMAC-SHA-256(key, kind:value) of values; begun once, as the key and the kind take longer than a value."""
    begun = HMAC(key, SHA256())
    begun.update(f"{kind}:".encode())

    def digest(value: str) -> bytes:
        mac = begun.copy()
        mac.update(value.encode("utf-8", "surrogatepass"))
        return mac.finalize()

    return digest
