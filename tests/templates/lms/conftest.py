from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def lms_python():
    """A Python of its own with what an LMS has; made once on a machine."""
    folder = Path(tempfile.gettempdir()) / "edx2lrs-peers" / "lms"
    python = folder / "bin" / "python"
    if not (folder / "ready").exists():
        subprocess.run([sys.executable, "-m", "venv", folder], check=True, timeout=120)
        packages = ["event-tracking==4.0.2", "google-cloud-pubsub==2.44.0"]
        subprocess.run([python, "-m", "pip", "install", "-q", *packages], check=True, timeout=400)
        (folder / "ready").touch()
    return python
