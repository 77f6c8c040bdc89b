"""A log under load, rotated in every way at any moment: two processes write, the reader is killed and started again, and nothing is
missing, nothing is read twice."""

from __future__ import annotations

import gzip
import json
import os
import random
import shutil

import pytest

from edx2lrs.io.sources.tail import Tail

ALIKE = "x" * 1_100  # each log begins with the same 1,100 bytes


class Writer:
    """A process that writes, and that opens the new log some time after a rotation."""

    def __init__(self, site):
        self.site = site
        self.open()

    def open(self):
        self.file = open(self.site.log, "ab", buffering=0)  # noqa: SIM115 - as long as the process lives

    def is_current(self):
        return self.site.log.exists() and os.path.samestat(os.fstat(self.file.fileno()), os.stat(self.site.log))

    def write(self):
        self.file.write(self.site.line(os.fstat(self.file.fileno()).st_size == 0))


class Site:
    """A folder with a log, its writers, and the number of lines written so far. ``how``: the way of rotation."""

    def __init__(self, folder, how, chance):
        self.folder, self.how, self.chance = folder, how, chance
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

    def line(self, first):
        self.written += 1
        return json.dumps({**({"pad": ALIKE} if first else {}), "n": self.written}).encode() + b"\n"

    def rotate(self):
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

    def pack(self):
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


class Reader:
    """What is kept of the log: the numbers of lines, and the position."""

    def __init__(self, site):
        self.site, self.numbers, self.position, self.source = site, [], None, None
        self.start()

    def start(self):
        self.source = Tail(str(self.site.log), self.position, linger=0.0)
        self.position = self.position or str(self.source.resume_point())

    def poll(self, keep=True):
        polled = self.source.poll(self.site.chance.choice([1, 3, 1_000]), 0.0)
        assert not polled.failures
        if keep and polled.messages:
            self.position = str(polled.cursor)
            self.numbers += [json.loads(message.body)["n"] for message in polled.messages]
        return bool(polled.messages)

    def kill(self):
        self.poll(keep=False)
        self.source.close()
        self.start()


@pytest.mark.parametrize("how", ["numbers", "dates", "olddir", "link", "log behind a link", "copytruncate"])
@pytest.mark.parametrize("seed", range(12))
def test_nothing_is_missing_and_nothing_is_read_twice(tmp_path, how, seed):
    chance = random.Random(f"{how} {seed}")
    site = Site(tmp_path, how, chance)
    reader = Reader(site)
    is_down = False
    for _ in range(chance.choice([60, 250])):
        match chance.choices(["write", "read", "rotate", "open", "pack", "kill", "down"], [40, 25, 6, 8, 4, 4, 3])[0]:
            case "write":
                for _ in range(chance.randint(1, 5)):
                    chance.choice(site.writers).write()
            case "rotate":
                if all(writer.is_current() for writer in site.writers) or chance.random() < 0.2:
                    site.rotate()
            case "open":
                chance.choice(site.writers).open()
            case "pack":
                site.pack()
            case "down" if not is_down:
                reader.source.close()
                is_down = True
            case "read" if not is_down:
                reader.poll()
            case "kill" if is_down:
                reader.start()
                is_down = False
            case "kill":
                reader.kill()
    if is_down:
        reader.start()
    while reader.poll():
        pass
    reader.source.close()
    numbers = reader.numbers
    missing, twice = sorted({*range(1, site.written + 1)} - {*numbers}), sorted({n for n in numbers if numbers.count(n) > 1})
    assert (missing, twice) == ([], [])
