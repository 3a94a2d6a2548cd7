"""A guard: a temporary RestrictAccess on an empty group, so that an application is at worst blocked
while its rights are flipped.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from msgspec import Struct

from reconciler.guids import GUID
from reconciler.kinds.exchange import cmdlets
from reconciler.model.addresses import exchange_policy
from reconciler.model.baselines import GuardScope
from reconciler.model.codes import GuardLacks, StepReason
from reconciler.model.documents import AccessRight
from reconciler.model.observed import Recipient
from reconciler.model.plans import StepDraft

if TYPE_CHECKING:
    from collections.abc import Collection

    from reconciler.model.observed import Directory, ExchangeKey, ExchangeState

_ORGANISATION = re.compile(rf"(?P<organisation>{GUID.pattern})\\", re.IGNORECASE)


class Guard(Struct, frozen=True):
    """What guards are made with: an empty group, how it is written, and the organisation part of
    every Identity.
    """

    scope: str
    sid: str
    text: str
    organisation: str

    def create(self, application: str) -> StepDraft:
        """Keep the application's door shut."""
        invocation = cmdlets.new(application, self.text, AccessRight.RESTRICT, "")
        return StepDraft(
            exchange_policy(application, self.scope),
            invocation,
            StepReason.CREATE_GUARD,
            temporary=True,
        )

    def remove(self, application: str) -> StepDraft:
        r"""Open it again, by the Identity that the service will give:
        `<organisation>\<application>:<sid>;<object id>`.

        Source: `Get-ApplicationAccessPolicy` output in public captures; the last part is the
        scope's object id, not a policy's.
        """
        identity = f"{self.organisation}\\{application}:{self.sid};{self.scope}"
        return StepDraft(
            exchange_policy(application, self.scope),
            cmdlets.remove(identity),
            StepReason.REMOVE_GUARD,
            temporary=True,
        )

    def baseline(self) -> GuardScope:
        """What a plan rests on that makes guards."""
        return GuardScope(id=self.scope, members=(), sid=self.sid)


def guard(written: str | None, directory: Directory, observed: ExchangeState) -> Guard | GuardLacks:
    """What guards can be made with, or why there can be none.

    Args:
        written: `guardScope` of the Tenant document, an address or an object id; None if it has
            none.
        directory: What the capture knows.
        observed: Its policies tell the organisation part of an Identity.
    """
    recipient = empty_group(written, directory)
    if not isinstance(recipient, Recipient):
        return recipient
    organisation = _organisation(observed)
    if organisation is None:
        return GuardLacks.NO_ORGANISATION
    sid = recipient.sid or ""
    return Guard(recipient.id, sid, recipient.primary or recipient.id, organisation)


def empty_group(written: str | None, directory: Directory) -> Recipient | GuardLacks:
    """The group that `guardScope` names, if it is known to be empty and can be a scope; or why it
    cannot serve.
    """
    if written is None:
        return GuardLacks.NOT_DECLARED
    recipient = directory.recipients.get(guard_group(written, directory) or "")
    return GuardLacks.NOT_FOUND if recipient is None else _lacking(recipient) or recipient


def guard_baseline(group: Recipient) -> GuardScope:
    """What a plan rests on that restricts applications to the empty group."""
    return GuardScope(id=group.id, members=(), sid=group.sid or "")


def guard_group(written: str | None, directory: Directory) -> str | None:
    """The object id of the group that `guardScope` of the Tenant document names, as far as is
    known.
    """
    if written is None:
        return None
    name = written.lower()
    return directory.recipients_by_address.get(name, name)


def in_use(made: Guard, application: str, keys: Collection[ExchangeKey]) -> bool:
    """Whether the guard's group is a scope of the application already, so that the two would be one
    policy.
    """
    return (application, made.scope) in keys


def _lacking(recipient: Recipient) -> GuardLacks | None:
    if not recipient.principal:
        return GuardLacks.NOT_PRINCIPAL
    if not recipient.sid:
        return GuardLacks.NO_SID
    if recipient.members is None:
        return GuardLacks.MEMBERS_UNKNOWN
    return GuardLacks.NOT_EMPTY if recipient.members else None


def _organisation(observed: ExchangeState) -> str | None:
    for key in sorted(observed.policies):
        parts = _ORGANISATION.match(observed.policies[key].identity)
        if parts is not None:
            return parts["organisation"]
    return None
