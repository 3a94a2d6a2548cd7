"""The Teams objects that a typed text may mean."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.model.addresses import (
    teams_application,
    teams_group_grant,
    teams_policy,
    teams_user_grant,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.kinds.typed_names import NamedObjects
    from reconciler.model.addresses import Address
    from reconciler.model.observed import TeamsState

_APPLICATION, _USER, _GROUP = teams_application(""), teams_user_grant(""), teams_group_grant("")


def meanings(text: str, objects: NamedObjects, state: TeamsState | None) -> Iterator[Address]:
    """The addresses that a text may mean: an address with a name in it, or a name alone."""
    kind = next((kind for kind in (_APPLICATION, _USER, _GROUP) if _begins(text, kind)), "")
    name = text[len(kind) :]
    if kind in ("", _APPLICATION):
        yield from map(teams_application, objects.applications(name))
    if kind in ("", _USER):
        yield from map(teams_user_grant, objects.users(name))
    if kind in ("", _GROUP):
        yield from map(teams_group_grant, {*objects.recipients(name), *_labelled(name, objects)})
    if not kind:
        yield from map(teams_policy, _policies(name.casefold(), objects, state))


def _begins(text: str, kind: str) -> bool:
    return text.lower().startswith(kind)


def _labelled(name: str, objects: NamedObjects) -> Iterator[str]:
    """Groups to which the documents give a label."""
    for document in objects.documents.teams:
        for grant in document.groups or ():
            if grant.label and grant.label.casefold() == name.casefold():
                yield from objects.recipients(grant.group)


def _policies(name: str, objects: NamedObjects, state: TeamsState | None) -> set[str]:
    """A policy as the tenant spells it, else as its document does."""
    names = [policy.name for policy in state.policies.values()] if state is not None else []
    names += [document.name for document in objects.documents.teams]
    spelled = [spelling for spelling in names if spelling.casefold() == name]
    return {*spelled[:1]}
