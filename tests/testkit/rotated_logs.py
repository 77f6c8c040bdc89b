"""A log that is rotated in every way while two processes write it, each of which opens the new log some time after a rotation."""

from __future__ import annotations

import gzip
import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path

HOWS = ("numbers", "dates", "olddir", "link", "log behind a link", "copytruncate")
"""The ways of rotation."""

class Writer:
    """A process that writes, and that opens the new log some time after a rotation."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.open()

    def open(self) -> None:
        self.file = open(self.site.log, "ab", buffering=0)  # noqa: SIM115 - as long as the process lives

    def is_current(self) -> bool:
        return self.site.log.exists() and os.path.samestat(os.fstat(self.file.fileno()), os.stat(self.site.log))

    def write(self) -> None:
        self.site.written += 1
        self.file.write(self.site.line(self.site.written, os.fstat(self.file.fileno()).st_size == 0))


class Site:
    """A folder with a log, its writers, and the number of lines written so far. ``how``: the way of rotation. ``line``: the line of a
    number; whether it is the first of its file."""

    def __init__(self, folder: Path, how: str, chance: random.Random, line: Callable[[int, bool], bytes]) -> None:
        self.folder, self.how, self.chance, self.line = folder, how, chance, line
        self.log = folder / "tracking.log"
        self.written = self.rotated = 0
        if how == "link":
            (folder / "tracking-0.log").touch()
            self.log.symlink_to("tracking-0.log")
        if how == "log behind a link":
            (folder / "disk").mkdir()
            (folder / "disk" / "tracking.log").touch()
            self.log.symlink_to("disk/tracking.log")
        (folder / "old").mkdir()
        self.writers = [Writer(self), Writer(self)]

    def rotate(self) -> None:
        if not self.log.exists():
            return
        self.rotated += 1
        real = self.log.resolve()
        if self.how == "numbers":
            for number in sorted((int(path.suffix[1:]) for path in real.parent.glob("tracking.log.*[0-9]")), reverse=True):
                (real.parent / f"tracking.log.{number}").rename(real.parent / f"tracking.log.{number + 1}")
            self.log.rename(f"{real}.1")
        elif self.how in ("dates", "log behind a link"):
            real.rename(f"{real}-{20240000 + self.rotated}")
        elif self.how == "olddir":
            real.rename(self.folder / "old" / f"tracking.log-{20240000 + self.rotated}")
        elif self.how == "link":
            (self.folder / f"tracking-{self.rotated}.log").touch()
            self.log.unlink()
            self.log.symlink_to(f"tracking-{self.rotated}.log")
        elif self.how == "copytruncate":
            shutil.copy2(self.log, f"{self.log}-{20240000 + self.rotated}")
            os.truncate(self.log, 0)

    def pack(self) -> None:
        """Packs a part that nobody has open."""
        held = [os.fstat(writer.file.fileno()).st_ino for writer in self.writers]
        parts = [path for path in self.folder.rglob("tracking*[0-9]*") if path.suffix != ".gz" and path != self.log.resolve()]
        parts = [path for path in parts if path.is_file() and path.stat().st_ino not in held]
        if parts and self.how != "numbers":
            part = self.chance.choice(parts)
            packed, status = part.with_name(f"{part.name}.gz"), part.stat()
            packed.write_bytes(gzip.compress(part.read_bytes()))
            os.utime(packed, ns=(status.st_atime_ns, status.st_mtime_ns))
            part.unlink()

    def act(self, rotations: int) -> None:
        """Something that happens at a site; ``rotations``: how often it is a rotation, of 60."""
        [kind] = self.chance.choices(["write", "open", "pack", "rotate"], [40, 8, 4, rotations])
        if kind == "write":
            for _ in range(self.chance.randint(1, 5)):
                self.chance.choice(self.writers).write()
        elif kind == "open":
            self.chance.choice(self.writers).open()
        elif kind == "pack":
            self.pack()
        elif all(writer.is_current() for writer in self.writers) or self.chance.random() < 0.2:
            self.rotate()
