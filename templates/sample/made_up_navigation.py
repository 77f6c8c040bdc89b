"""Ways through a course in a made-up visit: what browsers log of links, the outline, and the units of a sequence."""

from __future__ import annotations

from made_up_visit import ROOT, Happening, Maker, Visit, browser_event

_PAGES = ("https://fr.example.org/été", "https://en.example.org/wiki/Cell#Nucleus", f"{ROOT}/dashboard", "/about", "#content")
_NAMES = ("Week 1: Départ", "Week 2", "Quiz: cells & genes", "Übung 3")


def sequence(visit: Visit) -> Happening:
    name = visit.chance.of(("next_selected", "next_selected", "previous_selected", "tab_selected"))
    event = {
        "current_tab": 1 + visit.chance.below(5),
        "id": visit.usage_key("sequential", visit.course.sequences[1]),
        "tab_count": 5,
        "widget_placement": visit.chance.of(("top", "bottom")),
    }
    if name == "tab_selected":
        event["target_tab"] = 1 + visit.chance.below(5)
    return browser_event(f"edx.ui.lms.sequence.{name}", event)


def link(visit: Visit) -> Happening:
    target = {"current_url": visit.page, "target_url": visit.chance.of(_PAGES)}
    return browser_event("edx.ui.lms.link_clicked", target)


def outline(visit: Visit) -> Happening:
    page = f"{visit.page}{visit.course.sequences[2]}/"
    event = {
        "current_url": visit.page,
        "target_name": visit.chance.of(_NAMES),
        "target_url": page,
        "widget_placement": "outline",
    }
    return browser_event("edx.ui.lms.outline.selected", event)


def sequence_outline(visit: Visit) -> Happening:
    return outline(visit)._replace(name="edx.ui.lms.sequence.outline.selected")


NAVIGATION: tuple[tuple[float, Maker], ...] = (
    (3.0, sequence),
    (0.6, link),
    (0.5, outline),
    (0.2, sequence_outline),
)
