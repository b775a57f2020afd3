"""What has been made or measured before, under ``build/cache``: by content, and safe to lose.

The name of a file is a hash of everything that its content depends on, so nothing is ever stale;
a damaged file counts as missing. Files are written whole (:func:`golden.base.files.write_whole`).
"""

import fcntl
import hashlib
import os
import re
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

from golden.base.errors import InputError
from golden.base.files import build_folder, make_folder, write_whole

T = TypeVar("T")

VARIABLE = "KLLM_CACHE"
KEY = re.compile(r"[0-9a-f]{62}(\.busy)?")  # of a file, behind the two digits of its folder


class Cache:
    """A folder of results.

    Parameters
    ----------
    folder : Path or None
        Where; None keeps nothing.

    Attributes
    ----------
    complaint : str
        Why something could not be kept, or an empty text. Work goes on without.
    """

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder
        self.complaint = ""

    def get(self, kind: str, key: str, read: Callable[[bytes], T]) -> T | None:
        """Return what is kept under a key, or None when there is nothing sound.

        Parameters
        ----------
        kind : str
            Folder of such files.
        key : str
            A hash, hexadecimal.
        read : callable
            Makes the result of the file's content; a ValueError means damage.
        """
        if self.folder is None:
            return None
        try:
            content = self._path(kind, key).read_bytes()
            check, _, rest = content.partition(b"\n")
            return read(rest) if check == _check(rest) else None
        except (OSError, EOFError, ValueError, zlib.error):
            return None

    def put(self, kind: str, key: str, content: bytes) -> None:
        """Keep something; a full disk or the like becomes :attr:`complaint`."""
        if self.folder is None:
            return
        path = self._path(kind, key)
        try:
            make_folder(path.parent)
            write_whole(path, _check(content) + b"\n" + content)
        except InputError as error:
            self.complaint = f"results are not kept: {error}"

    def made(
        self,
        kind: str,
        key: str,
        make: Callable[[], T],
        read: Callable[[bytes], T],
        record: Callable[[T], bytes],
    ) -> T:
        """Return what is kept under a key, or else make it and keep it.

        Other threads and processes that want the same wait for it. Where no file can be locked
        they do not, and make it too.

        Parameters
        ----------
        kind, key, read
            As for :meth:`get`.
        make : callable
            Makes the result.
        record : callable
            Makes of it what ``read`` reads.
        """
        if self.folder is None:
            return make()
        found = self.get(kind, key, read)
        if found is not None:
            return found
        with self._alone(kind, key):
            found = self.get(kind, key, read)
            if found is None:
                found = make()
                self.put(kind, key, record(found))
            return found

    @contextmanager
    def _alone(self, kind: str, key: str) -> Iterator[None]:
        """Hold a lock on a key, if there can be one."""
        path, file = self._path(kind, f"{key}.busy"), None
        with suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            file = path.open("w")
            fcntl.flock(file, fcntl.LOCK_EX)
        try:
            yield
        finally:
            if file is not None:
                # Who waits has the file open; who comes later finds the result.
                with suppress(OSError):
                    path.unlink()
                file.close()

    def files(self) -> dict[str, list[Path]]:
        """Return the files of results, by their kind; no others that the folder may hold."""
        found: dict[str, list[Path]] = {}
        for path in sorted(self.folder.glob("*/[0-9a-f][0-9a-f]/*") if self.folder else ()):
            if KEY.fullmatch(path.name) and path.is_file():
                found.setdefault(path.parent.parent.name, []).append(path)
        return found

    def clear(self) -> None:
        """Remove all results, and the folders that are empty then."""
        for path in [path for paths in self.files().values() for path in paths]:
            path.unlink(missing_ok=True)
            with suppress(OSError):  # others are in them, or write into them
                path.parent.rmdir()
                path.parent.parent.rmdir()

    def _path(self, kind: str, key: str) -> Path:
        assert self.folder is not None
        return self.folder / kind / key[:2] / key[2:]


def _check(content: bytes) -> bytes:
    return hashlib.sha256(content).hexdigest().encode()


def default_cache() -> Cache:
    """Return the cache that ``KLLM_CACHE`` names (empty: none), or else ``build/cache``."""
    own = os.environ.get(VARIABLE)
    if own is None:
        return Cache(build_folder("cache"))
    return Cache(Path(own) if own else None)


def digest(*parts: str | bytes) -> str:
    """Return a hash of texts and bytes, each with its length: none runs into the next."""
    whole = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        whole.update(f"{len(data)}\0".encode())
        whole.update(data)
    return whole.hexdigest()
