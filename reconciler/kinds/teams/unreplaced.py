"""What steps take from somebody for good because others, which would have given it back, do not run.

A step may take an application from somebody whom the plan gives it by another way: a longer list, a
group's policy. If that other way is left out, so is the step. Memberships are not known here: it
counts if anybody could be in groups such that it happens.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from msgspec import Struct

from reconciler.kinds.teams import states
from reconciler.model.addresses import GLOBAL, teams_user_grant

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from reconciler.kinds.snapshots import Snapshot
    from reconciler.model.baselines import TeamsBaseline
    from reconciler.model.observed import GroupAssignment
    from reconciler.model.plans import Step

_POLICY = "teams.policy/"
_NOBODY: frozenset[str] = frozenset()


class _Grants(Struct, frozen=True):
    """Keys of the policy that users of a class hold directly (None: none): now, after all steps of
    the plan, and after those that run.
    """

    now: str | None
    planned: str | None
    end: str | None


class _Moment(Struct, frozen=True):
    """Lists of applications by policy, and group grants, strongest first.

    `places` are those of the groups; `any_way` and `every_way` the applications that somebody
    without a direct grant may have, and has whatever groups decide.
    """

    lists: Mapping[str, frozenset[str]]
    groups: tuple[GroupAssignment, ...]
    places: Mapping[str, int]
    any_way: frozenset[str]
    every_way: frozenset[str]

    @classmethod
    def of(cls, snapshot: Snapshot) -> _Moment:
        """Take a snapshot apart."""
        return cls._made({}, (), snapshot)

    def changed(self, entries: Snapshot) -> _Moment:
        """The same with some entries of a snapshot replaced."""
        return self._made(self.lists, self.groups, entries)

    @classmethod
    def _made(
        cls,
        former: Mapping[str, frozenset[str]],
        groups: tuple[GroupAssignment, ...],
        entries: Snapshot,
    ) -> _Moment:
        lists = dict(former)
        for name, value in entries.items():
            if name == states.GROUPS and isinstance(value, tuple):
                groups = value
            elif name.startswith(_POLICY) and isinstance(value, frozenset):
                lists[name.removeprefix(_POLICY)] = value
        fallen = [lists.get(key, _NOBODY) for key in (GLOBAL, *(row.policy for row in groups))]
        places = {row.group: place for place, row in enumerate(groups)}
        every = fallen[0].intersection(*fallen)
        return cls(lists, groups, places, fallen[0].union(*fallen), every)

    def having(self, policy: str | None) -> frozenset[str]:
        """What a holder of a policy may have; None: somebody without a direct grant."""
        return self.any_way if policy is None else self.lists.get(policy, _NOBODY)

    def surely(self, policy: str | None) -> frozenset[str]:
        """What such a holder has in any case."""
        return self.every_way if policy is None else self.lists.get(policy, _NOBODY)

    def deciding(self, application: str, *, has: bool) -> Iterator[str | None]:
        """Groups whose policy has an application, or has not; None stands for Global."""
        for row in self.groups:
            if (application in self.lists.get(row.policy, _NOBODY)) is has:
                yield row.group
        if (application in self.lists.get(GLOBAL, _NOBODY)) is has:
            yield None


def unreplaced(
    section: TeamsBaseline, done: Sequence[Step], kept: Sequence[Step], planned: Sequence[Step]
) -> frozenset[int]:
    """Find the steps that take an application from somebody for good whom the plan gives it.

    Args:
        section: The Teams part of the plan's baseline.
        done: Teams steps that are done.
        kept: Those that are to run after them.
        planned: All Teams steps of the plan.

    Returns: Ids, of `kept`.
    """
    snapshot = _after(states.starting_snapshot(section), done)
    end, goal = _after(snapshot, kept), _after(states.starting_snapshot(section), planned)
    if end == goal:
        return frozenset()
    names = [teams_user_grant(user) for user in section.users]
    classes = Counter(
        _Grants(_key(snapshot[name]), _key(goal[name]), _key(end[name])) for name in names
    )
    classes[_Grants(None, None, None)] += 1  # everybody whom no step and no direct grant names
    walk = _Walk(snapshot, classes, _Moment.of(goal), _Moment.of(end), goal, end)
    return frozenset(step.id for step in kept if walk.takes(step))


def _after(snapshot: Snapshot, steps: Sequence[Step]) -> Snapshot:
    after = dict(snapshot)
    for step in steps:
        after |= states.effect(after, step)
    return after


def _key(value: object) -> str | None:
    return value if isinstance(value, str) else None


class _Walk:
    """Follows the steps that are to run, user by class of users."""

    def __init__(
        self,
        snapshot: Snapshot,
        classes: Counter[_Grants],
        planned: _Moment,
        end: _Moment,
        goal_values: Snapshot,
        end_values: Snapshot,
    ) -> None:
        self._snapshot, self._classes = dict(snapshot), classes
        self._now, self._planned, self._end = _Moment.of(snapshot), planned, end
        self._goal_values, self._end_values = goal_values, end_values
        self._told: dict[tuple[_Grants, str | None], bool] = {}

    def takes(self, step: Step) -> bool:
        """Do a step; say whether it takes something for good that the plan gives."""
        changed = states.effect(self._snapshot, step)
        name = next(iter(changed))
        before = self._snapshot.get(name)
        self._snapshot |= changed
        if step.cmdlet.startswith("Grant-") and "Identity" in step.parameters:
            return self._moves(name, _key(before), _key(changed[name]))
        self._told.clear()
        earlier, self._now = self._now, self._now.changed(changed)
        return any(
            self._lost(grants, earlier, grants.now)
            for grants, many in self._classes.items()
            if many
        )

    def _moves(self, name: str, old: str | None, new: str | None) -> bool:
        planned, end = _key(self._goal_values[name]), _key(self._end_values[name])
        grants = _Grants(old, planned, end)
        self._classes[grants] -= 1
        self._classes[_Grants(new, planned, end)] += 1
        if (grants, new) not in self._told:
            self._told[grants, new] = self._lost(grants, self._now, new)
        return self._told[grants, new]

    def _lost(self, grants: _Grants, earlier: _Moment, holding: str | None) -> bool:
        """Whether somebody of a class had an application at an earlier moment, has it no more now
        that `holding` is the direct grant, is given it by the plan, and lacks it in the end.
        """
        asked = (
            (earlier, grants.now, True),
            (self._now, holding, False),
            (self._planned, grants.planned, True),
            (self._end, grants.end, False),
        )
        candidates = earlier.having(grants.now) & self._planned.having(grants.planned)
        candidates -= self._now.surely(holding) | self._end.surely(grants.end)
        return any(_somebody(asked, application) for application in candidates)


def _somebody(asked: Sequence[tuple[_Moment, str | None, bool]], application: str) -> bool:
    """Whether somebody with these direct grants can be in such groups that it has, or lacks, the
    application at each moment as asked.
    """
    falling: list[tuple[_Moment, bool]] = []
    for moment, policy, has in asked:
        if policy is None:
            falling.append((moment, has))
        elif (application in moment.having(policy)) is not has:
            return False
    return _extends(falling, application, ())


def _extends(
    falling: Sequence[tuple[_Moment, bool]], application: str, chosen: tuple[str | None, ...]
) -> bool:
    """Choose for each moment the group that decides; what was chosen may not contradict itself."""
    if len(chosen) == len(falling):
        return True
    moment, has = falling[len(chosen)]
    for group in moment.deciding(application, has=has):
        more = (*chosen, group)
        if _agree(falling, more) and _extends(falling, application, more):
            return True
    return False


def _agree(falling: Sequence[tuple[_Moment, bool]], chosen: Sequence[str | None]) -> bool:
    """No chosen group comes before the one that decides at a moment."""
    for (moment, _), deciding in zip(falling, chosen, strict=False):
        behind = len(moment.groups)
        limit = behind if deciding is None else moment.places[deciding]
        if any(moment.places.get(group, behind) < limit for group in chosen if group is not None):
            return False
    return True
