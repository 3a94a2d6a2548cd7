"""What changes, as blocks of a review: a policy with its grants, what widens access first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import TYPE_CHECKING

from msgspec.structs import replace

from reconciler.kinds.facts import in_turn
from reconciler.model import figures
from reconciler.model.access_rows import SubjectKind
from reconciler.model.addresses import (
    TEAMS_TENANT_GRANT,
    Address,
    ExchangePolicyAddress,
    name_key,
    parse_address,
    provider_of,
)
from reconciler.model.plans import Action, AttributeChange
from reconciler.reports import sentences, values
from reconciler.reports.review.effects import Effects, applications_of, joined
from reconciler.reports.review.naming import readable
from reconciler.reports.review.value import (
    Attribute,
    ChangeOutcome,
    Effect,
    GrantLine,
    Name,
    NameKind,
    Phrase,
    PolicyBlock,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from reconciler.canonical import Json
    from reconciler.model.findings import Position
    from reconciler.model.plans import Change, Plan
    from reconciler.reports.review.naming import Naming

_OUTCOMES: Mapping[tuple[Action, ...], ChangeOutcome] = {
    (Action.CREATE,): ChangeOutcome.ADDED,
    (Action.UPDATE,): ChangeOutcome.CHANGED,
    (Action.DELETE,): ChangeOutcome.REMOVED,
}
_BY_DANGER = (Effect.WIDENS, Effect.MOVES, Effect.UNKNOWN, Effect.NARROWS, Effect.NONE)
_BY_CAUSE = ("edited", "edited or drifted", "drifted", "")
_GRANT_ORDER = (ChangeOutcome.REMOVED, ChangeOutcome.CHANGED, ChangeOutcome.ADDED)
_BOTH = frozenset((True, False))
_RIGHTS = {"DenyAccess": "Deny", "RestrictAccess": "Restrict"}
_IN_TITLE = frozenset(("accessRight", "scope"))


def policy_blocks(
    plan: Plan,
    naming: Naming,
    places: Mapping[str, Position],
    came_by: Mapping[str, str] | None = None,
) -> tuple[PolicyBlock, ...]:
    """All blocks of a plan, by product.

    `came_by`: whether objects were edited or drifted, in words, by address.
    """
    composed = _Blocks(plan, naming, places, came_by or {})
    blocks = (*composed.exchange(), *composed.teams(), *composed.others())
    return tuple(
        sorted(
            [replace(block, came_by=composed.came_by(block.address)) for block in blocks],
            key=lambda block: (
                in_turn().index(block.provider),
                _BY_DANGER.index(block.effect),
                tuple(piece if isinstance(piece, str) else piece.text for piece in block.title),
                block.address,
            ),
        )
    )


class _Blocks:
    def __init__(
        self,
        plan: Plan,
        naming: Naming,
        places: Mapping[str, Position],
        came_by: Mapping[str, str],
    ) -> None:
        self._came_by = came_by
        self._changes = {change.address: change for change in plan.changes}
        self._naming = naming
        self._places = places
        self._files = _short_paths({place.file for place in places.values()})
        self._effects = Effects(plan.access, plan.changes)

    def came_by(self, address: str) -> str:
        """Whether a policy was edited or drifted; of two that replace each other, what is graver."""
        change = self._changes.get(Address(address))
        partner = None if change is None else self._partner(change)
        causes = [
            self._came_by.get(row.address, "") for row in (change, partner) if row is not None
        ]
        return min(causes, key=_BY_CAUSE.index, default="")

    def exchange(self) -> Iterator[PolicyBlock]:
        """Two policies that replace each other are one block."""
        for change in self._changes.values():
            policy = parse_address(change.address)
            if not isinstance(policy, ExchangePolicyAddress):
                continue
            old = self._partner(change)
            if old is None:
                yield self._exchange_block(change, policy, change.before, None)
            elif Action.CREATE in change.actions:
                yield self._exchange_block(change, policy, old.before, parse_address(old.address))

    def _partner(self, change: Change) -> Change | None:
        other = self._changes.get(change.replaces) if change.replaces else None
        return other if other is not None and other.replaces == change.address else None

    def _exchange_block(
        self,
        change: Change,
        policy: ExchangePolicyAddress,
        before: Mapping[str, Json] | None,
        old: object,
    ) -> PolicyBlock:
        replaced = isinstance(old, ExchangePolicyAddress)
        scope: Phrase = (self._naming.group(policy.scope),)
        if isinstance(old, ExchangePolicyAddress):
            scope = (self._naming.group(old.scope), " -> ", *scope)
        title: Phrase = (
            self._naming.application(policy.application),
            f"  {_right(before, change.after)}  ",
            *scope,
        )
        outcome = (
            ChangeOutcome.REPLACED
            if replaced
            else _OUTCOMES.get(change.actions, ChangeOutcome.REPLACED)
        )
        return PolicyBlock(
            "exchange",
            change.address,
            outcome,
            title,
            self._effects.of_application(policy.application, _possible(outcome, change, before)),
            sentences.change(change.reason),
            tuple(
                attribute
                for attribute in self._attributes(_differences(change, before))
                if attribute.name not in _IN_TITLE
            ),
            (),
            self._place(change.address),
        )

    def teams(self) -> Iterator[PolicyBlock]:
        """A block for each policy that changes, or whose grants do."""
        spelled: dict[str, str] = {}
        policies: dict[str, Change] = {}
        grants: dict[str, list[Change]] = {}
        for change in self._changes.values():
            if change.address == TEAMS_TENANT_GRANT:
                yield self._tenant_grant(change)
            elif figures.is_grant(change):
                name = str((change.after or change.before or {}).get("policy"))
                grants.setdefault(name_key(name), []).append(change)
                spelled.setdefault(name_key(name), name)
            elif provider_of(change.address) == "teams":
                if self._partner(change) is not None and change.before is not None:
                    continue  # the policy that takes its place stands for both
                name = change.address.partition("/")[2]
                policies[name_key(name)] = change
                spelled[name_key(name)] = name
        for key, name in spelled.items():
            yield self._teams_block(name, policies.get(key), grants.get(key, []))

    def _teams_block(
        self, name: str, change: Change | None, granted: Sequence[Change]
    ) -> PolicyBlock:
        grants = tuple(self._grant_lines(granted))
        effects = [grant.effect for grant in grants]
        attributes: tuple[Attribute, ...] = ()
        outcome, reason = ChangeOutcome.KEPT, ""
        title: Phrase = (Name(readable(name), kind=NameKind.POLICY),)
        address = f"teams.policy/{name}"
        if change is not None:
            old = self._partner(change)
            content = change.before if old is None else old.before
            before, after = applications_of(content), applications_of(change.after)
            effects.append(self._effects.of_list(name, after - before, before - after))
            attributes = tuple(self._attributes(_differences(change, content)))
            outcome = _OUTCOMES.get(change.actions, ChangeOutcome.REPLACED)
            if old is not None:
                outcome = ChangeOutcome.RENAMED
                former = readable(old.address.partition("/")[2])
                title = (Name(former, kind=NameKind.POLICY), " -> ", *title)
            reason, address = sentences.change(change.reason), change.address
        return PolicyBlock(
            "teams",
            address,
            outcome,
            title,
            joined(effects),
            reason,
            attributes,
            grants,
            self._place(address),
        )

    def others(self) -> Iterator[PolicyBlock]:
        """Objects of a product whose policies have neither scopes nor grants."""
        for change in self._changes.values():
            provider = provider_of(change.address)
            if provider not in ("teams", "exchange"):
                yield PolicyBlock(
                    provider,
                    change.address,
                    _OUTCOMES.get(change.actions, ChangeOutcome.REPLACED),
                    (Name(readable(change.address.partition("/")[2]), kind=NameKind.POLICY),),
                    Effect.UNKNOWN,
                    sentences.change(change.reason),
                    tuple(self._attributes(_differences(change, change.before))),
                    (),
                    self._place(change.address),
                )

    def _tenant_grant(self, change: Change) -> PolicyBlock:
        """The applications that enter and leave Global concern everyone without a grant."""
        policy = str((change.after or {}).get("policy"))
        return PolicyBlock(
            "teams",
            change.address,
            ChangeOutcome.CHANGED,
            ("Global takes the values of ", Name(readable(policy), kind=NameKind.POLICY)),
            self._effects.of_grant(change),
            sentences.change(change.reason),
            tuple(self._attributes(change.attributes)),
            (),
            self._place(change.address) or self._place("teams.policy/global"),
        )

    def _grant_lines(self, changes: Iterable[Change]) -> Iterator[GrantLine]:
        """Those who lose or change a policy before those who only get one; people who come from one
        file together.
        """
        alike: dict[GrantLine, list[Change]] = {}
        for change in changes:
            alike.setdefault(self._grant(change), []).append(change)
        rows = sorted(
            alike.items(),
            key=lambda row: (
                _GRANT_ORDER.index(row[0].outcome),
                row[0].kind is SubjectKind.USER,
                row[0].rank or 0,
                row[0].declared_at,
                row[0].came_by,
                _BY_DANGER.index(row[0].effect),
            ),
        )
        for line, members in rows:
            ids = [change.address.partition(":")[2] for change in members]
            kind = NameKind.PERSON if line.kind is SubjectKind.USER else NameKind.GROUP
            names = tuple(sorted(self._naming.of(object_id, kind) for object_id in ids))
            places = [self._places[row.address] for row in members if row.address in self._places]
            yield replace(line, names=names, declared_at=self._range(places))

    def _grant(self, change: Change) -> GrantLine:
        """What a grant has in common with others: everything but who it is, and the line."""
        is_group = change.address.startswith("teams.grant/group:")
        before, after = change.before or {}, change.after or {}
        moved_from = before.get("policy") if change.before and change.after else None
        ranks = [_rank(side) for side in (before, after)]
        place = self._places.get(change.address)
        return GrantLine(
            _OUTCOMES.get(change.actions, ChangeOutcome.CHANGED),
            SubjectKind.GROUP_MEMBERS if is_group else SubjectKind.USER,
            (Name(change.address),) if is_group else (),  # each group has a line of its own
            self._effects.of_grant(change),
            origin=Name(readable(str(moved_from)), kind=NameKind.POLICY) if moved_from else None,
            rank=ranks[1] or ranks[0],
            old_rank=ranks[0] if change.before and change.after else None,
            declared_at=place.file if place else "",
            came_by=self._came_by.get(change.address, ""),
        )

    def _range(self, places: Sequence[Position]) -> str:
        """`m365.csv:2-501`: the lines of one file."""
        if not places:
            return ""
        lines = sorted(place.line for place in places)
        span = f"{lines[0]}" if lines[0] == lines[-1] else f"{lines[0]}-{lines[-1]}"
        return f"{self._files[places[0].file]}:{span}"

    def _place(self, address: str) -> str:
        place = self._places.get(address)
        return "" if place is None else f"{self._files[place.file]}:{place.line}"

    def _attributes(self, differing: Iterable[AttributeChange]) -> Iterator[Attribute]:
        for change in differing:
            added, removed = (
                tuple(sorted(map(self._naming.application, ids)))
                for ids in (change.added, change.removed)
            )
            before, after = map(_value, (change.before, change.after))
            empty = not (added or removed) and before == after
            yield Attribute(change.name, before, after, added, removed, empty)


def _possible(
    outcome: ChangeOutcome, change: Change, before: Mapping[str, Json] | None
) -> frozenset[bool]:
    """The directions in which a change of an Exchange policy can move access: who is denied is
    reached no more, and who is let in is reached; a restriction that comes first shuts out all
    others, and one that goes last lets them in.
    """
    if outcome is ChangeOutcome.REPLACED:
        return _BOTH
    if outcome is ChangeOutcome.CHANGED:
        return frozenset()
    right = (change.after or before or {}).get("accessRight")
    if right == "DenyAccess":
        return frozenset((outcome is ChangeOutcome.REMOVED,))
    return _BOTH


def _right(before: Mapping[str, Json] | None, after: Mapping[str, Json] | None) -> str:
    """`Deny`, or `Restrict -> Deny` where it changes."""
    rights = [
        _RIGHTS.get(str(side["accessRight"]), str(side["accessRight"]))
        for side in (before, after)
        if side and "accessRight" in side
    ]
    return " -> ".join(dict.fromkeys(rights))


def _short_paths(paths: Collection[str]) -> Mapping[str, str]:
    """The names of files, and the whole paths of those that share a name."""
    uses = Counter(PurePath(path).name for path in paths)
    names = {path: PurePath(path).name for path in paths}
    return {path: name if uses[name] == 1 else path for path, name in names.items()}


def _rank(side: Mapping[str, Json]) -> int | None:
    rank = side.get("rank")
    return rank if isinstance(rank, int) else None


def _value(value: Json) -> Name | None:
    if value is None:
        return None
    return Name(values.quoted(value), kind=NameKind.TEXT)


def _differences(change: Change, before: Mapping[str, Json] | None) -> Iterable[AttributeChange]:
    """What differs between two states of an object; None: no object."""
    if change.attributes:
        return change.attributes
    old, new = before or {}, change.after or {}
    return [
        _difference(name, old.get(name), new.get(name))
        for name in sorted(old.keys() | new.keys())
        if old.get(name) != new.get(name)
    ]


def _difference(name: str, before: Json, after: Json) -> AttributeChange:
    if not (_is_list(before) or _is_list(after)):
        return AttributeChange(name, before, after, (), ())
    old, new = _texts(before), _texts(after)
    return AttributeChange(name, None, None, tuple(sorted(new - old)), tuple(sorted(old - new)))


def _is_list(value: Json) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)


def _texts(value: Json) -> frozenset[str]:
    if isinstance(value, str) or not isinstance(value, Sequence):
        return frozenset()
    return frozenset(item if isinstance(item, str) else values.quoted(item) for item in value)
