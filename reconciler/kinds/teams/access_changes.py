"""What a plan does to access on the Teams side, and the state that it leads to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from reconciler.kinds.teams import access_delta
from reconciler.kinds.teams.effective_policy import policy_address
from reconciler.kinds.teams.target import state_reached
from reconciler.model.addresses import teams_group_grant
from reconciler.model.codes import WarningCode
from reconciler.model.plans import Note

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.audiences.subjects import Delta
    from reconciler.kinds.teams.access_delta import Transition
    from reconciler.kinds.teams.target import TeamsTarget
    from reconciler.model.observed import Directory, TeamsState


class AccessChanges(Struct, frozen=True):
    """The state that is reached, who gains and loses, and a warning for each grant that takes
    applications away.
    """

    outcome: TeamsState
    delta: Delta
    warnings: tuple[Note, ...]


def access_changes(
    observed: TeamsState, target: TeamsTarget, directory: Directory
) -> AccessChanges:
    """Compare the observed state with the one that the target leads to."""
    after = state_reached(observed, target)
    transition = access_delta.transition(observed, after, directory, target.users)
    delta = access_delta.delta(transition)
    return AccessChanges(after, delta, tuple(_reduced(transition)))


def _reduced(transition: Transition) -> Iterator[Note]:
    """A policy is selected, not added: a grant can take applications away from its holder."""
    users, groups = access_delta.reduced(transition)
    for policy, losing in sorted(users.items()):
        yield Note(
            WarningCode.REDUCES_APPLICATIONS,
            policy_address(transition.after, policy),
            {"users": losing},
        )
    for group, applications in sorted(groups.items()):
        yield Note(
            WarningCode.REDUCES_APPLICATIONS,
            teams_group_grant(group),
            {"applications": applications},
        )
