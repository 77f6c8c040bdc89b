"""What happens to an event: pure functions, without I/O and without a Beam runner.

``__all__`` names the translator as a library (``docs/library.md``). Each name is imported when the name is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edx2lrs.transforms.config_types import ActorOptions, TranslationOptions
    from edx2lrs.transforms.event import Event
    from edx2lrs.transforms.failure import Refusal
    from edx2lrs.transforms.families.packages import OwnEventsError
    from edx2lrs.transforms.library import translate_record
    from edx2lrs.transforms.mapping.statement import Statement
    from edx2lrs.transforms.people.anonymise import Actors
    from edx2lrs.transforms.people.course_names import CourseNames
    from edx2lrs.transforms.translate import Translator

__all__ = [
    "ActorOptions", "Actors", "CourseNames", "Event", "OwnEventsError", "Refusal", "Statement", "TranslationOptions", "Translator",
    "translate_record",
]

_MODULES = {
    "ActorOptions": "config_types",
    "Actors": "people.anonymise",
    "CourseNames": "people.course_names",
    "Event": "event",
    "OwnEventsError": "families.packages",
    "Refusal": "failure",
    "Statement": "mapping.statement",
    "TranslationOptions": "config_types",
    "Translator": "translate",
    "translate_record": "library",
}


def __getattr__(name: str) -> object:
    """Imports the module of a public name. The modules of mappings import each other through this package, so the package itself
    imports no module."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
