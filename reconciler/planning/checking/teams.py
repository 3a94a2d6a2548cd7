"""Teams: for every prefix of the steps, whom applications reach that they reach neither before nor
after.

Users are judged by class, never one by one: users without any difference are those with the same
direct grant before, now and after. Only what a step *adds* can be new: who was safe after the step
before it and reaches no more now is safe still. So a step costs what it adds, for the classes that
it adds it to; a plan costs what its steps touch.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from itertools import chain
from typing import TYPE_CHECKING, assert_never

from reconciler.model.observed import is_opaque
from reconciler.planning.checking.memberships import moment, out_of_reach
from reconciler.planning.checking.teams_steps import (
    EVERYONE,
    GrantMoved,
    ListChanged,
    RanksChanged,
    TeamsModel,
)
from reconciler.planning.checking.verdicts import Holders, Unfollowable, Violation, ViolationKind

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from reconciler.model.baselines import TeamsBaseline
    from reconciler.model.plans import Step
    from reconciler.planning.checking.memberships import GroupOrder
    from reconciler.planning.checking.teams_steps import Effect

    Ends = tuple[str | None, str | None]
    """The direct grant before and after: what it is in between is the key beside it."""


_STUCK = (Unfollowable, KeyError, TypeError, AttributeError)


def begun(
    section: TeamsBaseline,
    toward: Sequence[Step],
    opaque: Collection[str] = (),
    shut_out: frozenset[str] = frozenset(),
) -> TeamsJudging | Violation | None:
    """Begin to follow Teams steps from the plan's baseline.

    Args:
        section: the Teams part of the plan's baseline.
        toward: Teams steps that lead to the end with which access is compared.
        opaque: addresses that are held because the order of the groups, or the name of a policy, is
            not understood.
        shut_out: applications that shall reach nobody: what counts is whom they reached before.

    Returns: What is wrong with the first of these steps that cannot be done, if there is one; None
    if there are none and the baseline cannot be read.
    """
    step = None
    try:
        before = TeamsModel.read(section, opaque)
        after = before.copy()
        for step in toward:
            after.run(step)
    except _STUCK as fault:
        stuck = step or next(iter(toward), None)
        return None if stuck is None else _stuck(stuck, fault)
    return TeamsJudging(before.copy(), before, after, shut_out)


def _stuck(step: Step, fault: Exception) -> Violation:
    why = fault.why if isinstance(fault, Unfollowable) else ViolationKind.UNKNOWN
    return Violation("teams", step.id, step.address, why)


def beyond(
    before: TeamsBaseline, now: TeamsBaseline, after: TeamsBaseline
) -> Iterator[tuple[str, Holders]]:
    """Whom applications reach in a state that they reach neither in another nor in a third one.

    Args:
        before: a reading of the tenant; all three name the same policies and users.
        now: where a part of a plan leads to.
        after: where the whole plan leads to.
    """
    models = TeamsModel.read(before), TeamsModel.read(now), TeamsModel.read(after)
    yield from TeamsJudging(*models).standing()


def _exposure(step: Step, application: str, holders: Holders) -> Violation:
    if is_opaque(application):
        return Violation("teams", step.id, step.address, ViolationKind.OPAQUE)
    return Violation("teams", step.id, step.address, ViolationKind.EXPOSED, application, holders)


class TeamsJudging:
    """One pass over steps.

    `classes` has the classes of users that there are now, by their grant of this moment.
    """

    def __init__(
        self,
        before: TeamsModel,
        now: TeamsModel,
        after: TeamsModel,
        shut_out: frozenset[str] = frozenset(),
    ) -> None:
        self._shut_out = shut_out
        self._before, self._now, self._after = before, now, after
        self._moments = moment(before, EVERYONE), moment(after, EVERYONE)
        self._groups = frozenset(group for each in (before, now, after) for group, _ in each.groups)
        self._classes: dict[str | None, Counter[Ends]] = defaultdict(Counter)
        self._classes[None][None, None] = 1  # everybody whom no step and no direct grant names
        self._unidentified = before.unidentified
        for user, policy in now.users.items():
            ends = before.users[user], after.users[user]
            self._classes[policy][ends] += 1
            for other, key in self._others(ends, policy) if self._unidentified else ():
                self._classes[key][other] += 1
        self._known: set[tuple[str, Holders]] = set()
        self._anywhere: dict[tuple[str, bool, bool], tuple[str, ...] | None] = {}

    def after(self, step: Step) -> Iterator[Violation]:
        """Do one step and name whom it exposes, each pair once in a plan."""
        try:
            effect = self._now.run(step)
        except _STUCK as fault:
            yield _stuck(step, fault)
            return
        for application, holders in self._exposed(effect):
            if (application, holders) not in self._known:
                self._known.add((application, holders))
                yield _exposure(step, application, holders)

    def standing(self) -> Iterator[tuple[str, Holders]]:
        """Name whom applications reach in the current state."""
        exposed = (self._by_list(key, self._now.reach(key)) for key in sorted(self._now.policies))
        yield from dict.fromkeys(chain.from_iterable(exposed))

    def admits(self, step: Step) -> bool:
        """Do one step if it is possible and exposes nobody."""
        undo = self._now.undoing(step)
        try:
            effect = self._now.run(step)
        except _STUCK:
            return False
        if next(self._exposed(effect), None) is None:
            return True
        undo()
        if isinstance(effect, GrantMoved):
            ends = self._before.users[effect.user], self._after.users[effect.user]
            self._recount(ends, effect.after, effect.before)
            for other, key in self._others(ends, effect.before):
                self._recount(other, effect.after, key)
        return False

    def _others(self, ends: Ends, now: str | None) -> Iterator[tuple[Ends, str | None]]:
        """The classes that a user without a direct grant before may be of too: of those who hold what
        has no known holder; with the grant at a moment, which is `now` otherwise.
        """
        if ends[0] is None:
            yield from (((key, ends[1]), now or key) for key in self._unidentified)

    def _recount(self, ends: Ends, before: str | None, after: str | None) -> None:
        """Count a user of this class under the policy held now."""
        self._classes[before][ends] -= 1
        if not self._classes[before][ends]:
            del self._classes[before][ends]
        self._classes[after][ends] += 1

    def _exposed(self, effect: Effect) -> Iterator[tuple[str, Holders]]:
        match effect:
            case ListChanged(key, gained):
                yield from self._by_list(key, gained)
            case GrantMoved(user, before, after):
                yield from self._by_move(user, before, after)
            case RanksChanged(place):
                for index in range(place, len(self._now.groups)):
                    yield from self._falling(index, self._now.reach(self._now.groups[index][1]))
                yield from self._falling(None, self._now.reach(EVERYONE))
            case _:
                assert_never(effect)

    def _by_list(self, key: str, gained: frozenset[str]) -> Iterator[tuple[str, Holders]]:
        if not gained:
            return
        if key == EVERYONE:
            yield from self._falling(None, gained)
            return
        classes = set(self._classes[key])
        if self._now.others.get(key, True):
            classes.add((key, key))
        for ends in sorted(classes, key=str):
            yield from self._holding(key, ends, gained)
        for index, (_, policy) in enumerate(self._now.groups):
            if policy == key:
                yield from self._falling(index, gained)

    def _by_move(
        self, user: str, before: str | None, after: str | None
    ) -> Iterator[tuple[str, Holders]]:
        ends = self._before.users[user], self._after.users[user]
        self._recount(ends, before, after)
        moved = [ends]
        for other, key in self._others(ends, before) if self._unidentified else ():
            self._recount(other, key, after)
            moved.append(other)
        for each in moved:
            if self._classes[after][each] > 1:
                continue  # the class was there, and is judged whenever something is added to it
            if after is not None:
                yield from self._holding(after, each, self._now.reach(after))
                continue
            for index, (_, policy) in enumerate(self._now.groups):
                yield from self._falling(index, self._now.reach(policy), each)
            yield from self._falling(None, self._now.reach(EVERYONE), each)

    def _holding(
        self, key: str, ends: Ends, applications: frozenset[str]
    ) -> Iterator[tuple[str, Holders]]:
        """Users of one class who hold a policy directly: whatever their groups are, they have its
        list.
        """
        for application in sorted(self._new_to(ends, applications)):
            asked = (application, ends[0] is None, ends[1] is None)
            if asked not in self._anywhere:
                self._anywhere[asked] = out_of_reach(
                    application, self._groups, self._open(ends, application)
                )
            groups = self._anywhere[asked]
            if groups is not None:
                yield application, Holders(ends[0], key, ends[1], groups)

    def _falling(
        self, place: int | None, applications: frozenset[str], ends: Ends | None = None
    ) -> Iterator[tuple[str, Holders]]:
        """Users without a direct grant now whose first group is at this place (None: who are in
        no group that has a grant).

        `ends`: of one class only; else of all that there are.
        """
        ahead = {group for group, _ in self._now.groups[:place]}
        group = None if place is None else self._now.groups[place][0]
        pool = (self._groups - ahead) | ({group} if group is not None else set())
        ways_out: dict[tuple[str, bool, bool], tuple[str, ...] | None] = {}
        for ends_of_class in sorted(self._classes[None], key=str) if ends is None else (ends,):
            for application in sorted(self._new_to(ends_of_class, applications)):
                asked = (application, ends_of_class[0] is None, ends_of_class[1] is None)
                if asked not in ways_out:
                    ways_out[asked] = out_of_reach(
                        application, pool, self._open(ends_of_class, application), group
                    )
                if (groups := ways_out[asked]) is not None:
                    yield application, Holders(ends_of_class[0], None, ends_of_class[1], groups)

    def _new_to(self, ends: Ends, applications: frozenset[str]) -> frozenset[str]:
        """The applications that the class does not have by a direct grant, before or after; what is
        not understood, or shall reach nobody, it must have had before.
        """
        before, after = ends
        if before is not None:
            applications -= self._before.reach(before)
        had = self._after.reach(after) if after is not None else frozenset()
        return applications - {each for each in had if not self._must_have_been(each)}

    def _must_have_been(self, application: str) -> bool:
        """Whether nobody may gain an application, whatever the plan leads to."""
        return is_opaque(application) or application in self._shut_out

    def _open(self, ends: Ends, application: str) -> list[GroupOrder]:
        """The moments, of before and after, at which the class has no direct grant: its groups
        decide. Where nobody may gain it, only before counts.
        """
        counting = 1 if self._must_have_been(application) else len(ends)
        moments = zip(self._moments[:counting], ends[:counting], strict=True)
        return [each for each, policy in moments if policy is None]
