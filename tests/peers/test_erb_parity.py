"""Against the real event-routing-backends: the same JSON and ids, but for what ``docs/divergences.md`` lists.

Runs where EDX2LRS_PEERS names a folder with ``erb_up.sh``, which prints the python of an environment with erb, and
``erb_oracle.py``, which gives erb's output for each line of standard input.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import uuid
from collections import Counter
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest

from edx2lrs.transforms.config_types import TranslationOptions
from edx2lrs.transforms.event import Event
from edx2lrs.transforms.failure import Refusal
from edx2lrs.transforms.people.actor import Actor, account_actor
from edx2lrs.transforms.records.parse import parse
from edx2lrs.transforms.translate import Translator
from testkit import explained
from testkit import varied_records as records

HERE = Path(__file__).parent
PEERS = os.environ.get("EDX2LRS_PEERS")
ROOT = "https://lms.example.com"
ERB_VERSION = "event-routing-backends@9.3.8"
MISSING = "(missing)"

pytestmark = [
    pytest.mark.engine,
    pytest.mark.skipif(not PEERS, reason="EDX2LRS_PEERS does not name the folder of the peers"),
]


def translator(protocol: Any) -> Translator:
    """With the oracle's stand-ins for external ids and course names."""

    @lru_cache(4096)
    def known(user: int | str) -> Actor:
        return account_actor(ROOT, str(uuid.uuid5(uuid.NAMESPACE_URL, f"{protocol.upper()}:{user}")))

    def actor_of(event: Event) -> Actor | Refusal:
        user = event.user_id if event.user_id is not None else event.username
        return Refusal("translate", "no_actor", "") if user is None else known(user)

    options = TranslationOptions(dialect="erb")
    return Translator(protocol, ROOT, actor_of, "Course {}".format, options, transformer_version=ERB_VERSION)


def ours(line: bytes, translator: Translator) -> list[dict[str, Any]] | Refusal:
    event = parse(line, believed=True)  # what is posted: entry 46 has a test of its own
    if isinstance(event, Refusal):
        return event
    made = translator.translate(event)
    return made if isinstance(made, Refusal) else [json.loads(statement.body) for statement in made or ()]


def differences(erb: Any, own: Any, path: str = "") -> Iterator[str]:
    if isinstance(erb, dict) and isinstance(own, dict):
        for key in {**erb, **own}:
            yield from differences(erb.get(key, MISSING), own.get(key, MISSING), f"{path}.{key.rpartition('/')[2]}")
    elif isinstance(erb, list) and isinstance(own, list) and len(erb) == len(own):
        for n, pair in enumerate(zip(erb, own, strict=True)):
            yield from differences(*pair, f"{path}[{'n' if n else 0}]")
    elif own == MISSING and erb in ({}, {"extensions": {}}, {"en-US": ""}):
        yield f"{path} was empty"
    elif erb != own or type(erb) is not type(own):
        yield path


def unexplained(record: dict[str, Any], erb: Any, own: Any, protocol: str) -> tuple[list[str], set[int]]:
    """What no entry explains, and the entries that were needed."""
    seen, used, left = explained.seen(record), set(), []
    if isinstance(own, Refusal):
        found, field = ([] if "error" in erb or not erb else [f"{own.cause}: {own.message}"]), "refused"
    elif isinstance(erb, dict) or (not erb and own):
        found, field = ([erb.get("error", "?") if erb else f"dropped from {protocol}"] if own else []), "failed"
    else:
        found, field = [d for d in differences(erb, own) if not (protocol == "caliper" and d == "[0].id")], "paths"
    for difference in found:
        numbers = {
            known.number
            for known in explained.KNOWN
            if (pattern := getattr(known, field))
            and re.search(f"^(?:{pattern})$" if field == "paths" else pattern, difference)
            and known.about(seen)
        }
        used |= numbers
        if not numbers:
            left.append(difference)
    return left, used


def test_every_difference_to_erb_is_in_the_docs() -> None:
    python = subprocess.run([f"{PEERS}/erb_up.sh"], capture_output=True, text=True, check=True).stdout.strip()
    made = list(records.records(20_000, 1))
    lines = [json.dumps(record, ensure_ascii=False) for record, _ in made]
    command = [python, f"{PEERS}/erb_oracle.py", "--wire", "--freeze", "--no-envelope"]
    oracle = subprocess.run(command, input="\n".join(lines).encode(), capture_output=True, check=True)
    answers = [json.loads(line) for line in oracle.stdout.splitlines()]
    assert len(answers) == len(lines)
    problems: list[str] = []
    used: Counter[int] = Counter()
    same = 0
    for protocol in ("xapi", "caliper"):
        translate = translator(protocol)
        for (record, _), line, answer in zip(made, lines, answers, strict=True):
            left, numbers = unexplained(record, answer[protocol], ours(line.encode(), translate), protocol)
            used.update(numbers)
            same += not left and not numbers
            problems += [f"{protocol} {difference} <<< {line}" for difference in left]
    assert not problems, f"{len(problems)} differences, such as\n" + "\n".join(problems[:5])
    assert same > 20_000  # of 40,000: equal, or refused by both; half of the names have no Caliper in erb
    assert set(used) == {known.number for known in explained.KNOWN}, "an entry that nothing needs"
