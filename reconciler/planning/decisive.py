"""Edits of documents that decide what a plan may do and what is checked: limits, consents, client
ids, access tests. A reviewer who misses one has approved everything that it lets through.
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any, cast

from msgspec import to_builtins

from reconciler.kinds.facts import facts
from reconciler.model.documents import Limits, UnknownGroups
from reconciler.model.since import DecisiveEdit, Weight

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from reconciler.canonical import Json
    from reconciler.model.documents import (
        ApplicationDocument,
        Documents,
        Expectation,
        TenantDocument,
    )
    from reconciler.model.observed import Directory

TENANT = "Tenant"
_LIMITS = {
    "max_deletes": "limits.policies.maxDeletes",
    "max_delete_percent": "limits.policies.maxDeletePercent",
    "max_removals": "limits.grants.maxRemovals",
    "max_removal_percent": "limits.grants.maxRemovalPercent",
    "max_people": "limits.widening.maxPeople",
    "unknown_groups": "limits.widening.unknownGroups",
}
_SETTINGS = {
    "tenant_id": "tenantId",
    "guard_scope": "exchange.guardScope",
    "refuses_absent_users": "unresolved.users",
    "application": "appId",
}
"""Settings as documents spell them, by the fields of `model.documents` that are called otherwise."""
_UNWEIGHED = frozenset({"name", "position", "limits"})
_OPENING = frozenset({"consents", "accepted"})
"""Lists that every entry makes laxer."""
_DECIDES_NOTHING = frozenset({"permissions"})


def decisive_edits(
    base: Documents, documents: Documents, directory: Directory
) -> Iterator[DecisiveEdit]:
    """What of the Tenant document, the applications and the access tests was edited.

    Args:
        base: the documents of the base.
        documents: those of now.
        directory: shows which names are of one subject.
    """
    yield from _of_tenant(base.tenant, documents.tenant)
    yield from _of_applications(base.applications, documents.applications)
    yield from _of_tests(base, documents, directory)


def _of_tenant(
    base: TenantDocument | None, tenant: TenantDocument | None
) -> Iterator[DecisiveEdit]:
    yield from _of_limits(
        Limits() if base is None else base.limits, Limits() if tenant is None else tenant.limits
    )
    before, after = _values(base), _values(tenant)
    for name in sorted(before.keys() | after.keys()):
        yield from _of_setting(TENANT, name, before.get(name), after.get(name))


def _of_limits(base: Limits, limits: Limits) -> Iterator[DecisiveEdit]:
    for field, setting in _LIMITS.items():
        before, after = getattr(base, field), getattr(limits, field)
        if before != after:
            laxer = after is UnknownGroups.NAME or (isinstance(after, int) and after > before)
            weight = Weight.WEAKENS if laxer else Weight.STRENGTHENS
            yield DecisiveEdit(TENANT, setting, _json(before), _json(after), weight)


def _of_setting(about: str, field: str, before: Any, after: Any) -> Iterator[DecisiveEdit]:
    if isinstance(before, tuple) or isinstance(after, tuple):
        yield from _of_list(about, field, before or (), after or ())
    elif before != after:
        weight = _weight_of(before, after)
        if field == "refuses_absent_users":
            before, after = ("refuse" if value else "warn" for value in (before, after))
        yield DecisiveEdit(about, _setting(field), before, after, weight)


def _weight_of(before: Any, after: Any) -> Weight:
    """What is true protects somebody: a quarantine, a refusal."""
    if before is True and not after:
        return Weight.WEAKENS
    return Weight.STRENGTHENS if after is True else Weight.CHANGES


def _of_list(
    about: str, field: str, before: Collection[Json], after: Collection[Json]
) -> Iterator[DecisiveEdit]:
    opens = field in _OPENING
    for entry in after:
        if entry not in before:
            weight = Weight.WEAKENS if opens else Weight.CHANGES
            yield DecisiveEdit(about, _setting(field), None, entry, weight)
    for entry in before:
        if entry not in after:
            weight = Weight.STRENGTHENS if opens else Weight.CHANGES
            yield DecisiveEdit(about, _setting(field), entry, None, weight)


def _of_applications(
    base: Iterable[ApplicationDocument], applications: Iterable[ApplicationDocument]
) -> Iterator[DecisiveEdit]:
    """Of an application that goes, only what protected somebody: its name protects nobody."""
    declared = {document.name: document for document in applications}
    for document in base:
        before, after = _values(document), _values(declared.get(document.name))
        for field in sorted(before.keys() - _DECIDES_NOTHING):
            if after or before[field] is True:
                about = f"Application/{document.name}"
                yield from _of_setting(about, field, before[field], after.get(field))
    names = {document.name: document for document in base}
    for document in declared.values():
        for field, value in _values(document).items():
            if document.name not in names and value is True:
                yield from _of_setting(f"Application/{document.name}", field, None, value)


def _of_tests(
    base: Documents, documents: Documents, directory: Directory
) -> Iterator[DecisiveEdit]:
    """Expectations that nobody states any more, wherever they were stated."""
    stated = {
        _subject(expectation, directory): expectation
        for expectation in chain.from_iterable(test.expectations for test in documents.tests)
    }
    for test in base.tests:
        for expectation in test.expectations:
            now = stated.get(_subject(expectation, directory))
            if now is None or now.access is not expectation.access:
                after = None if now is None else _expected(now)
                about = f"AccessTest/{test.name}"
                yield DecisiveEdit(about, "expect", _expected(expectation), after, Weight.WEAKENS)


def _subject(expectation: Expectation, directory: Directory) -> tuple[str, str, str]:
    name = expectation.subject.text.lower()
    subject = directory.users_by_upn.get(name) or directory.recipients_by_address.get(name) or name
    return expectation.application, expectation.product, subject


def _expected(expectation: Expectation) -> Mapping[str, Json]:
    key = facts(expectation.product).subject_key or "subject"
    return {
        "access": expectation.access.value,
        "application": expectation.application,
        key: expectation.subject.text,
    }


def _values(document: TenantDocument | ApplicationDocument | None) -> Mapping[str, Any]:
    """What a document says, by field; nothing if there is none."""
    if document is None:
        return {}
    return {
        field: _json(getattr(document, field))
        for field in document.__struct_fields__
        if field not in _UNWEIGHED
    }


def _json(value: object) -> Json:
    """A value without the places where it is written: moving a line is not an edit."""
    return cast("Json", _without_places(to_builtins(value)))


def _without_places(value: Any) -> Any:
    match value:
        case dict():
            return {key: _without_places(value[key]) for key in value.keys() - {"position"}}
        case tuple() | list():
            return tuple(_without_places(entry) for entry in value)
        case _:
            return value


def _setting(field: str) -> str:
    """`guard_scope` as documents spell it."""
    first, *others = field.split("_")
    return _SETTINGS.get(field, "".join((first, *(word.capitalize() for word in others))))
