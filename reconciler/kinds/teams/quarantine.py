"""Quarantined applications on the Teams side: each shall be in no list, managed or not, that of Global
included, whoever holds it.

Taking an application out of a list only narrows, so it waits for nothing. Only a list with an entry
that is not understood stays: it is never edited.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from reconciler.model.addresses import GLOBAL, teams_application, teams_policy
from reconciler.model.codes import Held, WarningCode
from reconciler.model.observed import OPAQUE, is_opaque
from reconciler.model.plans import Note

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

    from reconciler.canonical import Json
    from reconciler.model.addresses import Address
    from reconciler.model.desired import DesiredTeams
    from reconciler.model.observed import TeamsPolicy, TeamsState

    Holding = Callable[[Address], Held | None]

_NOT_HEXADECIMAL: Final = re.compile("[^0-9a-f]+")


def without(
    policies: Mapping[str, TeamsPolicy],
    keys: Collection[str],
    quarantined: frozenset[str],
    holding: Holding,
) -> dict[str, TeamsPolicy]:
    """Those of some policies (by key) whose list gets shorter, as they shall be.

    Args:
        policies: All policies as they would be otherwise.
        keys: Those that are looked at.
        quarantined: Applications that shall be in no list.
        holding: Why an address is held at its observed value, None if it is not.
    """
    shorter = {}
    for key in keys:
        policy = policies[key]
        leaving = {
            each
            for each in quarantined & policy.applications.keys()
            if why_kept(key, policy, each, holding) is None
        }
        if leaving:
            kept = {
                each: as_stored
                for each, as_stored in policy.applications.items()
                if each not in leaving
            }
            shorter[key] = replace(policy, applications=kept)
    return shorter


def why_kept(key: str, policy: TeamsPolicy, application: str, holding: Holding) -> Held | None:
    """Why an application stays in a list although it is quarantined; None: it goes."""
    if is_opaque(key) or policy.opaque:
        return Held.NOT_UNDERSTOOD
    of_list, of_application = (
        holding(teams_policy(policy.name)),
        holding(teams_application(application)),
    )
    if Held.SKIPPED in (of_list, of_application):
        return Held.SKIPPED
    return of_list if of_application is not None else None


def still_open(
    policies: Mapping[str, TeamsPolicy], quarantined: frozenset[str], holding: Holding
) -> Iterator[Note]:
    """The lists that have, or may have, a quarantined application in the end: among what is
    understood of them, or in the text of what is not.
    """
    for key, policy in sorted(policies.items()):
        address = teams_policy(policy.name)
        for application in sorted(quarantined & policy.applications.keys()):
            why = why_kept(key, policy, application, holding) or Held.POLICY_HELD
            code = Held.OPEN_LIST if why is Held.NOT_UNDERSTOOD else Held.OPEN_HELD
            yield _note(code, address, application, {"held": why.value})
        for entry in sorted(policy.opaque):
            text = entry.removeprefix(OPAQUE)
            for application in sorted(quarantined):
                if is_named(application, text) and application not in policy.applications:
                    yield _note(Held.OPEN_TEXT, address, application, {"text": text})


def is_named(application: str, text: str) -> bool:
    """Whether a text that is not understood has a client id in it, however it is punctuated."""
    return _digits(application) in _digits(text)


def _digits(text: str) -> str:
    return _NOT_HEXADECIMAL.sub("", text.lower())


def _note(code: Held, address: Address, application: str, details: Mapping[str, Json]) -> Note:
    return Note(code.value, address, {"application": application, **details})


def unrestored(
    observed: TeamsState, policies: Mapping[str, TeamsPolicy], desired: DesiredTeams
) -> Iterator[Note]:
    """The lists that lose a quarantined application and whose documents do not give it back once the
    quarantine ends.
    """
    for key, policy in sorted(policies.items()):
        before = observed.policies.get(key)
        gone = (
            before.applications.keys() - policy.applications.keys() if before is not None else set()
        )
        for application in sorted(gone & desired.quarantined):
            if application not in _declared(desired, key):
                details = {"application": application}
                yield Note(WarningCode.UNRESTORED, teams_policy(policy.name), details)


def _declared(desired: DesiredTeams, key: str) -> frozenset[str]:
    """The applications that the documents list for a policy; for Global also by a grant to all."""
    source = desired.tenant_grant if key == GLOBAL and desired.tenant_grant is not None else key
    policy = desired.policies.get(source)
    return (policy.applications if policy is not None else None) or frozenset()


def applications_of_lists(desired: DesiredTeams, state: TeamsState | None) -> frozenset[str]:
    """Applications that documents or the tenant have in a list, or that are quarantined."""
    wanted = (policy.applications or () for policy in desired.policies.values())
    present = state.policies.values() if state is not None else ()
    listed = {each for policy in present for each in policy.applications if not is_opaque(each)}
    return desired.quarantined.union(listed, *wanted)
