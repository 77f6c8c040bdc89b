"""The table of external ids at scale: ``python benchmarks/external_ids.py [--users N] [--emails] [--folder DIR]``.

Makes a table of N users (10,000,000), each with a username, an id of type XAPI and one of type CALIPER (with --emails: an address
too), compiles it, opens it in two processes and looks up persons in both at once. Prints each measure and its ratio to what is
promised. Memory is that of all processes together: their own and what they have touched of the mapped file, which they share.
"""

import argparse
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from pathlib import Path

from job import tree_memory

MEMORY, COMPILED, OPENED, LOOKED_UP = 800e6, 600.0, 1.0, 10e-6
ROUNDS, LOOK_UPS = 20, 25_000


def make_table(path: Path, users: int, emails: bool) -> None:
    """In the order in which MySQL would give it: by the primary key of the ids, which is random to the users."""
    at_random = random.Random(1)
    with path.open("w", encoding="ascii") as file:
        file.write("user_id,username,external_id_type,external_user_id" + (",email\n" if emails else "\n"))
        step = 7_919 if users % 7_919 else 7_907
        for number in range(users):
            user = number * step % users + 1
            mail = f",learner.{user}@mail{user % 50}.example" if emails else ""
            for id_type in ("XAPI", "CALIPER"):
                external_id = uuid.UUID(int=at_random.getrandbits(128), version=4)
                file.write(f"{user},learner_{user},{id_type},{external_id}{mail}\n")


def opened(path: str, emails: bool) -> None:
    """A child: opens the table, compiling it if that has not been done."""
    from edx2lrs.io.external_ids import open_external_ids
    from edx2lrs.pipeline.commands.status_line import steps_shown
    from edx2lrs.pipeline.log_lines import set_up_logging

    set_up_logging()
    with steps_shown("table") as step:
        open_external_ids(path, emails, step)


def looked_up(path: str, emails: bool, users: int) -> None:
    """A child: prints the seconds of opening, and the processor's of a look-up by id and by name; waits for its input's end."""
    from edx2lrs.io.external_ids import open_external_ids

    began = time.perf_counter()
    table = open_external_ids(path, emails)
    seconds = [time.perf_counter() - began]
    at_random = random.Random(os.getpid())
    by_id = by_name = 0.0
    for _ in range(ROUNDS):
        wanted = [at_random.randrange(users) + 1 for _ in range(LOOK_UPS)]
        names = [f"learner_{user}" for user in wanted]
        began = time.process_time()
        for user in wanted:
            table.external_id("XAPI", user, None)
        by_id += time.process_time() - began
        began = time.process_time()
        for name in names:
            table.external_id("CALIPER", None, name)
        by_name += time.process_time() - began
        for user in wanted if emails else ():
            table.email(user, None)
    seconds += [by_id / ROUNDS / LOOK_UPS, by_name / ROUNDS / LOOK_UPS]
    if table.external_id("XAPI", users, None) is None or table.external_id("XAPI", users + 1, None):
        sys.exit("the table does not know who is in it")
    print(*seconds, flush=True)
    sys.stdin.read()


def peak_memory(process: subprocess.Popen) -> float:
    """The largest memory of ``process`` and its children until it ends."""
    peak, ended = 0, threading.Event()

    def watch() -> None:
        nonlocal peak
        while not ended.wait(0.1):
            peak = max(peak, tree_memory(process.pid))

    watcher = threading.Thread(target=watch)
    watcher.start()
    code = process.wait()
    ended.set()
    watcher.join()
    if code:
        sys.exit(f"a child ended with {code}")
    return peak


def measure(folder: Path, users: int, emails: bool) -> None:
    table = folder / "external_ids.csv"
    make_table(table, users, emails)
    environment = {**os.environ, "XDG_CACHE_HOME": str(folder / "cache")}
    flags = ["--emails"] if emails else []
    child = [sys.executable, __file__, "--users", str(users), *flags]
    print(f"{users:,} users, {table.stat().st_size / 1e6:,.0f} MB of CSV; load of the machine: {os.getloadavg()[0]:.1f}")

    began = time.perf_counter()
    peak = peak_memory(subprocess.Popen([*child, "--open", table], env=environment))
    show("compiled in", time.perf_counter() - began, COMPILED, "s")
    show("memory while compiling", peak / 1e6, MEMORY / 1e6, "MB")
    size = max(file.stat().st_size for file in (folder / "cache" / "edx2lrs").iterdir())
    print(f"the compiled file has {size / 1e6:,.0f} MB, {size / users:.0f} bytes a user")

    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    children = [subprocess.Popen([*child, "--look-up", table], env=environment, **pipes) for _ in range(2)]
    times = [[float(text) for text in process.stdout.readline().split()] for process in children]
    memory = sum(tree_memory(process.pid) for process in children)
    for process in children:
        process.communicate()
    show("opened in", max(found[0] for found in times), OPENED, "s")
    for place, key in enumerate(("id", "name"), 1):
        longest = max(found[place] for found in times)
        show(f"look-up by {key}, processor time, two processes at once", longest * 1e6, LOOKED_UP * 1e6, "µs")
    show("memory of both processes", memory / 1e6, MEMORY / 1e6, "MB")
    print(f"load of the machine: {os.getloadavg()[0]:.1f}")


def show(what: str, found: float, promised: float, unit: str) -> None:
    print(f"{what}: {found:.4g} {unit}, {found / promised:.3f} of the {promised:g} {unit} promised", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--users", type=int, default=10_000_000)
    parser.add_argument("--emails", action="store_true")
    parser.add_argument("--folder", type=Path, help="with 5 GB free for 10,000,000 users; default: that of temporary files")
    parser.add_argument("--open", help=argparse.SUPPRESS)
    parser.add_argument("--look-up", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.open:
        opened(arguments.open, arguments.emails)
    elif arguments.look_up:
        looked_up(arguments.look_up, arguments.emails, arguments.users)
    else:
        with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
            measure(Path(folder), arguments.users, arguments.emails)


if __name__ == "__main__":
    main()
