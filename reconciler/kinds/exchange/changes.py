"""Target -> changes, one an object, for reviewers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.kinds.attributes import attribute_changes, object_change
from reconciler.model.addresses import exchange_policy
from reconciler.model.codes import ChangeReason
from reconciler.model.plans import Action, ObjectKind

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from reconciler.canonical import Json
    from reconciler.kinds.exchange.target import ExchangeTarget
    from reconciler.model.observed import ExchangeKey, ExchangeState
    from reconciler.model.plans import Change

POLICY = ObjectKind.EXCHANGE_POLICY


def changes(observed: ExchangeState, target: ExchangeTarget) -> Iterator[Change]:
    """All changes of the Exchange side, in no particular order.

    Replacing is two changes that name each other.
    """
    yield from (_created(target, key) for key in target.created.keys() - target.flipped)
    yield from (_removed(target, key) for key in target.removed.keys() - target.flipped)
    yield from (_flipped(target, key) for key in target.flipped)
    yield from (_described(observed, target, key) for key in target.described)


def _flipped(target: ExchangeTarget, key: ExchangeKey) -> Change:
    before, after = _before(target, key), _after(target, key)
    actions = (Action.DELETE, Action.CREATE)
    differing = tuple(
        attribute for attribute in attribute_changes(before, after) if attribute.name in before
    )
    return object_change(
        exchange_policy(*key), POLICY, actions, ChangeReason.RIGHT_CHANGED, before, after, differing
    )


def _described(observed: ExchangeState, target: ExchangeTarget, key: ExchangeKey) -> Change:
    present = observed.policies[key]
    before: Mapping[str, Json] = {
        "accessRight": present.right.value,
        "description": present.description,
    }
    after: Mapping[str, Json] = {**before, "description": target.described[key]}
    return object_change(
        exchange_policy(*key),
        POLICY,
        (Action.UPDATE,),
        ChangeReason.DIFFERS,
        before,
        after,
        attribute_changes(before, after),
    )


def _created(target: ExchangeTarget, key: ExchangeKey) -> Change:
    predecessor = target.replaced.get(key)
    reason = ChangeReason.DECLARED if predecessor is None else ChangeReason.SCOPE_CHANGED
    reason = ChangeReason.QUARANTINED if key in target.shut else reason
    replaces = None if predecessor is None else exchange_policy(*predecessor)
    return object_change(
        exchange_policy(*key),
        POLICY,
        (Action.CREATE,),
        reason,
        None,
        _after(target, key),
        replaces=replaces,
    )


def _removed(target: ExchangeTarget, key: ExchangeKey) -> Change:
    successor = next((new for new, old in target.replaced.items() if old == key), None)
    reason = target.why_removed[key] if successor is None else ChangeReason.SCOPE_CHANGED
    replaces = None if successor is None else exchange_policy(*successor)
    return object_change(
        exchange_policy(*key),
        POLICY,
        (Action.DELETE,),
        reason,
        _before(target, key),
        None,
        replaces=replaces,
    )


def _before(target: ExchangeTarget, key: ExchangeKey) -> Mapping[str, Json]:
    policy = target.removed[key]
    return {"accessRight": policy.right.value, "description": policy.description}


def _after(target: ExchangeTarget, key: ExchangeKey) -> Mapping[str, Json]:
    creation = target.created[key]
    return {
        "accessRight": creation.right.value,
        "description": creation.description or "",
        "scope": creation.scope_text,
    }
