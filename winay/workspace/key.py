"""The key of a workspace: 32 random bytes in a file outside it, and from it one key for each purpose."""

from pathlib import Path
from secrets import token_hex

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from winay.core.problems import At, Problem, WinayError
from winay.workspace import disk


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


def derived(key: bytes, purpose: bytes) -> bytes:
    """A key of 32 bytes for one purpose (HKDF-SHA-256)."""
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=purpose).derive(key)


def key_mark(key: bytes) -> str:
    """What the workspace remembers of its key, to know it again."""
    return derived(key, b"winay key mark").hex()[:16]
