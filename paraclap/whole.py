"""Files that are whole: written beside their place, synced, then renamed, by one at a time.

The question answered here: how does a file get to disk so that nobody ever reads half of it, and
so that two processes that make the same thing do not disturb each other? A process that is stopped
leaves at most a temporary file, which the next writer removes; a lock ends with its process.

Conventions: temporary files are named ``.<stem>.<process>-<number>.tmp<suffix>`` and locked while
they are written; what is held has the lock file ``.<name>.lock`` beside it meanwhile. Locks are
those of ``flock``, which file systems of a cluster know as well.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import itertools
import os
import re
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

_NO_LOCKS = (errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS)


def project_folder() -> Path:
    """Folder that holds the package, or the one named by ``PARACLAP_HOME``."""
    home = os.environ.get("PARACLAP_HOME")
    return Path(home).resolve() if home else Path(__file__).resolve().parent.parent


def relative(files: Iterable[str | Path]) -> list[str]:
    """Paths with those inside the project folder made relative to it."""
    root = f"{project_folder()}{os.sep}"
    return [str(file).removeprefix(root) for file in files]


def absolute(files: Iterable[str]) -> list[str]:
    """Paths with relative ones taken from the project folder."""
    root = str(project_folder())
    return [os.path.join(root, file) for file in files]  # noqa: PTH118 (vectorised: 10 times faster)


def short(path: str | Path) -> str:
    """Path as it is named in messages: relative to the project folder when inside."""
    return relative([path])[0]


def first_line(error: BaseException) -> str:
    """First line of what an error says, at most 120 characters."""
    return (str(error).splitlines() or [type(error).__name__])[0][:120]


@contextlib.contextmanager
def atomic_path(path: str | Path) -> Iterator[Path]:
    """Temporary path beside ``path`` that takes its place when the block ends well.

    If the block fails the temporary file is removed and what lay at ``path`` stays.

    Raises:
        OSError: if the file cannot be written, for example because the disk is full
    """
    path = Path(path)
    try:
        with _claimed(path) as temporary:
            yield temporary
            sync(temporary)
            temporary.replace(path)
        sync(path.parent)
    except OSError as error:
        raise OSError(
            error.errno,
            f"Cannot write {short(path)!r} ({error.strerror or error}): "
            "what was there before is untouched. "
            "Free some space or choose another folder, then run again",
        ) from error


@contextlib.contextmanager
def atomic_files(folder: Path) -> Iterator[Path]:
    """Temporary folder whose files go into ``folder``, one after the other, when the block is over.

    For writers that choose the names of their files. One process at a time may do so.

    Raises:
        OSError: if they cannot be written; what was there before stays
    """
    temporary = folder / ".files.tmp"
    shutil.rmtree(temporary, ignore_errors=True)
    make_folder(temporary)
    try:
        yield temporary
        for file in sorted(temporary.iterdir()):
            sync(file)
            file.replace(folder / file.name)
    except OSError as error:
        told = f"Cannot write into {short(folder)!r} ({error.strerror or error}): free some space"
        raise OSError(error.errno, f"{told} or choose another folder, then run again") from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def make_folder(folder: Path) -> None:
    """Make a folder, unless it is there.

    Raises:
        OSError: if it cannot be made; says what to do
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        told = f"Cannot make the folder {short(folder)!r} ({error.strerror or error}): free some"
        raise OSError(error.errno, f"{told} space or choose another one, then run again") from error


@contextlib.contextmanager
def _claimed(path: Path) -> Iterator[Path]:
    """A new temporary file, locked meanwhile: so others know that it is no left-over."""
    path.parent.mkdir(parents=True, exist_ok=True)
    _remove_left_over(path)
    for number in itertools.count():
        temporary = path.with_name(f".{path.stem}.{os.getpid()}-{number}.tmp{path.suffix}")
        with contextlib.suppress(FileExistsError):
            handle = os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o666)
            break
    try:
        lock(handle)
        yield temporary
    finally:
        temporary.unlink(missing_ok=True)
        os.close(handle)


def _remove_left_over(path: Path) -> None:
    """Remove the temporary files of killed processes that wanted to write ``path``."""
    own = re.compile(rf"\.{re.escape(path.stem)}\.[0-9-]+\.tmp{re.escape(path.suffix)}")
    for candidate in path.parent.glob(f".*.tmp{path.suffix}"):
        if own.fullmatch(candidate.name) and not _is_locked(candidate):
            candidate.unlink(missing_ok=True)


def _is_locked(path: Path) -> bool:
    """Whether a process, on whatever machine, is writing a temporary file."""
    try:
        handle = os.open(path, os.O_RDWR)
    except (FileNotFoundError, PermissionError):  # it is done meanwhile, or of somebody else
        return True
    try:
        return not lock(handle)
    finally:
        os.close(handle)


def sync(path: Path) -> None:
    """Make sure that a file or folder has reached the disk.

    Args:
        path: of the file, or of the folder with its names
    """
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def lock(handle: int, shared: bool = False, wait: bool = False) -> bool | None:
    """Lock an open file against other processes until it is closed.

    A process that ends, however it ends, gives its locks back.

    Args:
        handle: of the file, open for writing
        shared: whether others may hold it as well who ask for a shared lock
        wait: whether to wait for those who hold it

    Returns:
        whether it is locked now; None where the file system knows no locks
    """
    asked = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
    try:
        fcntl.flock(handle, asked if wait else asked | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno == errno.EWOULDBLOCK:
            return False
        if error.errno in _NO_LOCKS:
            return None
        raise
    return True


@contextlib.contextmanager
def alone(path: str | Path, shared: bool = False) -> Iterator[None]:
    """Hold what is made at ``path``; another process that holds it is waited for, with a line.

    Args:
        path: a file or folder, which need not be there
        shared: whether others may work at it as well who say so, such as at other parts of it

    Raises:
        OSError: if the folder cannot be written to
    """
    path = Path(path).absolute()
    place = path.with_name(f".{path.name}.lock")
    handle = _held(place, path, shared)
    try:
        yield
    finally:
        if not shared or lock(handle):  # the last one
            place.unlink(missing_ok=True)
        os.close(handle)


def is_free(path: str | Path) -> bool:
    """Whether nobody holds what is made at ``path``, nor was killed while holding it.

    Args:
        path: a file or folder, which need not be there
    """
    place = Path(path).absolute().with_name(f".{Path(path).absolute().name}.lock")
    return not place.exists() or not os.access(place.parent, os.W_OK)


def _held(place: Path, path: Path, shared: bool) -> int:
    """A lock file, open and locked, that is still the one at its place."""
    while True:
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            handle = os.open(place, os.O_CREAT | os.O_RDWR, 0o666)
        except OSError as error:
            told = f"Cannot write {short(path)!r} ({error.strerror}): choose another folder"
            raise OSError(error.errno, told) from error
        got = lock(handle, shared)
        if got is None:
            print(f"No locks here: see that nobody else makes {short(path)!r} now.", flush=True)
        elif not got:
            print(f"{short(path)!r} is being made by another process: waiting for it.", flush=True)
            lock(handle, shared, wait=True)
        if got is None or _is_at(handle, place):
            return handle
        os.close(handle)  # who held it has removed it; somebody may hold the new one


def _is_at(handle: int, place: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(handle), place.stat())
    except FileNotFoundError:
        return False
