"""The configuration in a worker: compiled rules and translators, made once for each process."""

from __future__ import annotations

import threading
from functools import cache, lru_cache
from typing import NamedTuple

from edx2lrs.io.progress import OnProgress, silent
from edx2lrs.io.secrets import SecretError
from edx2lrs.io.tables import TableError
from edx2lrs.pipeline.config.reading import load
from edx2lrs.pipeline.config.watch import ConfigWatch
from edx2lrs.pipeline.identities import Identities, KeptCurrent
from edx2lrs.pipeline.terms import terms_of
from edx2lrs.pipeline.variants import Variant, variants
from edx2lrs.transforms.config_types import Config
from edx2lrs.transforms.matching.filter import EventFilter
from edx2lrs.transforms.matching.match import Matcher
from edx2lrs.transforms.matching.rules import BY_NAME, Right, by_table, named_users
from edx2lrs.transforms.matching.shown_courses import site_hosts
from edx2lrs.transforms.matching.time_window import TimeWindow
from edx2lrs.transforms.packing.shards import shards
from edx2lrs.transforms.people.actor import CourseName
from edx2lrs.transforms.people.anonymise import Actors
from edx2lrs.transforms.site_translator import AnyTranslator, by_site
from edx2lrs.transforms.translate import Translator

_MATCHES_REMEMBERED = 10_000


class JobSpec(NamedTuple):
    """What the graph carries to the workers: the path of the configuration, and the window of time. No secret, and no content of
    the configuration."""

    config_path: str
    window: TimeWindow = TimeWindow()


class _OfTables(NamedTuple):
    """What is made anew when a table changes: how users are told apart, and a translator for each variant."""

    users: Right
    match: Matcher
    translators: list[AnyTranslator]


class CompiledConfig:
    """The configuration, ready for events. To make a ``CompiledConfig``, tables and secrets are read."""

    def __init__(self, config: Config, on_progress: OnProgress = silent) -> None:
        """``on_progress`` is told how far the compilation of a large table is. Raises ``TableError``, ``SecretError``."""
        self.names = tuple(consumer.name for consumer in config.consumers)
        self.terms = terms_of(config)
        self.shards = tuple(shards(consumer) for consumer in config.consumers)
        self.believed = config.lms.posted_events == "erb"  # see parse
        self.filter_event = EventFilter(config.events)
        self._consumers = config.consumers
        self._variants = variants(config)
        self._lms = config.lms
        actors = [variant.actor for variant in self._variants]
        self._kept = KeptCurrent(config.lms, actors, self._made, on_progress, any(map(named_users, config.consumers)))
        self._use(self._kept.current)

    def look_for_newer_tables(self) -> None:
        """Translates with newer tables from now on, if there are newer tables. To be called between batches; takes no time."""
        newer = self._kept.newer()
        if newer is not None:
            self._use(newer)

    def _use(self, made: _OfTables) -> None:
        self.users, self.match, self._translators = made
        self.translators_for = lru_cache(maxsize=_MATCHES_REMEMBERED)(self._translators_for)

    def _made(self, known: Identities) -> _OfTables:
        both = zip(self._variants, known.actors, strict=True)
        translators = [self._translator(variant, actors, known.course_name) for variant, actors in both]
        users = by_table(known.table.user_id_of) if known.table else BY_NAME
        return _OfTables(users, Matcher(self._consumers, site_hosts(self._lms), users), translators)

    def _translator(self, variant: Variant, actors: Actors, course_name: CourseName) -> AnyTranslator:
        lms = self._lms

        def make(root_url: str) -> Translator:
            actors_there = actors if root_url == lms.root_url else actors.at(root_url)
            return Translator(
                variant.protocol, root_url, actors_there, course_name, variant.options, session_of=actors_there.session_of,
                statement_ids=lms.statement_ids, transformer_version=lms.transformer_version, posted_events=lms.posted_events,
            )

        return by_site(lms.root_url, lms.sites, make)

    def _translators_for(self, consumers: tuple[int, ...]) -> tuple[tuple[AnyTranslator, tuple[int, ...]], ...]:
        """For each variant that some of ``consumers`` want: its translator, and the consumers of the variant."""
        wanted = set(consumers)
        found = (
            (translator, tuple(consumer for consumer in variant.consumers if consumer in wanted))
            for translator, variant in zip(self._translators, self._variants, strict=True)
        )
        return tuple((translator, of_variant) for translator, of_variant in found if of_variant)


def check_tables_and_secrets(config: Config, on_progress: OnProgress = silent) -> None:
    """Tables and secrets are read in each worker; what is wrong with them is raised here, once, before workers are started.
    Raises ``TableError``, ``SecretError``."""
    CompiledConfig(config, on_progress)


class CurrentConfig:
    """The newest configuration that is right, compiled, in a process that streams."""

    def __init__(self, config_path: str) -> None:
        """Raises ``ConfigError``, ``TableError``, ``SecretError``."""
        config = load(config_path)
        self.compiled = CompiledConfig(config)
        self._watch = ConfigWatch(config_path, config)
        self._made: CompiledConfig | None = None
        self._making: threading.Thread | None = None
        self._lock = threading.Lock()

    @property
    def config(self) -> Config:
        """The configuration that ``compiled`` was made of, until a newer configuration is being made ready."""
        return self._watch.current

    def renew(self) -> Config | None:
        """Goes over to a newer configuration, when there is one: gives it, once. To be called between waves, since the places of
        consumers change with it; takes no time, for it is read and made ready in a thread. May be called by several threads."""
        with self._lock:
            if self._making is not None and not self._making.is_alive():
                self._making = None
                if self._made is not None:
                    self.compiled, self._made = self._made, None
                    return self._watch.current
            if self._making is None and self._watch.is_due():
                self._making = threading.Thread(target=self._make, name="configuration", daemon=True)
                self._making.start()
            return None

    def _make(self) -> None:
        before = self._watch.current
        newer = self._watch.newer()
        if newer is None:
            return
        try:
            self._made = CompiledConfig(newer)
        except (TableError, SecretError) as error:
            self._watch.refuse(before, str(error))


@cache
def current_config(spec: JobSpec) -> CurrentConfig:
    """The configuration of ``spec`` in this process. It, tables and secrets are read once, until ``renew`` is called."""
    return CurrentConfig(spec.config_path)
