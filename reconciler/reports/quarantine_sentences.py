"""What is said of quarantined applications: codes to sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.model.codes import Held, RefusalRule, WarningCode
from reconciler.reports.unfound_names import NoteAdvice

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.reports.review.value import Name, Phrase

WARNINGS: Mapping[str, NoteAdvice] = {
    WarningCode.QUARANTINED: NoteAdvice(
        "Access policies decide about meetings and mailboxes only, and the services enforce them late:"
        " RBAC for Applications, other permissions of Microsoft Graph, and tokens that act for a person"
        " are not stopped by a quarantine.",
        "In an incident, first disable the application's service principal in Microsoft Entra; that is"
        " faster, and it stops all of these.",
    ),
    WarningCode.LEFT_SHUT: NoteAdvice(
        "The application is shut out of every mailbox by a restriction to the empty group, as a"
        " quarantine leaves it; it is not quarantined, and no document declares its policies.",
        "Declare what it may reach, or this policy with `ensure: absent`, which opens every mailbox to"
        " it; or undo the plan that shut it out.",
    ),
    WarningCode.UNRESTORED: NoteAdvice(
        "No document gives this back to a quarantined application, or takes it away from it, once the"
        " quarantine ends.",
        "Keep this plan's file: only an undo of this plan restores what no document declares. Or declare"
        " it before you lift the quarantine.",
    ),
}

REFUSALS: Mapping[str, NoteAdvice] = {
    RefusalRule.QUARANTINE: NoteAdvice(
        "The application is quarantined, and after step {step} it would reach somebody whom it does not"
        " reach today.",
        "Leave that change out with --skip, or first plan the quarantine alone.",
    ),
    RefusalRule.STILL_REACHING: NoteAdvice(
        "Checked independently, the application is quarantined and may still reach somebody after this"
        " plan, which no other part of the plan says.",
        "This is a defect of the planner: report it. Meanwhile disable the application's service"
        " principal.",
    ),
}

HOLDS: Mapping[str, NoteAdvice] = {
    Held.OPEN_GUARD: NoteAdvice(
        "STILL OPEN: {application} keeps what it reaches in Exchange, because there is no empty group"
        " to restrict it to.",
        "Name an empty mail-enabled security group as `exchange.guardScope` of the Tenant document, read"
        " the tenant again, then plan again. Meanwhile disable the application's service principal.",
    ),
    Held.OPEN_UNDECLARED: NoteAdvice(
        "STILL OPEN: {application} is let into a scope by a policy that no document declares.",
        "If it may go, consent; or declare the policy: during a quarantine a declared one goes.",
    ),
    Held.OPEN_EVERY: NoteAdvice(
        "STILL OPEN: a RestrictAccess policy of every application (`*`) lets {application} into its"
        " scope.",
        "Add the document below, which denies it that scope; then plan again.",
    ),
    Held.OPEN_LIST: NoteAdvice(
        "STILL OPEN: {application} is in a list with an entry that is not understood, and such a list is"
        " never edited.",
        "Correct the entry in the tenant, or take the application out there; then plan again.",
    ),
    Held.OPEN_TEXT: NoteAdvice(
        "STILL OPEN: the client id of {application} is in what was read of an entry that is not"
        " understood.",
        "`text` is what was read. Correct or remove the entry in the tenant; then plan again.",
    ),
    Held.OPEN_OPAQUE: NoteAdvice(
        "STILL OPEN: a policy that is not understood may let {application} into mailboxes.",
        "`text` is what was read. Correct or remove the policy in the tenant; then plan again.",
    ),
    Held.OPEN_HELD: NoteAdvice(
        "STILL OPEN: what {application} reaches by this is left as it is ({held}).",
        "Plan without that option, or the quarantine alone.",
    ),
}

_WHY_OPEN: Mapping[str, str] = {
    Held.OPEN_GUARD: "no empty group to restrict it to",
    Held.OPEN_UNDECLARED: "undeclared, and no consent",
    Held.OPEN_EVERY: "a policy of every application lets it in",
    Held.OPEN_LIST: "the list is held",
    Held.OPEN_TEXT: "in an entry that is not understood",
    Held.OPEN_OPAQUE: "a policy is not understood",
    Held.OPEN_HELD: "left out by --only or --skip",
}


def quarantined(name: Name) -> Phrase:
    """What is said of a quarantined application where somebody asks about it."""
    return (
        name,
        " is quarantined: with the documents it reaches nobody, but for what a plan says is still open",
    )


def ended(name: Name) -> Phrase:
    """What it takes to let a quarantined application in."""
    return (
        "Nothing lets ",
        name,
        " in until `quarantine` is removed from its Application document.",
    )


def why_open(code: str) -> str:
    """Why a quarantined application may still reach somebody, in a few words."""
    return _WHY_OPEN.get(code, code)
