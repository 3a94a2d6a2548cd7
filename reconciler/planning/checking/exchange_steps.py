"""The Exchange side of a baseline, and what each step does to it: the checker's own reading of
both.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

from reconciler.model.baselines import GuardScope
from reconciler.planning.checking.verdicts import Unfollowable, ViolationKind

if TYPE_CHECKING:
    from reconciler.model.baselines import ExchangeBaseline, StoredExchangePolicy
    from reconciler.model.plans import Step

RESTRICT, DENY = "RestrictAccess", "DenyAccess"
EVERY = "*"
GUID = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_GUID = re.compile(GUID)
_IDENTITY = re.compile(rf"{GUID}\\(?P<application>{GUID}|\*):s-[0-9-]+;(?P<scope>{GUID})")
"""A policy's Identity, in lower case: tenant, application, and the scope's sid and object id."""
_ADDRESS = re.compile(rf"exchange\.policy/(?P<application>{GUID}|\*)@(?P<scope>{GUID})")


def empty_scopes(section: ExchangeBaseline) -> frozenset[str]:
    """The scope of temporary policies, if the baseline has one and it has no members: no mailbox
    is in it.
    """
    return frozenset(
        scope.id.lower()
        for scope in section.values()
        if isinstance(scope, GuardScope) and not scope.members
    )


class Rights(Struct, frozen=True):
    """The scopes (object ids) that an application is restricted to, and those that it is denied."""

    restrict: frozenset[str]
    deny: frozenset[str]

    def changed(self, scope: str, right: str | None) -> Rights:
        """The same rights except for one scope; right None: no policy has it."""
        return Rights(
            self.restrict | {scope} if right == RESTRICT else self.restrict - {scope},
            self.deny | {scope} if right == DENY else self.deny - {scope},
        )


NO_RIGHTS = Rights(frozenset(), frozenset())


class ExchangeModel(Struct):
    """The rights of each application's own policies, by lower-case client id or `*`, changed step
    by step. `opaque`: the applications that have a policy which nobody understands; `awaited`:
    those that shall have one whose scope is not there; `shut_out`: those that shall reach nobody;
    `empty`: scopes in which no mailbox lies.
    """

    own: dict[str, Rights]
    opaque: frozenset[str] = frozenset()
    awaited: frozenset[str] = frozenset()
    shut_out: frozenset[str] = frozenset()
    empty: frozenset[str] = frozenset()

    @classmethod
    def read(
        cls,
        section: ExchangeBaseline,
        opaque: Collection[str] = (),
        awaited: Collection[str] = (),
        shut_out: frozenset[str] = frozenset(),
    ) -> ExchangeModel:
        """Read the section of a plan file's baseline: the policies of each application that a step
        bears on.
        """
        return cls(
            {
                application.lower(): _rights(policies)
                for application, policies in section.items()
                if not isinstance(policies, GuardScope)
            },
            opaque=_owners(opaque),
            awaited=_owners(awaited),
            shut_out=shut_out,
            empty=empty_scopes(section),
        )

    def copy(self) -> ExchangeModel:
        """An independent copy."""
        return ExchangeModel(dict(self.own), self.opaque, self.awaited, self.shut_out, self.empty)

    def bearing(self, application: str) -> Rights:
        """What bears on an application: its own policies and those of `*`.

        `*` itself stands for one that has none of its own.
        """
        every = self.own.get(EVERY, NO_RIGHTS)
        own = self.own.get(application, NO_RIGHTS)
        return Rights(own.restrict | every.restrict, own.deny | every.deny)

    def run(self, step: Step) -> str | None:
        """Do one step; return the application whose policies have changed, None if no right
        changed.

        Raises:
            Unfollowable: it cannot be done here, or the baseline lacks what it rests on.
        """
        match step.cmdlet:
            case "New-ApplicationAccessPolicy":
                return self._new(*_created(step))
            case "Remove-ApplicationAccessPolicy":
                application, scope = _identified(step)
                if not self._stays_shut(application, scope):
                    self._assert_settled(application)
                self.own[application] = self._having(application, scope).changed(scope, None)
                return application
            case "Set-ApplicationAccessPolicy":
                application, scope = _identified(step)
                self._assert_settled(application)
                self._having(application, scope)
                return None
            case _:
                raise Unfollowable(ViolationKind.UNKNOWN)

    def _assert_settled(self, owner: str) -> None:
        """Only a Deny may come beside a policy that nobody understands, or before one whose scope is
        not there: whatever that one does, it narrows. A policy of `*` bears on every application.
        """
        for owners, why in (
            (self.opaque, ViolationKind.OPAQUE),
            (self.awaited, ViolationKind.AWAITED),
        ):
            if owners if owner == EVERY else owners & {owner, EVERY}:
                raise Unfollowable(why)

    def _new(self, application: str, scope: str, right: str) -> str:
        own = self.own.get(application)
        if own is None or right not in {RESTRICT, DENY}:
            raise Unfollowable(ViolationKind.UNKNOWN)
        if right != DENY and not (application in self.shut_out and scope in self.empty):
            self._assert_settled(application)
        if scope in own.restrict or scope in own.deny:
            raise Unfollowable(ViolationKind.REFUSED)
        self.own[application] = own.changed(scope, right)
        return application

    def _stays_shut(self, application: str, scope: str) -> bool:
        """Whether an application that shall reach nobody is restricted to an empty scope also without
        a restriction that goes: whatever else there is, it only loses by that.
        """
        own = self.own.get(application, NO_RIGHTS)
        others = own.restrict - {scope}
        return application in self.shut_out and scope in own.restrict and bool(others & self.empty)

    def reaches(self, application: str) -> bool:
        """Whether an application may reach a mailbox, in whatever scopes that may lie."""
        rights = self.bearing(application)
        unknown = bool(self.opaque & {application, EVERY})
        return unknown or not rights.restrict or bool(rights.restrict - rights.deny - self.empty)

    def _having(self, application: str, scope: str) -> Rights:
        own = self.own.get(application)
        if own is None:
            raise Unfollowable(ViolationKind.UNKNOWN)
        if scope not in own.restrict and scope not in own.deny:
            raise Unfollowable(ViolationKind.REFUSED)
        return own


def _owners(addresses: Collection[str]) -> frozenset[str]:
    """The applications of addresses."""
    return frozenset(address.partition("/")[2].lower() for address in addresses)


def _rights(policies: Sequence[StoredExchangePolicy]) -> Rights:
    return Rights(
        *(
            frozenset(policy.scope.lower() for policy in policies if policy.access_right == right)
            for right in (RESTRICT, DENY)
        )
    )


def _created(step: Step) -> tuple[str, str, str]:
    """Application, scope and right of a new policy.

    The step's text names the scope by its SMTP address, its address by object id; that one leads to
    the other is looked up just before the step runs. A text with an object id must agree.
    """
    given = step.parameters
    named = given["AppId"]
    applications = [name.lower() for name in named] if isinstance(named, Sequence) else []
    address = _ADDRESS.fullmatch(step.address.lower())
    if address is None or applications != [address["application"]]:
        raise Unfollowable(ViolationKind.UNKNOWN)
    written = str(given["PolicyScopeGroupId"]).lower()
    if _GUID.fullmatch(written) and written != address["scope"]:
        raise Unfollowable(ViolationKind.UNKNOWN)
    return address["application"], address["scope"], str(given["AccessRight"])


def _identified(step: Step) -> tuple[str, str]:
    identity = _IDENTITY.fullmatch(str(step.parameters["Identity"]).lower())
    if identity is None:
        raise Unfollowable(ViolationKind.UNKNOWN)
    return identity["application"], identity["scope"]
