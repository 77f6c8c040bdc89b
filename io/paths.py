"""Small files at any place: configuration, look-up tables, statements. Beam is imported only for a path with a scheme."""

from __future__ import annotations

import gzip
import os
import os.path
import posixpath
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, BinaryIO, cast

_GZIP = b"\x1f\x8b"


def is_remote(path: str) -> bool:
    """Whether the path belongs to an object store or another Beam file system (``gs://``, ``s3://``)."""
    return "://" in path


def beside(path: str, folder: str) -> str:
    """``path``, which is relative to ``folder``, made absolute; an absolute path or one with a scheme stays."""
    if is_remote(path) or os.path.isabs(path):
        return path
    if is_remote(folder):
        return posixpath.join(folder, path)
    return os.path.normpath(os.path.join(os.path.abspath(folder), path))


def absolute(path: str) -> str:
    """The path for a process with another working folder."""
    return path if is_remote(path) else os.path.abspath(path)


def folder_of(path: str) -> str:
    return path.rpartition("/")[0] if is_remote(path) else os.path.dirname(os.path.abspath(path))


def file_systems() -> Any:
    """Beam's file systems. Some file systems need options, also if no option is set (``io.sources.files.use_options`` gives the
    options)."""
    from apache_beam.io.filesystems import FileSystems  # Beam takes seconds to import
    from apache_beam.options.pipeline_options import PipelineOptions

    if FileSystems._pipeline_options is None:
        FileSystems.set_options(PipelineOptions([]))
    return FileSystems


def open_bytes(path: str) -> BinaryIO:
    """The file, opened at its start. A gz file is inflated; the content decides. Raises OSError, whose ``strerror`` is one line."""
    file = _open(path)
    try:
        packed = file.read(2) == _GZIP
    except Exception as error:
        file.close()
        raise _os_error(error, path) from None
    if is_remote(path):  # not every remote file can seek
        file.close()
        file = _open(path)
    else:
        file.seek(0)
    return cast(BinaryIO, gzip.GzipFile(fileobj=file)) if packed else file


def write_bytes(path: str, *content: bytes, private: bool = False) -> None:
    """Write the file (one piece of bytes or more) as a whole or not at all; make its folder if needed. A local file is on disk
    (fsync) when this returns; ``private``: and for its owner alone. Raises OSError, whose ``strerror`` is one line."""
    if is_remote(path):
        _write_remote(path, b"".join(content))
        return
    with whole_file(path, private) as file:
        file.writelines(content)


def make_private_folder(path: str) -> None:
    """Make the folder for its owner alone, with the folders above it. A folder that is there stays as it is. Raises OSError."""
    missing, folder = [], os.path.abspath(path)
    while not os.path.isdir(folder):
        missing.append(folder)
        folder = os.path.dirname(folder)
    for folder in reversed(missing):
        try:
            os.mkdir(folder, 0o700)
        except FileExistsError:
            if not os.path.isdir(folder):
                raise


def open_private(path: str, flags: int) -> int:
    """An ``opener`` of ``open``: a file that is made is for its owner alone, whatever the umask lets others do."""
    return os.open(path, flags, 0o600)


@contextmanager
def whole_file(path: str, private: bool = False) -> Iterator[BinaryIO]:
    """Inside, the local file ``path`` is written under another name; after it, the file has its name and is on disk (fsync). Makes
    the folder if needed. ``private``: what is made is for its owner alone. Raises OSError."""
    folder, name = os.path.split(path)
    if private:
        make_private_folder(folder)
    os.makedirs(folder, exist_ok=True)
    part = os.path.join(folder, f".{name}.part")
    try:
        with open(part, "wb", opener=open_private if private else None) as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(part)
        raise
    directory = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def _write_remote(path: str, content: bytes) -> None:
    from apache_beam.io.filesystem import CompressionTypes  # Beam takes seconds to import

    try:
        # Object stores show a file when it is closed.
        with file_systems().create(path, "application/octet-stream", CompressionTypes.UNCOMPRESSED) as file:
            file.write(content)
    except Exception as error:
        raise _os_error(error, path) from None


def remove(path: str) -> None:
    """Remove the file. Raises OSError, whose ``strerror`` is one line."""
    if not is_remote(path):
        os.unlink(path)
        return
    try:
        file_systems().delete([path])
    except Exception as error:
        raise _os_error(error, path) from None


def check_readable(path: str) -> str | None:
    """Why the file cannot be opened, in a few words; None when it can."""
    try:
        _open(path).close()
    except OSError as error:
        return error.strerror or type(error).__name__
    return None


def _open(path: str) -> BinaryIO:
    if not is_remote(path):
        return cast(BinaryIO, open(path, "rb"))
    from apache_beam.io.filesystem import CompressionTypes  # Beam takes seconds to import

    try:
        return cast(BinaryIO, file_systems().open(path, compression_type=CompressionTypes.UNCOMPRESSED))
    except Exception as error:
        raise _os_error(error, path) from None


def _os_error(error: Exception, path: str) -> OSError:
    """Any error of a file system as an OSError whose ``strerror`` is one line."""
    if isinstance(error, OSError) and error.strerror:
        return error
    lines = str(error.__cause__ or error).splitlines() or [type(error).__name__]
    return OSError(0, lines[0].partition(", e.g., pip install")[0][:200], path)  # Beam names its own extra, also for s3://
