"""What a tenant has, managed or not, as tables."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from msgspec import Struct

from reconciler.kinds.facts import facts, in_turn
from reconciler.model.addresses import EVERY_APPLICATION
from reconciler.model.answers import ListAnswer, ListedCounts, ListedGrant, ListedObject
from reconciler.reports.lines import counted
from reconciler.reports.outline import Chapter, Item, Outline, Table
from reconciler.reports.review.naming import Naming, readable
from reconciler.reports.review.value import HANDFUL, Name, NameKind
from reconciler.reports.wrapping import enumerated_names

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from reconciler.model.inventories import ListedPolicy
    from reconciler.reports.review.value import Phrase

_RIGHTS = {"RestrictAccess": "Restrict", "DenyAccess": "Deny"}


class Inventory(Struct, frozen=True):
    """What a tenant has.

    Attributes:
        simulated: It is a simulated one.
        tenant_id: Its id.
        organization: Its initial domain.
        read_at: When it was read, ISO 8601.
        policies: All policies.
        shown: Those that were asked for.
        names: Ids to names for people.
        sizes: Members of scopes, by object id; None is not known.
        declared: Whether there are documents.
    """

    simulated: bool
    tenant_id: str
    organization: str
    read_at: str
    policies: tuple[ListedPolicy, ...]
    shown: tuple[ListedPolicy, ...]
    names: Mapping[str, str]
    sizes: Mapping[str, int | None]
    declared: bool


def inventory_counts(policies: Sequence[ListedPolicy]) -> tuple[ListedCounts, ...]:
    """How much there is of each product, and how much of it is managed."""
    counts = []
    for provider in in_turn():
        own = [row for row in policies if row.provider == provider]
        existing = [row for row in own if not row.missing]
        counts.append(
            ListedCounts(
                grants=sum(len(row.users) + len(row.groups) for row in own),
                grants_managed=sum(
                    row.users_managed + sum(group.managed for group in row.groups) for row in own
                ),
                policies=len(existing),
                policies_managed=sum(row.managed for row in existing),
                product=provider,
            )
        )
    return tuple(counts)


def inventory_outline(inventory: Inventory) -> Outline:
    """Counts, then applications, policies, grants and scopes as tables."""
    rows = inventory.shown
    naming = Naming(inventory.names, (client for row in rows for client in row.applications))
    read = inventory.read_at.replace("T", " ").replace("Z", " UTC")
    tables = (
        _applications(rows, naming),
        _teams_policies(rows, naming),
        _groups(rows, naming),
        _exchange_policies(rows, naming),
        _scopes(rows, naming, inventory.sizes),
    )
    return Outline(
        command="list",
        simulated=inventory.simulated,
        tenant_id=inventory.tenant_id,
        headline=("Tenant ", Name(inventory.organization), f", read {read}"),
        details=tuple(_details(inventory)),
        chapters=tuple(chapter for chapter in tables if chapter.table and chapter.table.rows),
    )


def _details(inventory: Inventory) -> Iterator[Item]:
    for row in inventory_counts(inventory.policies):
        title = facts(row.product).title
        figures = [_count(row.policies, row.policies_managed, ("policy", "policies"))]
        if row.grants:
            figures.append(_count(row.grants, row.grants_managed, ("grant", "grants")))
        yield Item((f"{title}: {', '.join(figures)}",))
    if len(inventory.shown) < len(inventory.policies):
        shown = counted(len(inventory.shown), "policy", "policies")
        yield Item((f"Shown: {shown} of {len(inventory.policies)}",))
    if not inventory.declared:
        yield Item(("There are no documents, so nothing is managed.",))


def _count(number: int, managed: int, noun: tuple[str, str]) -> str:
    return f"{counted(number, *noun)} ({managed} managed)"


def _chapter(title: str, columns: tuple[str, ...], rows: list[tuple[Phrase, ...]]) -> Chapter:
    return Chapter(
        (f"{title}: {len(rows)}",), table=Table(columns, tuple(rows)), noun=("row", "rows")
    )


def _applications(policies: Sequence[ListedPolicy], naming: Naming) -> Chapter:
    teams: Counter[str] = Counter()
    exchange: Counter[str] = Counter()
    for row in policies:
        (teams if row.provider == "teams" else exchange).update(row.applications)
    rows: list[tuple[Phrase, ...]] = []
    for client in sorted(teams.keys() | exchange.keys(), key=naming.application):
        name = naming.application(client)
        ids: Phrase = () if client == EVERY_APPLICATION else (client,)
        rows.append(((name,), _number(teams[client]), _number(exchange[client]), ids))
    columns = ("Application", "Teams policies", "Exchange policies", "Client id")
    return _chapter("Applications", columns, rows)


def _number(count: int) -> Phrase:
    return (str(count),) if count else ()


def _policy_name(row: ListedPolicy) -> Name:
    return Name(readable(row.name), kind=NameKind.POLICY)


def _teams_policies(policies: Sequence[ListedPolicy], naming: Naming) -> Chapter:
    rows: list[tuple[Phrase, ...]] = []
    for row in policies:
        if row.provider == "teams":
            listed = enumerated_names(map(naming.application, row.applications))
            holders = enumerated_names(map(naming.person, row.users[:HANDFUL]))
            more = len(row.users) - HANDFUL
            people: Phrase = (f"{len(row.users)}: ", *holders) if row.users else ()
            people = (*people, f" and {more} more") if more > 0 else people
            everyone = "everyone without a grant" if row.everyone else ""
            rows.append(((_policy_name(row),), _state(row), listed, people or (everyone,)))
    return _chapter("Teams policies", ("Policy", "Managed", "Applications", "People"), rows)


def _state(row: ListedPolicy) -> Phrase:
    if row.missing:
        return ("does not exist",)
    if not row.understood:
        return ("not understood",)
    return ("yes" if row.managed else "no",)


def _groups(policies: Sequence[ListedPolicy], naming: Naming) -> Chapter:
    ranked = sorted(
        (group.rank, group.group, _policy_name(row), group.managed)
        for row in policies
        for group in row.groups
    )
    rows: list[tuple[Phrase, ...]] = [
        (
            (str(rank),),
            (naming.group(group),),
            (policy,),
            ("yes" if managed else "no",),
        )
        for rank, group, policy, managed in ranked
    ]
    return _chapter("Groups with a Teams policy", ("Rank", "Group", "Policy", "Managed"), rows)


def _exchange_policies(policies: Sequence[ListedPolicy], naming: Naming) -> Chapter:
    rows: list[tuple[Phrase, ...]] = [
        (
            enumerated_names(map(naming.application, row.applications)),
            (_RIGHTS.get(row.right, row.right),),
            (naming.group(row.scope),) if row.scope else (_policy_name(row),),
            _state(row),
        )
        for row in policies
        if row.provider == "exchange"
    ]
    return _chapter("Exchange policies", ("Application", "Right", "Scope", "Managed"), rows)


def _scopes(
    policies: Sequence[ListedPolicy], naming: Naming, sizes: Mapping[str, int | None]
) -> Chapter:
    tally = Counter(row.scope for row in policies if row.scope)
    rows: list[tuple[Phrase, ...]] = []
    for scope in sorted(tally, key=naming.group):
        size = sizes.get(scope)
        mailboxes = "not known" if size is None else str(size)
        rows.append(((naming.group(scope),), (mailboxes,), (str(tally[scope]),)))
    return _chapter("Scopes", ("Scope", "Mailboxes", "Policies"), rows)


def inventory_answer(inventory: Inventory) -> ListAnswer:
    """The same for a machine, with every grant."""
    return ListAnswer(
        counts=inventory_counts(inventory.policies),
        names=dict(inventory.names),
        objects=tuple(map(_object, inventory.shown)),
        read_at=inventory.read_at,
    )


def _object(row: ListedPolicy) -> ListedObject:
    return ListedObject(
        address=row.address,
        applications=row.applications,
        description=row.description,
        everyone=row.everyone,
        groups=tuple(ListedGrant(group.group, group.managed, group.rank) for group in row.groups),
        managed=row.managed,
        missing=row.missing,
        name=row.name,
        product=row.provider,
        right=row.right,
        scope=row.scope,
        understood=row.understood,
        users=row.users,
        users_managed=row.users_managed,
    )
