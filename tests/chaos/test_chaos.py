"""Whatever goes wrong on the way, each LRS holds every statement once, and the dead letters hold exactly the poison."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from edx2lrs.io.dead_letters.letters import read
from edx2lrs.pipeline.sandbox.application import Application
from edx2lrs.pipeline.sandbox.injected_faults import InjectedFaults, parse_fault
from edx2lrs.pipeline.sandbox.server import serving
from edx2lrs.pipeline.sandbox.store import Store
from testkit.configurations import consumer, yaml_of

BASIC = {"scheme": "basic", "username": "env:LRS_USER", "password": "env:LRS_PASSWORD"}
BEARER = {"scheme": "bearer", "token": "env:LRS_TOKEN"}
PLANS = {
    "one": "429:0.04 503:0.04 500:0.05 413:0.005 reset:0.03 cut:0.02 poison:0.002:500",
    "two": "reset:0.04 cut:0.02 silent:0.02:3 drip:0.02:3 204:0.08 empty:0.08 poison:0.002:400",
    "three": "html:0.004 login:0.004 409:0.1 reset:0.06 slow:0.05:0.2 503:0.05 poison:0.002:422",
}


class Lrs(NamedTuple):
    """A sandbox in this process, which misbehaves by its plan."""

    name: str
    port: int
    store: Store
    faults: InjectedFaults

    @property
    def stored(self) -> int:
        found = self.store.counts().get(self.name)
        return found["stored"] if found else 0

    def ids(self) -> list[str]:
        found: list[str] = []
        cursor = None
        while some := self.store.find(self.name, 5_000, ascending=True, cursor=cursor):
            found += [record.id for record in some]
            cursor = some[-1].number
        return found


@pytest.fixture
def lrss(tmp_path: Path) -> Iterator[Callable[[int], dict[str, Lrs]]]:
    with ExitStack() as stack:

        def start(seed: int) -> dict[str, Lrs]:
            found = {}
            for number, (name, plan) in enumerate(PLANS.items()):
                store = stack.enter_context(Store(tmp_path / f"{name}.db"))
                faults = InjectedFaults([parse_fault(text) for text in plan.split()], seed=3 * seed + number)
                _, port = stack.enter_context(serving(Application(store, faults)))
                found[name] = Lrs(name, port, store, faults)
            return found

        yield start


class Size(NamedTuple):
    events: int
    batch: int
    kills: int


SIZES = [
    pytest.param(0, Size(800, 25, 1), id="small"),
    *(
        pytest.param(seed, Size(100_000, 100, 4), id=f"100,000 events, seed {seed}", marks=[pytest.mark.engine, pytest.mark.soak])
        for seed in (1, 2, 3)
    ),
]


@pytest.mark.parametrize(("seed", "size"), SIZES)
def test_each_lrs_holds_every_statement_once_and_the_dead_letters_exactly_the_poison(
    seed: int, size: Size, tmp_path: Path, lrss: Any, certificates: Any, front: Any, job: Any, assert_adds_up: Any
) -> None:
    chance = random.Random(seed)
    servers = lrss(seed)
    tls = front(certificates, servers["three"].port)
    config = tmp_path / "edx2lrs.yaml"
    patience = {"retry": {"max_attempts": 4, "base_delay": "20ms", "max_delay": "1500ms"}, "timeout": "1500ms"}
    common = {"auth": BASIC, "batch": {"size": size.batch, "interval": "0.1s"}, **patience}
    one = consumer("one", url=f"http://127.0.0.1:{servers['one'].port}/one/xAPI", **common)
    two = consumer("two", "caliper", url=f"http://127.0.0.1:{servers['two'].port}/two/caliper", **{**common, "auth": BEARER})
    three = consumer("three", url=f"https://127.0.0.1:{tls.port}/three/xAPI", tls={"ca": "ca.pem"}, **common)
    config.write_text(yaml_of(one, two, three))
    log = tmp_path / "tracking.log"
    job.generate(log, size.events, seed)
    made = {protocol: job.translated(protocol, config, log) for protocol in ("xapi", "caliper")}
    expected = {name: made["caliper" if name == "two" else "xapi"] for name in servers}
    poison = {name: {id_ for id_ in ids if servers[name].faults.poison_of([id_])} for name, ids in expected.items()}
    assert all(poison.values()), "the plan has no poison for somebody"

    again = ["run", "--config", config, "--input", log, "--state", "state", "--report", "report.json"]
    total = len(expected["one"])
    for number in range(size.kills):
        enough = chance.uniform(0.05, 0.9 * (number + 1) / size.kills) * total
        job.run(*again, kill_when=lambda enough=enough: servers["one"].stored + servers["two"].stored >= enough)
    assert servers["three"].stored == 0, "its certificate has expired"
    tls.renew()
    job.run(*again)
    job.deliver_all(config)

    for name, lrs in servers.items():
        held = Counter(map(_uuid, lrs.ids()))
        assert held == Counter(_uuid(id_) for id_ in expected[name].keys() - poison[name]), name
        seen = set(lrs.store.counts()[name]["faults"])
        assert size.events < 10_000 or seen == {text.split(":")[0] for text in PLANS[name].split()} - {"poison"}
    letters = Counter(
        (letter.consumer, letter.statement_id) for letter in read(str(tmp_path / "state" / "dead-letters"), pytest.fail)
    )
    assert letters == Counter((name, _uuid(id_)) for name, ids in poison.items() for id_ in ids)
    everything = job.report["all_runs"]
    assert_adds_up(everything)
    for name in servers:
        part = everything["consumers"][name]
        assert part["statements"] - part["duplicates"] == len(expected[name])
        assert sum(part["dead"]["statements"].values()) == len(poison[name])


def _uuid(id_: str) -> str:
    return id_.removeprefix("urn:uuid:").lower()
