"""Which Exchange policies decide, for those of whom a plan tells: a Deny before a Restrict, and
where an application has neither, those of every application.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from reconciler.model.access_rows import SubjectKind
from reconciler.model.addresses import EVERY_APPLICATION, ExchangePolicyAddress, parse_address
from reconciler.model.baselines import stored_policies
from reconciler.reports.review.deciding import either
from reconciler.reports.wrapping import enumerated_names

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from reconciler.canonical import Json
    from reconciler.model.plans import Change, Plan
    from reconciler.reports.review.naming import Naming
    from reconciler.reports.review.value import Phrase

_DENY, _RESTRICT = "DenyAccess", "RestrictAccess"
_MOST_SCOPES = 4
"""Scopes that one rule names before it counts the others."""


class ExchangeRules:
    """The rules of Exchange, before a plan and after it."""

    def __init__(self, plan: Plan, naming: Naming) -> None:
        self._naming = naming
        # by moment: application -> scope -> right
        self._moments: tuple[dict[str, dict[str, str]], ...] = (
            defaultdict(dict),
            defaultdict(dict),
        )
        self._told: set[str] = set()
        for application, rows in stored_policies(plan.baseline.of_exchange() or {}).items():
            self._told.add(application.lower())
            for moment in self._moments:
                moment[application.lower()] |= {row.scope.lower(): row.access_right for row in rows}
        for change in plan.changes:
            self._read(change)

    def _read(self, change: Change) -> None:
        policy = parse_address(change.address)
        if not isinstance(policy, ExchangePolicyAddress):
            return
        for moment, side in zip(self._moments, (change.before, change.after), strict=True):
            own = moment[policy.application.lower()]
            own.pop(policy.scope.lower(), None)
            own |= {policy.scope.lower(): right for right in _rights(side)}

    def deciding(
        self, application: str, who: tuple[SubjectKind, str], *, after: bool, reached: bool
    ) -> Phrase:
        """What decides it; see `Rules`."""
        moment = self._moments[after]
        own = moment.get(application.lower(), {})
        if not own:
            return self._without_own(application, moment, who, reached=reached)
        return self._of_policies(own, who[1].lower(), reached=reached)

    def _without_own(
        self,
        application: str,
        moment: Mapping[str, dict[str, str]],
        who: tuple[SubjectKind, str],
        *,
        reached: bool,
    ) -> Phrase:
        every = moment.get(EVERY_APPLICATION, {})
        if application != EVERY_APPLICATION and every:
            rule = self._of_policies(every, who[1].lower(), reached=reached)
            return ("of every application: ", *rule)
        return (
            ("no policy",) if reached or application in self._told else ("the plan does not say",)
        )

    def _of_policies(self, own: Mapping[str, str], subject: str, *, reached: bool) -> Phrase:
        denies, restricts = (
            [scope for scope, right in own.items() if right == wanted]
            for wanted in (_DENY, _RESTRICT)
        )
        if reached:
            if not restricts:
                return ("no Restrict, and no Deny that covers them",)
            return self._scopes("Restrict on ", [subject] if subject in restricts else restricts)
        if subject in denies:
            return self._scopes("Deny on ", [subject])
        rules: list[Phrase] = []
        if denies:
            rules.append(self._scopes("Deny on ", denies))
        if restricts and subject not in restricts:
            rules.append(self._scopes("outside of Restrict on ", restricts))
        return either(rules) if rules else self._scopes("Restrict on ", restricts)

    def _scopes(self, right: str, scopes: Iterable[str]) -> Phrase:
        return (right, *enumerated_names(sorted(map(self._naming.group, scopes)), _MOST_SCOPES))

    def kept(self, who: tuple[SubjectKind, str], applications: frozenset[str]) -> Iterable[str]:
        """What a Restrict on the very group gives on both sides, where nothing is denied; see
        `Rules`.
        """
        kind, scope = who
        if kind is not SubjectKind.GROUP_MEMBERS:
            return frozenset()
        return [name for name in applications if self._keeps(name, scope.lower())]

    def _keeps(self, application: str, scope: str) -> bool:
        sides = [moment.get(application, {}) for moment in self._moments]
        return all(side.get(scope) == _RESTRICT and _DENY not in side.values() for side in sides)


def _rights(side: Mapping[str, Json] | None) -> Iterator[str]:
    right = (side or {}).get("accessRight")
    if isinstance(right, str):
        yield right
