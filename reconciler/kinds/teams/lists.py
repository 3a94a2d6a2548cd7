"""The list of groups while its steps run: each group's position once some of them are done.

A group that is moved or granted again goes directly behind its nearest predecessor, in the final
order, among those that are in place already. So the list depends on which steps are done, not on
their order.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.kinds.teams.nodes import TeamsNodeKind
from reconciler.kinds.teams.ranks import unmoved

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reconciler.kinds.teams.nodes import TeamsNode
    from reconciler.kinds.teams.target import TeamsTarget
    from reconciler.model.observed import TeamsState

Row = tuple[str, str]
"""A group and the key of its policy."""


class GroupList:
    """The groups with the policies they hold, strongest first, for every set of steps that are
    done.
    """

    def __init__(
        self, observed: TeamsState, target: TeamsTarget, nodes: Sequence[TeamsNode]
    ) -> None:
        """Take the group steps from among the nodes of a component; a node is a bit by its place in
        them.
        """
        self._observed = [(assignment.group, assignment.policy) for assignment in observed.groups]
        self._final = [(assignment.group, assignment.policy) for assignment in target.groups]
        self._drops = {
            node.key: 1 << bit for bit, node in enumerate(nodes) if node.kind is TeamsNodeKind.DROP
        }
        self._grants = {
            node.key: 1 << bit
            for bit, node in enumerate(nodes)
            if node.kind is TeamsNodeKind.REGROUP
        }
        self.steps = sum(self._drops.values()) + sum(self._grants.values())
        before, granted = (
            dict(self._observed),
            {group for group, policy in self._final if dict(self._observed).get(group) != policy},
        )
        staying = unmoved(
            list(before), [group for group, _ in self._final], granted, target.declared
        )
        self._staying = staying - self._drops.keys()
        self._known: dict[int, tuple[Row, ...]] = {}

    @property
    def stepped(self) -> list[str]:
        """The groups that steps touch, sorted."""
        return sorted(self._drops.keys() | self._grants.keys())

    @property
    def others(self) -> list[str]:
        """The groups that no step touches, strongest first."""
        return [
            group
            for group, _ in self._observed
            if group not in self._drops and group not in self._grants
        ]

    def after(self, done: int) -> tuple[Row, ...]:
        """The list once these nodes are done."""
        done &= self.steps
        if done not in self._known:
            self._known[done] = tuple(self._after(done))
        return self._known[done]

    def rank(self, done: int, group: str) -> int:
        """The position, from 1, of a group once these nodes are done: what its grant
        names.
        """
        return [row[0] for row in self.after(done)].index(group) + 1

    def _after(self, done: int) -> list[Row]:
        final = dict(self._final)
        rows = [
            (group, final[group] if self._granted(group, done) else policy)
            for group, policy in self._standing(done)
        ]
        previous = None
        for group, policy in self._final:
            granted = self._granted(group, done)
            if granted and group not in self._staying:
                index = 0 if previous is None else [row[0] for row in rows].index(previous) + 1
                rows.insert(index, (group, policy))
            if granted or group in self._staying:
                previous = group
        return rows

    def _standing(self, done: int) -> Iterator[Row]:
        """The groups that have not left their place yet, or never do."""
        for group, policy in self._observed:
            left = done & self._drops.get(group, 0) or (
                self._granted(group, done) and group not in self._staying
            )
            if not left:
                yield group, policy

    def _granted(self, group: str, done: int) -> bool:
        return bool(done & self._grants.get(group, 0))
