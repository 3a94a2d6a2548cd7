"""What a violation means for a plan: a refusal while it is made, an error before it is applied."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, assert_never

from reconciler.errors import Refused
from reconciler.model.codes import RefusalRule
from reconciler.model.plans import Note
from reconciler.planning.checking.judging import judge_prefixes
from reconciler.planning.checking.verdicts import Holders, Mailboxes, ViolationKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from reconciler.canonical import Json
    from reconciler.model.plans import Plan
    from reconciler.planning.checking.verdicts import Subject, Violation

_NO_GRANT = "no direct grant"


def refusals_of_violations(
    violations: Iterable[Violation],
    explained: Iterable[Note] = (),
    shut_out: frozenset[str] = frozenset(),
) -> tuple[Note, ...]:
    """One refusal for each address that violations are about, with the first of them.

    Args:
        violations: what the checker found.
        explained: refusals that say already, and better, why an application is exposed: those by
            `needs-guard` and `exposure`. A guard that `*` needs is needed for every application.
        shut_out: applications that shall reach nobody.
    """
    explained_addresses = {
        note.address.lower()
        for note in explained
        if note.code in {RefusalRule.NEEDS_GUARD, RefusalRule.EXPOSURE}
    }
    left = [violation for violation in violations if not _is_told(violation, explained_addresses)]
    alike = groupby(
        sorted(left, key=lambda violation: (_about(violation), violation.step)), key=_about
    )
    return tuple(_note(address, list(group), shut_out) for address, group in alike)


def assert_safe(plan: Plan) -> None:
    """Refuse a plan that is not safe in every prefix, but for the exposures that it has a consent
    for.

    Raises:
        Refused: names step, application and whom it would reach.
    """
    consents = {consent.lower() for consent in plan.consents}
    left = [
        violation
        for violation in judge_prefixes(plan)
        if f"{RefusalRule.EXPOSURE}:{_about(violation)}".lower() not in consents
        or violation.application in plan.baseline.shut_out()
    ]
    if left:
        more = f" (and {len(left) - 1} more)" if len(left) > 1 else ""
        raise Refused(
            f"{_sentence(left[0])}{more}. Nothing was written; plan again, and report this if the"
            " new plan fails in the same way"
        )


def _is_told(violation: Violation, explained_addresses: set[str]) -> bool:
    if violation.why is not ViolationKind.EXPOSED:
        return False
    return not explained_addresses.isdisjoint({_about(violation), _application(violation, "*")})


def _about(violation: Violation) -> str:
    """The address of the application that is exposed, else of the step that cannot be followed."""
    if violation.why is not ViolationKind.EXPOSED:
        return violation.address
    return _application(violation, violation.application)


def _application(violation: Violation, application: str) -> str:
    """The address of an application of the violation's product."""
    return f"{violation.provider}.application/{application}"


def _note(address: str, group: list[Violation], shut_out: frozenset[str]) -> Note:
    first = group[0]
    if first.subject is None:
        return Note(RefusalRule.UNCHECKED, address, {"step": first.step, "why": first.why.value})
    details = {
        "step": first.step,
        "at": first.address,
        **whom(first.subject),
        "others": len(group) - 1,
    }
    if first.application in shut_out:
        shown = {name: value for name, value in details.items() if name != "others"}
        return Note(RefusalRule.QUARANTINE, address, {**shown, "skip": [first.address]})
    return Note(RefusalRule.UNSAFE, address, details)


def whom(subject: Subject) -> Mapping[str, Json]:
    """Who is reached, as details of a note."""
    match subject:
        case Holders(before, now, after, groups):
            return {
                "grants": [policy or _NO_GRANT for policy in (before, now, after)],
                "groups": list(groups),
            }
        case Mailboxes(scopes):
            return {"scopes": list(scopes)}
        case _:
            assert_never(subject)


def _sentence(violation: Violation) -> str:
    where = f"step {violation.step} of the plan ({violation.address})"
    if violation.subject is not None:
        return (
            f"after {where} {_about(violation)} would reach {_people(violation.subject)}, whom it"
            " reaches neither before nor after the plan"
        )
    if violation.why is ViolationKind.REFUSED:
        return f"{where} cannot be done at this point: the service would refuse it"
    if violation.why is ViolationKind.OPAQUE:
        return f"{where} depends on an object of the tenant that could not be understood"
    if violation.why is ViolationKind.AWAITED:
        return f"{where} depends on a policy whose scope is not in the tenant"
    return f"{where} cannot be checked: the plan's baseline lacks what it depends on"


def _people(subject: Subject) -> str:
    match subject:
        case Holders(before, now, after, groups):
            grants = " -> ".join(policy or _NO_GRANT for policy in (before, now, after))
            return f"users by their grants ({grants})" + (
                f" in the groups {' and '.join(groups)}" if groups else ""
            )
        case Mailboxes(scopes):
            return (
                f"mailboxes in the scopes {' and '.join(scopes)}"
                if scopes
                else "mailboxes in none of its scopes"
            )
        case _:
            assert_never(subject)
