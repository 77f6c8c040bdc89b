#!/usr/bin/env python3
"""Writes tracking logs as an Open edX site does; the same arguments give the same bytes. Standard library only.

    generate.py                                     writes the sample set anew, beside this file
    generate.py --events 1000000 --out big.log.gz   a log of any size, gz or plain by its name
    generate.py --events 1000000 --out folder/      the same as folder/tracking.log, with its two tables

The content is made up. What a real log looks like: Open edX documentation, "Events in the Tracking Logs".
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
import random
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from itertools import accumulate, chain, islice, repeat
from pathlib import Path
from typing import IO, Any, NamedTuple
from uuid import UUID

HERE = Path(__file__).resolve().parent
HOST = "lms.example.com"
ROOT = f"https://{HOST}"
SEED = 20240311
LEARNERS = 40
OVERLAP = 100
Line = dict[str, Any]
