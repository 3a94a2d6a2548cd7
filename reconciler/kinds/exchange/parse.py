r"""The Exchange part of a capture -> `ExchangeState`.

Shapes are those of `Get-ApplicationAccessPolicy` over REST. An Identity reads
`ORGANIZATION\APPLICATION:SID;OBJECTID`: its tail names the scope, not the policy, so application
and scope are the natural key (four public captures, 2020 to 2025).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from reconciler.guids import GUID, guid
from reconciler.kinds.capture_faults import FaultList
from reconciler.kinds.capture_rows import (
    as_list,
    blank_as_empty,
    by_key,
    name_fault,
    objects,
    shown,
    text_property,
)
from reconciler.model.addresses import EVERY_APPLICATION
from reconciler.model.documents import AccessRight
from reconciler.model.observed import ExchangePolicy, ExchangeState

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.model.observed import ExchangeKey

IDENTITY: Final = re.compile(
    rf"(?P<organization>[^\\]+)\\(?P<application>{GUID.pattern}|\*)"
    rf":(?P<sid>S-[0-9-]+);(?P<scope>{GUID.pattern})",
    re.IGNORECASE,
)
"""An Identity; use `fullmatch`.

That `*` takes the place of an application's id is inferred: no capture of such a policy is public.
"""
_DEFAULT_DESCRIPTION: Final = re.compile(
    r"\s*+AppId:\s*+(?P<application>[^\s;]++);\s*+ScopeIdentitySid:\s*+(?P<sid>[^\s;]++);"
    r"\s*+ScopeIdentityOid:\s*+(?P<scope>[^\s;]++);"
    r"\s*+AccessRight:\s*+(?P<right>\w++);\s*+ShardType:\s*+\w++\s*+",
    re.IGNORECASE,
)
_UNIT, _ANYTHING = "'OU=", "\\*'"
"""How the pattern of an organizational unit begins and ends in a message."""


def parse(section: Mapping[str, Any]) -> ExchangeState:
    """Parse the `exchange` part of a capture.

    Raises:
        CaptureFault: one line per fault.
    """
    faults = FaultList()
    state = parse_section(section, "$.exchange", faults)
    faults.refuse("capture")
    return state


def parse_section(section: Mapping[str, Any], path: str, faults: FaultList) -> ExchangeState:
    """Parse like `parse`, with faults collected; the result is of use only if there are none."""
    policies: dict[ExchangeKey, ExchangePolicy] = {}
    organization: str | None = None
    for index, row in enumerate(objects(section, "policies", path, faults)):
        here = f"{path}.policies[{index}]"
        policy = _policy(row, here, faults) if row else None
        if policy is None:
            continue
        row_organization = organization_of(policy.identity)
        organization = organization or row_organization
        if row_organization != organization:
            faults.add(
                f"{here}.Identity",
                f"expected organization {shown(organization)}, found {shown(row_organization)}:"
                " the capture mixes two tenants, fetch again",
            )
        key = (policy.application, policy.scope)
        if key in policies:
            faults.add(
                here,
                f"expected one policy for application {key[0]} and scope {key[1]}, found a"
                " second: inspect both in the tenant",
            )
        policies[key] = policy
    return ExchangeState(by_key(policies))


def organization_of(identity: str) -> str:
    """The organization of an Identity in lower case.

    It is one and the same for all policies of a tenant, and need not be the tenant's id.
    """
    return identity.partition("\\")[0].lower()


def is_empty_store(exception: str, message: str) -> bool:
    r"""Whether an error of `Get-ApplicationAccessPolicy` says that the tenant has no policy at all.

    The service raises instead of listing nothing. Its sentence is localised, so only the
    exception's type and the object's pattern `'OU=...\*'` count (Microsoft365DSC issues 687 and
    2998).

    Args:
        exception: type name of the exception, if it was told apart; it may also be in the
            message.
        message: the error's text.
    """
    unit = message.find(_UNIT)
    return (
        "ManagementObjectNotFoundException" in f"{exception}|{message}"
        and unit >= 0
        and _ANYTHING in message[unit + len(_UNIT) :]
    )


def default_description(application: str, sid: str, scope: str, right: AccessRight) -> str:
    """What the service writes into a policy that is created without a description (public capture,
    2022).
    """
    return (
        f"AppId: {application}; ScopeIdentitySid: {sid}; ScopeIdentityOid: {scope}; AccessRight:"
        f" {right.value}; ShardType: All"
    )


def _policy(row: Mapping[str, Any], path: str, faults: FaultList) -> ExchangePolicy | None:
    identity = row.get("Identity")
    parts = IDENTITY.fullmatch(identity) if isinstance(identity, str) else None
    if parts is None or not isinstance(identity, str):
        faults.add(
            f"{path}.Identity",
            rf"expected ORGANIZATION\APPLICATION:SID;OBJECTID, found {shown(identity)}: inspect"
            " the policy in the tenant",
        )
        return None
    application, scope, right = (
        parts["application"].lower(),
        parts["scope"].lower(),
        _right(row, path, faults),
    )
    if _application(row, path, faults) != application:
        faults.add(
            f"{path}.AppId",
            f"{shown(row.get('AppId'))} does not match Identity {shown(identity)}: fetch again",
        )
    if not _same_scope(row.get("ScopeIdentityRaw"), parts):
        faults.add(
            f"{path}.ScopeIdentityRaw",
            f"{shown(row['ScopeIdentityRaw'])} does not match Identity {shown(identity)}: fetch"
            " again",
        )
    stored = text_property(row.get("Description"), f"{path}.Description", faults)
    description = "" if _is_default(stored, parts, right) else blank_as_empty(stored) or ""
    if flaw := name_fault(identity):
        faults.add(f"{path}.Identity", flaw)
    return ExchangePolicy(
        application,
        scope,
        parts["sid"],
        right,
        description,
        stored,
        identity,
        text_property(row.get("ScopeName"), f"{path}.ScopeName", faults),
    )


def _right(row: Mapping[str, Any], path: str, faults: FaultList) -> AccessRight:
    try:
        return AccessRight(row.get("AccessRight", ""))
    except ValueError:
        faults.add(
            f"{path}.AccessRight",
            f"expected RestrictAccess or DenyAccess, found {shown(row.get('AccessRight'))}: fetch"
            " again",
        )
        return AccessRight.DENY


def _application(row: Mapping[str, Any], path: str, faults: FaultList) -> str | None:
    """The one application of a row: the service makes one object per application even of a call
    that names several.
    """
    applications = as_list(row.get("AppId"), f"{path}.AppId", faults)
    if len(applications) != 1:
        return None
    return EVERY_APPLICATION if applications[0] == EVERY_APPLICATION else guid(applications[0])


def _same_scope(raw: Any, parts: re.Match[str]) -> bool:
    return raw is None or (
        isinstance(raw, str) and raw.lower() == f"{parts['sid']};{parts['scope']}".lower()
    )


def _is_default(description: str, parts: re.Match[str], right: AccessRight) -> bool:
    """Whether the service wrote the description, about this very policy.

    A copy of another policy's is somebody's own text.
    """
    generated = _DEFAULT_DESCRIPTION.fullmatch(description)
    if generated is None or generated["right"].lower() != right.value.lower():
        return False
    return all(
        generated[part].lower() == parts[part].lower() for part in ("application", "sid", "scope")
    )
