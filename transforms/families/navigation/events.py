"""Ways through a course: links, the outline, and the units of a sequence."""

from __future__ import annotations

from edx2lrs.transforms.fields import BlockKey, EventData, Link, Scalar, SourceEvent, Text


class LinkData(EventData, gc=False):
    """Where the link leads and what it is called; ``current_url`` is the page that it stands on."""

    target_url: Link = None
    target_name: Text = None
    current_url: Link = None


class SequenceData(EventData, gc=False):
    """``id`` is the sequence's usage key, ``tab_count`` the number of its units, ``current_tab`` the one before, from 1."""

    id: BlockKey = None
    tab_count: Scalar = None
    current_tab: Scalar = None


class TabData(SequenceData, gc=False):
    """``target_tab``: the unit chosen, from 1."""

    target_tab: Scalar = None


class SequenceOutlineData(LinkData, gc=False):
    """A link or a sequence: apps send either."""

    id: BlockKey = None
    tab_count: Scalar = None
    current_tab: Scalar = None
    target_tab: Scalar = None


EVENTS = {
    "edx.ui.lms.link_clicked": SourceEvent("navigation", LinkData),
    "edx.ui.lms.outline.selected": SourceEvent("navigation", LinkData),
    "edx.ui.lms.sequence.outline.selected": SourceEvent("navigation", SequenceOutlineData),
    "edx.ui.lms.sequence.tab_selected": SourceEvent(
        "navigation", TabData, aliases=("seq_goto",), old_fields={"old": "current_tab", "new": "target_tab"}
    ),
    "edx.ui.lms.sequence.next_selected": SourceEvent(
        "navigation", SequenceData, aliases=("seq_next",), old_fields={"old": "current_tab"}
    ),
    "edx.ui.lms.sequence.previous_selected": SourceEvent(
        "navigation", SequenceData, aliases=("seq_prev",), old_fields={"old": "current_tab"}
    ),
}
