"""Every event of the package becomes what stands beside it in its example; a changed mapping has a new version."""

from __future__ import annotations

from acme_flashcards import events

from edx2lrs.pipeline.reference.__main__ import generated


def test_the_examples_and_the_versions_are_in_step() -> None:
    made = generated(["acme_flashcards"])
    assert made.faults == []
    assert {path.stem for path in made.files} == {*events.EVENTS, "mapping_versions"}
    for path, text in made.files.items():
        assert path.read_text(encoding="utf-8") == text, "run: python -m edx2lrs.pipeline.reference acme_flashcards"
