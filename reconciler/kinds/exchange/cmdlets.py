"""Exchange invocations as data.

`-Confirm:$false` always: the documented pause would fail an unattended run and is not a safety net.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.kinds.product import Ties
from reconciler.model.addresses import EVERY_APPLICATION, ExchangePolicyAddress, parse_address
from reconciler.model.plans import Invocation

if TYPE_CHECKING:
    from reconciler.canonical import Json
    from reconciler.model.documents import AccessRight
    from reconciler.model.plans import Step

NEW = "New-ApplicationAccessPolicy"
REMOVE = "Remove-ApplicationAccessPolicy"
_ANY_APPLICATION = "any application"
BLANK = " "
"""A blank description: the service writes a long one when it is left out, which costs policy space
(MicrosoftDocs New-ApplicationAccessPolicy).
"""


def new(application: str, scope: str, right: AccessRight, description: str | None) -> Invocation:
    """Create a policy for one application and one scope; description None lets the service write
    its own.
    """
    parameters: dict[str, Json] = {
        "AppId": [application],
        "PolicyScopeGroupId": scope,
        "AccessRight": right.value,
        "Confirm": False,
    }
    if description is not None:
        parameters["Description"] = description or BLANK
    return Invocation(NEW, parameters)


def describe(identity: str, description: str) -> Invocation:
    """Change the description, the only thing that can be changed."""
    return Invocation(
        "Set-ApplicationAccessPolicy",
        {"Identity": identity, "Description": description or BLANK, "Confirm": False},
    )


def remove(identity: str) -> Invocation:
    """Delete a policy by the Identity that the service gave it."""
    return Invocation(REMOVE, {"Identity": identity, "Confirm": False})


def ties(step: Step) -> Ties:
    """What a step leaves in place, and what it must find there."""
    policy = parse_address(step.address.lower())
    application = policy.application if isinstance(policy, ExchangePolicyAddress) else ""
    provides = frozenset({application, _ANY_APPLICATION})
    if application == EVERY_APPLICATION:
        return Ties(provides, frozenset({_ANY_APPLICATION}))
    return Ties(provides, frozenset({application, EVERY_APPLICATION}))


def is_addressed(step: Step) -> bool:
    """Whether a step's address names the application and the scope of its parameters; a scope that
    is named by its mail address is resolved just before the step.
    """
    given, policy = step.parameters, parse_address(step.address.lower())
    if not isinstance(policy, ExchangePolicyAddress):
        return False
    if "AppId" in given:
        return given["AppId"] == [policy.application]
    _, _, identity = str(given["Identity"]).lower().partition("\\")
    return identity.startswith(f"{policy.application}:") and identity.endswith(f";{policy.scope}")
