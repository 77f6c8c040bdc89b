"""The first statements may come from many senders at once: checking them must not crash the interpreter."""

import subprocess
import sys

FIRST_USE_IN_MANY_THREADS = """
import sys, threading
sys.setswitchinterval(1e-6)
from edx2lrs.pipeline.sandbox.statement_rules import first_violation
statement = {"actor": {"mbox": "mailto:a@b.cd"}, "verb": {"id": "http://x.y/z"}, "object": {"id": "http://x.y/o"}}
together = threading.Barrier(12)
def check():
    together.wait()
    assert first_violation(statement) is None
threads = [threading.Thread(target=check) for _ in range(12)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
"""


def test_first_use_in_many_threads_at_once():
    endings = [subprocess.run([sys.executable, "-c", FIRST_USE_IN_MANY_THREADS], check=False).returncode for _ in range(6)]
    assert endings == [0] * 6
