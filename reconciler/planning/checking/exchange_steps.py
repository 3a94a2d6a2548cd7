"""The Exchange side of a baseline, and what each step does to it: the checker's own reading of both."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.planning.checking.verdicts import Unfollowable, Why

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from reconciler.model.plans import Step

RESTRICT, DENY = "RestrictAccess", "DenyAccess"
GUID = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_GUID = re.compile(GUID)
_IDENTITY = re.compile(rf"{GUID}\\(?P<application>{GUID}|\*):s-[0-9-]+;(?P<scope>{GUID})")
"""A policy's Identity, in lower case: tenant, application, and the scope's sid and object id."""
GUARD = "guardScope"
"""Key of the scope of temporary policies in a baseline: its object id and its members, which nobody may be."""
_ADDRESS = re.compile(rf"exchange\.policy/(?P<application>{GUID}|\*)@(?P<scope>{GUID})")


def empty_scopes(section: Mapping[str, Any]) -> frozenset[str]:
    """The scope of temporary policies, if the baseline has one and it has no members: no mailbox lies in it."""
    guard = section.get(GUARD)
    return frozenset({guard["id"].lower()}) if guard and guard["members"] == [] else frozenset()


@dataclass(slots=True)
class Exchange:
    """Access rights by application (lower-case client id or `*`) and scope (object id), changed step by step."""

    rights: dict[str, dict[str, str]]

    @classmethod
    def read(cls, section: Mapping[str, Any]) -> Exchange:
        """Read the section of a plan file's baseline: the policies of each application that a step may touch.

        Raises:
            Unfollowable: an access right is none that is known.
            KeyError, TypeError, AttributeError: it is no such section.
        """
        applications = {name.lower(): rows for name, rows in section.items() if name != GUARD}
        rights = {name: {row["scope"].lower(): row["accessRight"] for row in rows} for name, rows in applications.items()}
        if any(right not in {RESTRICT, DENY} for policies in rights.values() for right in policies.values()):
            raise Unfollowable(Why.UNKNOWN)
        return cls(rights)

    def copy(self) -> Exchange:
        """A second one that changes on its own."""
        return Exchange({application: dict(policies) for application, policies in self.rights.items()})

    def run(self, step: Step) -> str | None:
        """Do one step; return the application whose policies are others now, None if no right changed.

        Raises:
            Unfollowable: it cannot be done here, or the baseline lacks what it rests on.
        """
        match step.cmdlet:
            case "New-ApplicationAccessPolicy":
                return self._new(*_created(step))
            case "Remove-ApplicationAccessPolicy":
                application, scope = _identified(step)
                del self._existing(application, scope)[scope]
                return application
            case "Set-ApplicationAccessPolicy":
                self._existing(*_identified(step))
                return None
            case _:
                raise Unfollowable(Why.UNKNOWN)

    def _new(self, application: str, scope: str, right: str) -> str:
        if application not in self.rights or right not in {RESTRICT, DENY}:
            raise Unfollowable(Why.UNKNOWN)
        if scope in self.rights[application]:
            raise Unfollowable(Why.REFUSED)
        self.rights[application][scope] = right
        return application

    def _existing(self, application: str, scope: str) -> dict[str, str]:
        if application not in self.rights:
            raise Unfollowable(Why.UNKNOWN)
        if scope not in self.rights[application]:
            raise Unfollowable(Why.REFUSED)
        return self.rights[application]


def _created(step: Step) -> tuple[str, str, str]:
    """Application, scope and right of a new policy.

    The step's text names the scope by its SMTP address, its address by object id; that one leads to the other is looked up just before the
    step runs. A text with an object id must agree.
    """
    given: Mapping[str, Any] = step.parameters
    applications = [application.lower() for application in given["AppId"]]
    address = _ADDRESS.fullmatch(step.address.lower())
    if address is None or applications != [address["application"]]:
        raise Unfollowable(Why.UNKNOWN)
    written = str(given["PolicyScopeGroupId"]).lower()
    if _GUID.fullmatch(written) and written != address["scope"]:
        raise Unfollowable(Why.UNKNOWN)
    return address["application"], address["scope"], str(given["AccessRight"])


def _identified(step: Step) -> tuple[str, str]:
    identity = _IDENTITY.fullmatch(str(step.parameters["Identity"]).lower())
    if identity is None:
        raise Unfollowable(Why.UNKNOWN)
    return identity["application"], identity["scope"]
