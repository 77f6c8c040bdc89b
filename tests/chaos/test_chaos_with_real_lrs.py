"""The same with real LRSs behind a proxy that misbehaves. EDX2LRS_PEERS names a folder with a script that starts them:
``lrs_up.sh ll|ralph PORT``, which prints ``pid=... url=... user=... password=...``."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import threading
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

import pytest
import requests
from werkzeug import Request, Response

from edx2lrs.io.dead_letters.letters import read
from edx2lrs.pipeline.sandbox.application import ids_in
from edx2lrs.pipeline.sandbox.injected_faults import InjectedFaults, parse_fault
from edx2lrs.pipeline.sandbox.misbehaviour import misbehave, refused
from edx2lrs.pipeline.sandbox.server import serving
from testkit.configurations import consumer, yaml_of
from testkit.waiting import free_port

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

PEERS = os.environ.get("EDX2LRS_PEERS")
pytestmark = [
    pytest.mark.engine,
    pytest.mark.soak,
    pytest.mark.skipif(not PEERS, reason="EDX2LRS_PEERS does not name a folder with lrs_up.sh"),
]
PLAN = (
    "429:0.03 503:0.03 500:0.04 413:0.005 reset:0.04 cut:0.02 silent:0.01:3 drip:0.02:2 204:0.05 empty:0.05 409:0.05"
    " html:0.005 login:0.005 slow:0.03:0.2 poison:0.002:500"
)
LARGE_PLAN = (  # what ends a run, or costs seconds, is rarer than in the other
    "429:0.03 503:0.03 500:0.04 413:0.005 reset:0.04 cut:0.02 silent:0.002:3 drip:0.005:2 204:0.05 empty:0.05 409:0.05"
    " html:0.001 login:0.001 slow:0.02:0.2 poison:0.002:500"
)
SIZES = [(1, 5_000, PLAN), (2, 5_000, PLAN), (3, 20_000, LARGE_PLAN), (4, 100_000, LARGE_PLAN)]
CONFIG = yaml_of(
    consumer(
        url="http://127.0.0.1:PORT/xAPI",
        auth={"scheme": "basic", "username": "env:LRS_USER", "password": "env:LRS_PASSWORD"},
        batch={"interval": "0.1s"},
        retry={"max_attempts": 4, "base_delay": "20ms", "max_delay": "1500ms"},
        timeout="2s",
    )
)


class FaultyFront:
    """A WSGI application. What ``url`` answered with success counts as stored."""

    def __init__(self, url: str, faults: InjectedFaults) -> None:
        self._url = url
        self._faults = faults
        self._own = threading.local()
        self.stored: set[str] = set()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        request = Request(environ)

        def undisturbed() -> Response:
            ids = ids_in(request)
            poison = self._faults.poison_of(ids)
            return refused(poison) if poison else self._passed_on(request, ids)

        fault = self._faults.draw()
        response = misbehave(fault, undisturbed, partial(ids_in, request), self.stored.__contains__) if fault else undisturbed()
        return response(environ, start_response)

    def _passed_on(self, request: Request, ids: list[str]) -> Response:
        if not hasattr(self._own, "session"):
            self._own.session = requests.Session()
        headers = {name: value for name, value in request.headers if name.lower() not in ("host", "content-length", "connection")}
        answer = self._own.session.post(self._url, data=request.get_data(), headers=headers, timeout=60)
        if answer.ok:
            self.stored.update(ids)
        return Response(answer.content, answer.status_code, mimetype=answer.headers.get("Content-Type", ""))


class Lrs:
    """A real LRS."""

    def __init__(self, kind: str) -> None:
        port = str(free_port())
        script = Path(str(PEERS)) / "lrs_up.sh"
        said = subprocess.run([script, kind, port], capture_output=True, text=True, check=True, timeout=420).stdout
        found = dict(word.split("=", 1) for word in said.split())
        self.pid, self.url = int(found["pid"]), found["url"]
        self.user, self.password = found["user"], found["password"]

    def ids(self) -> list[str]:
        """Those of all statements that it holds."""
        found: list[str] = []
        page: str | None = f"{self.url}?limit=500"
        while page:
            headers = {"X-Experience-API-Version": "1.0.3"}
            answer = requests.get(page, auth=(self.user, self.password), headers=headers, timeout=60).json()
            found += [statement["id"] for statement in answer["statements"]]
            page = urljoin(self.url, answer["more"]) if answer.get("more") else None
        return found

    def has(self, id_: str) -> bool:
        """Whether it holds that statement."""
        headers, parameters = {"X-Experience-API-Version": "1.0.3"}, {"statementId": id_}
        answer = requests.get(self.url, params=parameters, auth=(self.user, self.password), headers=headers, timeout=60)
        return answer.status_code == 200


@pytest.fixture(params=["ll", "ralph"])
def lrs(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lrs]:
    started = Lrs(request.param)
    monkeypatch.setenv("LRS_USER", started.user)
    monkeypatch.setenv("LRS_PASSWORD", started.password)
    yield started
    os.kill(started.pid, signal.SIGTERM)


@pytest.mark.parametrize(("seed", "events", "plan"), SIZES, ids=[f"{events:,} events, seed {seed}" for seed, events, _ in SIZES])
def test_a_real_lrs_holds_every_statement_once(
    seed: int, events: int, plan: str, lrs: Lrs, tmp_path: Path, job: Any, assert_adds_up: Any
) -> None:
    faults = InjectedFaults([parse_fault(text) for text in plan.split()], seed)
    proxy = FaultyFront(lrs.url, faults)
    chance = random.Random(seed)
    config, log = tmp_path / "edx2lrs.yaml", tmp_path / "tracking.log"
    job.generate(log, events, seed)
    with serving(proxy) as (_, port):
        config.write_text(CONFIG.replace("PORT", str(port)))
        expected = job.translated("xapi", config, log).keys()
        poison = {id_ for id_ in expected if faults.poison_of([id_])}
        again = ["run", "--config", config, "--input", log, "--state", "state", "--report", "report.json"]
        for number in range(2):
            enough = chance.uniform(0.05, 0.45 * (number + 1)) * len(expected)
            job.run(*again, kill_when=lambda enough=enough: len(proxy.stored) >= enough)
        job.run(*again)
        job.deliver_all(config)

    listed = lrs.ids()
    unlisted = [id_ for id_ in expected - set(listed) if lrs.has(id_)]  # Learning Locker's list of many may end early
    assert Counter(listed + unlisted) == Counter(expected - poison)
    letters = [letter.statement_id for letter in read(str(tmp_path / "state" / "dead-letters"), pytest.fail)]
    assert Counter(letters) == Counter(poison)
    assert_adds_up(job.report["all_runs"])
