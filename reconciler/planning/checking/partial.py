"""What a plan of a part of the documents lets applications reach that they reach neither in the
tenant nor after the whole plan, and what makes the difference.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from msgspec import Struct

from reconciler.model.addresses import (
    TEAMS_TENANT_GRANT,
    exchange_application,
    teams_group_grant,
    teams_policy,
    teams_user_grant,
)
from reconciler.planning.checking import exchange, teams
from reconciler.planning.checking.exchange_steps import EVERY, ExchangeModel
from reconciler.planning.checking.teams_steps import EVERYONE, TeamsModel

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from reconciler.model.addresses import Address
    from reconciler.model.baselines import ExchangeBaseline, TeamsBaseline
    from reconciler.planning.checking.verdicts import Holders, Subject


class Beyond(Struct, frozen=True):
    """An application that a part of a plan lets reach somebody whom it reaches neither before it nor
    after the whole plan.

    Attributes:
        application: Lower-case client id; `*` stands for one without policies of its own.
        subject: Whom it reaches; None if that cannot be judged.
        held: Addresses of what the part leaves as it is and what makes the difference.
        changed: Addresses of what the part changes and what makes the difference.
    """

    application: str
    subject: Subject | None
    held: tuple[Address, ...] = ()
    changed: tuple[Address, ...] = ()


def beyond_exchange(
    sections: Sequence[ExchangeBaseline],
) -> Iterator[Beyond]:
    """Mailboxes; the sections name the same applications.

    Args:
        sections: the tenant, what the part leads to, and what the whole plan leads to.

    Raises:
        Unfollowable: a section cannot be read.
    """
    before, now, after = map(ExchangeModel.read, sections)
    for application, subject in exchange.beyond(*sections):
        bearing = sorted({application, EVERY})
        left, changed = (
            tuple(
                exchange_application(name)
                for name in bearing
                if now.own.get(name) != other.own.get(name)
            )
            for other in (after, before)
        )
        yield Beyond(application, subject, left, changed)


def beyond_teams(
    sections: Sequence[TeamsBaseline],
) -> Iterator[Beyond]:
    """Users; the sections name the same policies and users.

    Args:
        sections: the tenant, what the part leads to, and what the whole plan leads to.

    Raises:
        Unfollowable: a section cannot be read.
    """
    comparing = None
    for application, holders in teams.beyond(*sections):
        comparing = comparing or _Comparing(*sections)
        yield Beyond(application, holders, *comparing.differences(holders))


class _Comparing:
    """What makes the difference for a class of users: their own grants, else the list of the policy
    that they have, else the groups.
    """

    def __init__(self, before: TeamsBaseline, now: TeamsBaseline, after: TeamsBaseline) -> None:
        self._before, self._now, self._after = map(TeamsModel.read, (before, now, after))
        self._names = {
            key: policy.identity
            for section in (after, now, before)
            for key, policy in section.policies.items()
            if policy is not None
        }
        self._classes: dict[tuple[str | None, ...], list[str]] = defaultdict(list)
        for user, policy in self._now.users.items():
            ends = self._before.users[user], policy, self._after.users[user]
            self._classes[ends].append(user)

    def differences(self, holders: Holders) -> tuple[tuple[Address, ...], tuple[Address, ...]]:
        """What is held, and what is changed."""
        return (
            tuple(self._differing(holders, self._after, holders.after)),
            tuple(self._differing(holders, self._before, holders.before)),
        )

    def _differing(
        self, holders: Holders, other: TeamsModel, grant: str | None
    ) -> Iterator[Address]:
        key = self._effective(holders)
        if holders.now != grant:
            users = self._classes[holders.before, holders.now, holders.after]
            yield from map(teams_user_grant, users)
        elif self._now.reach(key) != other.reach(key):
            yield teams_policy(self._names.get(key, key))
            if key == EVERYONE:
                yield TEAMS_TENANT_GRANT
        else:
            yield from map(teams_group_grant, _moved(self._now.groups, other.groups))

    def _effective(self, holders: Holders) -> str:
        """The policy that they have now."""
        if holders.now is not None:
            return holders.now
        own = (policy for group, policy in self._now.groups if group in holders.groups)
        return next(own, EVERYONE)


def _moved(here: Sequence[tuple[str, str]], there: Sequence[tuple[str, str]]) -> Iterable[str]:
    """Groups whose policy differs, or whose place among the groups of both lists does."""
    granted = {group for group, _ in set(here) ^ set(there)}
    both = {group for group, _ in here} & {group for group, _ in there}
    orders = [[group for group, _ in rows if group in both] for rows in (here, there)]
    placed = {group for pair in zip(*orders, strict=True) if pair[0] != pair[1] for group in pair}
    return sorted(granted | placed)
