"""The stand-in for a value of the configuration that is missing or wrong."""

from __future__ import annotations

from typing import Any

UNUSABLE: Any = object()
"""Stands where a required value is missing or wrong, so that the rest can still be checked."""
