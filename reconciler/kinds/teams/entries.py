"""Applications in a list that are chosen, or left out, by themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from reconciler.kinds.teams import quarantine
from reconciler.model.addresses import teams_application
from reconciler.model.codes import Held

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from reconciler.model.addresses import Address
    from reconciler.model.observed import TeamsPolicy


class ListEntries(Struct, frozen=True):
    """What of a list goes its own way.

    Attributes:
        quarantined: Applications that shall be in no list.
        holding: Why an address is held at its observed value, None if it is not.
    """

    quarantined: frozenset[str]
    holding: Callable[[Address], Held | None]

    def kept(self, present: TeamsPolicy | None, now: TeamsPolicy) -> TeamsPolicy:
        """A declared policy that has of some applications what the tenant has: of those that --skip
        names, and of those that shall be in no list, which are taken out by themselves.
        """
        before = {} if present is None else present.applications
        apart = {
            each
            for each in before.keys() ^ now.applications.keys()
            if each in self.quarantined or self._is_skipped(each)
        }
        return _with_entries(now, apart, before) if apart else now

    def chosen(self, address: Address, present: TeamsPolicy, now: TeamsPolicy) -> TeamsPolicy:
        """A policy that --only does not name, with what it says of applications that --only names."""
        if self.holding(address) is not Held.NOT_SELECTED:
            return present
        named = {
            each
            for each in present.applications.keys() ^ now.applications.keys()
            if self.holding(teams_application(each)) is None
        }
        return _with_entries(present, named, now.applications) if named else present

    def shut_out(
        self, policies: Mapping[str, TeamsPolicy], keys: Collection[str]
    ) -> dict[str, TeamsPolicy]:
        """Those of some policies (by key) that lose what shall be in no list, as they shall be."""
        if not self.quarantined:
            return {}
        return quarantine.without(policies, keys, self.quarantined, self.holding)

    def forbid_copy(self, source: TeamsPolicy, everyone: TeamsPolicy) -> bool:
        """Whether a copy of a policy's list would put into Global what shall be in no list, or change
        there what is left alone.
        """
        listed = source.applications.keys()
        return bool(listed & self.quarantined) or any(
            map(self._is_skipped, listed ^ everyone.applications.keys())
        )

    def _is_skipped(self, application: str) -> bool:
        return self.holding(teams_application(application)) is Held.SKIPPED


def _with_entries(
    policy: TeamsPolicy, entries: Collection[str], source: Mapping[str, str]
) -> TeamsPolicy:
    """A policy that has some applications as another list has them, or has not."""
    others = {each: stored for each, stored in policy.applications.items() if each not in entries}
    taken = {each: source[each] for each in entries if each in source}
    return replace(policy, applications=dict(sorted({**others, **taken}.items())))
