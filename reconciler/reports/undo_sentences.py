"""Sentences for the codes of plans that undo another one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.model.codes import Held, RefusalRule, WarningCode
from reconciler.reports.unfound_names import NoteAdvice

if TYPE_CHECKING:
    from collections.abc import Mapping

WARNINGS: Mapping[str, NoteAdvice] = {
    WarningCode.STILL_DECLARED: NoteAdvice(
        "The documents still ask for what this plan undoes, so that the next plan would do it again.",
        "Revert these lines too, or the commit that wrote them, before anybody plans again.",
    ),
}

REFUSALS: Mapping[str, NoteAdvice] = {
    RefusalRule.BEYOND_BASELINE: NoteAdvice(
        "Undone, the application would reach somebody whom it reaches neither now nor before the plan:"
        " too much around it has changed since.",
        "Write documents for what shall be instead.",
    ),
    RefusalRule.UNDO_OLD: NoteAdvice(
        "Later plans changed the same objects: {plans}. To undo the older plan would take back what was"
        " decided since.",
        "Undo the later plans first, the last one first; or consent.",
    ),
}

HOLDS: Mapping[str, NoteAdvice] = {
    Held.CHANGED_SINCE: NoteAdvice(
        "Not undone, because somebody changed it since the plan was applied:",
        "Write documents for what it shall be.",
    ),
    Held.OTHER_HOLDERS: NoteAdvice(
        "Not undone, because others hold the policy than before the plan: they would gain, or lose, what"
        " the plan never gave or took.",
        "Write documents for what it shall be.",
    ),
    Held.SCOPE_GONE: NoteAdvice(
        "Not undone, as a whole, because a scope that its policies had before the plan is gone. A group"
        " that was created again is another one, whatever its address:",
        "Declare the policies with scopes that exist.",
    ),
    Held.SUBJECT_GONE: NoteAdvice("Not undone, because the user no longer exists:", ""),
    Held.SHUT_OUT: NoteAdvice(
        "What the plan took from it is not given back, because the application is quarantined:",
        "Take `quarantine` out of its document first; then undo again.",
    ),
    Held.WOULD_REACH_MORE: NoteAdvice(
        "Not undone, because something around it has changed since: an application would reach somebody"
        " whom it reaches neither now nor before the plan:",
        "Write documents for what it shall be.",
    ),
}
