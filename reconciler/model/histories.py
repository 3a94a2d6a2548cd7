"""What journals say of a plan: what was done of it, and what was applied after it."""

from __future__ import annotations

from msgspec import Struct


class LaterPlan(Struct, frozen=True, order=True):
    """A plan of which steps were run after another one's.

    Attributes:
        digest: As it is written for people.
        addresses: What its steps changed, in lower case; None if its journal does not say.
    """

    digest: str
    addresses: frozenset[str] | None = None


class PlanHistory(Struct, frozen=True):
    """What was done of a plan.

    Attributes:
        done: Ids of its steps that are done.
        uncertain: The step that may or may not have happened; None if there is none.
        later: Other plans of which steps were run afterwards.
    """

    done: frozenset[int]
    uncertain: int | None = None
    later: tuple[LaterPlan, ...] = ()
