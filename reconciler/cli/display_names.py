"""A display name identifies nobody: who has it is reported with the fault, so that an object id can be
written instead.
"""

from __future__ import annotations

import re
from collections import defaultdict
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from reconciler.cli import sources
from reconciler.documents import rules
from reconciler.documents.raw_documents import short_value
from reconciler.errors import DocumentFaults, ReconcilerError
from reconciler.model.requests import CaptureRequest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from reconciler.model.findings import Finding
    from reconciler.model.observed import Directory

_MOST: Final = 5
_USERS: Final = frozenset({rules.USER_ID.id, rules.USERS_FROM_LINE.id})
_RECIPIENTS: Final = frozenset({rules.GROUP_NAME.id, rules.SCOPE.id, rules.MAILBOX.id})
_QUOTED: Final = re.compile(r"`[^`]++`(?= )")


def with_ids(faults: DocumentFaults, tenant: str | None, paths: Sequence[Path]) -> DocumentFaults:
    """The same faults; one about a name says which objects of the tenant are called so. A live
    tenant is not asked before the documents are in order.
    """
    if not any(finding.rule in _USERS | _RECIPIENTS for finding in faults.findings):
        return faults
    with suppress(ReconcilerError, OSError):
        source = sources.choose(tenant, None, paths)
        if not isinstance(source, sources.LiveTenant):
            request = CaptureRequest(frozenset(), everything=True)
            directory = sources.observe_source(source, request, None).directory
            return DocumentFaults(_told(faults.findings, directory))
    return faults


def _told(findings: Iterable[Finding], directory: Directory) -> list[Finding]:
    users = dict.fromkeys(_USERS, _by_name(_named_users(directory)))
    recipients = dict.fromkeys(_RECIPIENTS, _by_name(_named_recipients(directory)))
    named = users | recipients
    return [_with_meanings(finding, named.get(finding.rule, {})) for finding in findings]


def _with_meanings(finding: Finding, by_name: Mapping[str, list[str]]) -> Finding:
    quoted = _QUOTED.match(finding.message)
    meant = by_name.get(quoted[0].lower(), []) if quoted else []
    if not meant:
        return finding
    more = f" and {len(meant) - _MOST} more" if len(meant) > _MOST else ""
    suffix = f"; it is the display name of {', '.join(meant[:_MOST])}{more}"
    return replace(finding, message=finding.message + suffix)


def _by_name(people: Iterable[tuple[str, str, str]]) -> Mapping[str, list[str]]:
    """Object ids with an address, by the display name as messages quote it, in lower case."""
    meant: dict[str, list[str]] = defaultdict(list)
    for object_id, name, address in sorted(set(people)):
        if name:
            described = f"{object_id} ({address})" if address else object_id
            meant[short_value(name).lower()].append(described)
    return meant


def _named_users(directory: Directory) -> Iterator[tuple[str, str, str]]:
    return ((user.id, user.display_name, user.upn) for user in directory.users.values())


def _named_recipients(directory: Directory) -> Iterator[tuple[str, str, str]]:
    """Recipients, and groups that are none."""
    for group in directory.groups.values():
        if group.id not in directory.recipients:
            yield group.id, group.display_name, ""
    for recipient in directory.recipients.values():
        yield recipient.id, recipient.display_name, recipient.primary
