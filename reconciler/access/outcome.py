"""The state that a target leads to, as if it had been read.

What was not changed is shared, not copied object by object.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.model.observed import ExchangePolicy, ExchangeState, TeamsState

if TYPE_CHECKING:
    from reconciler.kinds.exchange.target import Creation, ExchangeTarget
    from reconciler.kinds.teams.target import TeamsTarget
    from reconciler.model.observed import ExchangeKey


def teams(observed: TeamsState, target: TeamsTarget) -> TeamsState:
    """The Teams side after the target is reached."""
    users = dict(observed.users)
    for user, policy in target.users.items():
        if policy is None:
            users.pop(user, None)
        else:
            users[user] = policy
    spelled = {**observed.spelled, **{key: policy.name for key, policy in target.policies.items()}}
    return TeamsState(policies=target.policies, groups=target.groups, users=users, spelled=spelled)


def exchange(observed: ExchangeState, target: ExchangeTarget) -> ExchangeState:
    """The Exchange side after the target is reached.

    What only the service can tell of a new policy (sid, Identity) is empty.
    """
    kept = {key: policy for key, policy in observed.policies.items() if key not in target.removed}
    return ExchangeState(
        kept | {key: _created(key, creation) for key, creation in target.created.items()}
    )


def _created(key: ExchangeKey, creation: Creation) -> ExchangePolicy:
    description = creation.description or ""
    return ExchangePolicy(
        application=key[0],
        scope=key[1],
        sid="",
        right=creation.right,
        description=description,
        stored_description=description,
        identity="",
        scope_name=creation.scope_text,
    )
