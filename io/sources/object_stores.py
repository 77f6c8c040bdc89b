"""Opens objects of S3 and Google Cloud Storage with Beam's own clients, for reading many objects.

Beam's file systems make a client for each file, which takes a tenth of a second or more for S3, and read 16 MiB ahead, also if less
is wanted. Here, each thread keeps an S3 client (a client holds the stream that it reads, so threads cannot share a client), and the
caller says how much is read at a time."""

from __future__ import annotations

import os
import threading
from typing import Any, BinaryIO, cast

from edx2lrs.io.paths import file_systems, is_remote
from edx2lrs.io.sources.file_names import on_disk
from edx2lrs.io.sources.local_files import open_file

_AHEAD = 16 * 1024 * 1024
_of_thread = threading.local()


def open_raw(path: str, ahead: int = _AHEAD) -> BinaryIO:
    """The file as stored. Of an object, ``ahead`` bytes are read at a time. Raises the exceptions of the file system."""
    if not is_remote(path):
        return open_file(on_disk(path))
    if path.startswith("s3://"):
        return cast(BinaryIO, _s3().open(path, "r", read_buffer_size=ahead))
    if path.startswith("gs://"):
        return cast(BinaryIO, file_systems().get_filesystem(path)._gcsIO().open(path, "rb", read_buffer_size=ahead))
    from apache_beam.io.filesystem import CompressionTypes  # Beam takes a second to import

    return cast(BinaryIO, file_systems().open(path, compression_type=CompressionTypes.UNCOMPRESSED))


def changed_at(path: str) -> float:
    """When the file was changed last (POSIX seconds). Raises the exceptions of the file system."""
    return float(file_systems().last_updated(path) if is_remote(path) else os.stat(on_disk(path)).st_mtime)


def _s3() -> Any:
    options = file_systems().get_filesystem("s3://")._options
    known, client = getattr(_of_thread, "s3", (None, None))
    if known is not options:
        from apache_beam.io.aws.s3io import S3IO

        client = S3IO(options=options)
        _of_thread.s3 = (options, client)
    return client
