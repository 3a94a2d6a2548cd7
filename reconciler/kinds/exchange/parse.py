r"""The Exchange part of a capture -> `ExchangeState`.

Shapes are those of `Get-ApplicationAccessPolicy` over REST. An Identity reads
`ORGANIZATION\APPLICATION:SID;OBJECTID`: its tail names the scope, not the policy, so application
and scope are the natural key (four public captures, 2020 to 2025).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from msgspec.structs import replace

from reconciler.characters import has_surrogate
from reconciler.guids import GUID, guid
from reconciler.kinds.capture_faults import FaultList
from reconciler.kinds.capture_rows import (
    as_list,
    blank_as_empty,
    by_key,
    name_fault,
    objects,
    raw_text,
    shown,
    text_property,
)
from reconciler.model.addresses import EVERY_APPLICATION
from reconciler.model.documents import AccessRight
from reconciler.model.observed import ExchangePolicy, ExchangeState, OpaqueRow

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

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
_APPLICATION: Final = re.compile(
    rf"[^\\]*+\\(?P<application>{GUID.pattern}|\*)(?![^:])", re.IGNORECASE
)
"""What an Identity that is none may still say: whose policy it is."""
_TELLING: Final = (
    "AccessRight",
    "AppId",
    "Description",
    "Identity",
    "ScopeIdentityRaw",
    "ScopeName",
)
"""The properties of a row that are looked at."""
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
    """Parse like `parse`, with faults of the reading collected; the result is of use only if there
    are none. A row that cannot be understood does not fail the reading: it is in `opaque`.
    """
    rows = [row for row in objects(section, "policies", path, faults) if row]
    policies: dict[ExchangeKey, list[tuple[Mapping[str, Any], ExchangePolicy]]] = {}
    opaque = _Opaque()
    for row in rows:
        flaws = FaultList()
        policy = _policy(row, flaws)
        if policy is None or flaws.told:
            opaque.add(row, flaws.told)
        else:
            policies.setdefault((policy.application, policy.scope), []).append((row, policy))
    _one_tenant(rows, f"{path}.policies", faults)
    for doubles in policies.values():
        for row, _ in doubles if len(doubles) > 1 else ():
            opaque.add(row, ("there is more than one policy of this application and scope",))
    whole = {key: doubles[0][1] for key, doubles in policies.items() if len(doubles) == 1}
    return ExchangeState(by_key(whole), opaque.rows())


_DOUBTFUL: Final = (
    "the reading says both that its scope is there and that it is not: read the tenant again"
)


def doubting(state: ExchangeState, scopes: Collection[str]) -> ExchangeState:
    """The policies of these scopes as not understood: whether they protect, or block, somebody is not
    known.

    Args:
        state: as it was parsed.
        scopes: object ids in lower case.
    """
    opaque = {owner: set(rows) for owner, rows in state.opaque.items()}
    for key, policy in state.policies.items():
        if key[1] in scopes:
            opaque.setdefault(key[0], set()).add(OpaqueRow(_raw(policy), _DOUBTFUL))
    policies = {key: policy for key, policy in state.policies.items() if key[1] not in scopes}
    rows = {owner: tuple(sorted(opaque[owner])) for owner in sorted(opaque)}
    return replace(state, policies=policies, opaque=rows)


def _raw(policy: ExchangePolicy) -> str:
    """What was read of a policy, as a row of the service has it."""
    row = (
        policy.right.value,
        policy.application,
        policy.stored_description,
        policy.identity,
        f"{policy.sid};{policy.scope}",
        policy.scope_name,
    )
    return raw_text(dict(zip(_TELLING, row, strict=True)))


class _Opaque:
    """Rows that cannot be understood, by the application that each may limit."""

    def __init__(self) -> None:
        self._rows: dict[str, set[OpaqueRow]] = {}

    def add(self, row: Mapping[str, Any], flaws: Iterable[str]) -> None:
        """Note a row and what is not understood of it."""
        kept = {name: row[name] for name in _TELLING if name in row}
        opaque = OpaqueRow(raw_text(kept), "; ".join(flaws))
        for application in _limited(row):
            self._rows.setdefault(application, set()).add(opaque)

    def rows(self) -> dict[str, tuple[OpaqueRow, ...]]:
        """All of them, sorted."""
        return {
            application: tuple(sorted(self._rows[application]))
            for application in sorted(self._rows)
        }


def _limited(row: Mapping[str, Any]) -> frozenset[str]:
    """The applications that a row may limit: those that it names. One that names none, or another
    thing beside, may be of any.
    """
    named = _APPLICATION.match(str(row.get("Identity")))
    listed = as_list(row.get("AppId"), "", FaultList())
    ids = [EVERY_APPLICATION if each == EVERY_APPLICATION else guid(each) for each in listed]
    owners = {named["application"].lower()} if named else set()
    owners |= {owner or EVERY_APPLICATION for owner in ids}
    return frozenset(owners or {EVERY_APPLICATION})


def _one_tenant(rows: Sequence[Mapping[str, Any]], path: str, faults: FaultList) -> None:
    """All policies of a tenant are filed under one organization."""
    first: str | None = None
    for index, row in enumerate(rows):
        identity = row.get("Identity")
        if not isinstance(identity, str) or "\\" not in identity:
            continue
        organization = organization_of(identity)
        first = first or organization
        if organization != first:
            faults.add(
                f"{path}[{index}].Identity",
                f"expected organization {shown(first)}, found {shown(organization)}:"
                " the capture mixes two tenants, fetch again",
            )


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


def _policy(row: Mapping[str, Any], flaws: FaultList) -> ExchangePolicy | None:
    """The policy of a row; of use only if nothing of the row is not understood."""
    identity = row.get("Identity")
    parts = IDENTITY.fullmatch(identity) if isinstance(identity, str) else None
    if parts is None or not isinstance(identity, str):
        flaws.add(
            "Identity",
            rf"expected ORGANIZATION\APPLICATION:SID;OBJECTID, found {shown(identity)}",
        )
        return None
    application, scope, right = (
        parts["application"].lower(),
        parts["scope"].lower(),
        _right(row, flaws),
    )
    if _application(row, flaws) != application:
        flaws.add("AppId", f"{shown(row.get('AppId'))} does not match Identity {shown(identity)}")
    if not _same_scope(row.get("ScopeIdentityRaw"), parts):
        flaws.add(
            "ScopeIdentityRaw",
            f"{shown(row['ScopeIdentityRaw'])} does not match Identity {shown(identity)}",
        )
    stored = text_property(row.get("Description"), "Description", flaws)
    description = "" if _is_default(stored, parts, right) else blank_as_empty(stored) or ""
    if flaw := name_fault(identity):
        flaws.add("Identity", flaw)
    for name in ("Description", "ScopeName"):
        if isinstance(row.get(name), str) and has_surrogate(row[name]):
            flaws.add(name, "has half a character")
    return ExchangePolicy(
        application,
        scope,
        parts["sid"],
        right,
        description,
        stored,
        identity,
        text_property(row.get("ScopeName"), "ScopeName", flaws),
    )


def _right(row: Mapping[str, Any], flaws: FaultList) -> AccessRight:
    try:
        return AccessRight(row.get("AccessRight", ""))
    except ValueError:
        flaws.add(
            "AccessRight",
            f"expected RestrictAccess or DenyAccess, found {shown(row.get('AccessRight'))}",
        )
        return AccessRight.DENY


def _application(row: Mapping[str, Any], flaws: FaultList) -> str | None:
    """The one application of a row: the service makes one object per application even of a call
    that names several.
    """
    applications = as_list(row.get("AppId"), "AppId", flaws)
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
