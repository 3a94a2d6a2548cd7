"""Reading the Teams side: policies, groups, direct grants read twice in two ways, and the users
that somebody asks for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from reconciler.errors import TenantFault
from reconciler.kinds.capture_rows import shown
from reconciler.kinds.teams.parse import (
    TEMPLATE,
    bare_name,
    granted_name,
    is_silent,
    is_told,
    told_name,
)
from reconciler.kinds.teams.reading_once import read_once
from reconciler.model import live_limits
from reconciler.model.addresses import GLOBAL, name_key
from reconciler.tenants.live import filters, projecting, questions
from reconciler.tenants.live.part import CapturePart

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from reconciler.canonical import Json
    from reconciler.model.requests import CaptureRequest
    from reconciler.tenants.live.asking import Ask
    from reconciler.tenants.live.projecting import Row

MANY: Final = 300
"""From so many unknown names on, reading every user is quicker than asking for each (0.5 s a call;
92 s for 300,000 users, robdy.io).
"""
_NAMED: Final = 5
_MOST_TROUBLES: Final = 3
"""Answers about single users that may fail before no more are asked for: each is tried again."""


class _Holders(NamedTuple):
    """Ids of the users who hold a policy, by its key, and of those whose row does not say which one:
    it says nothing, or what cannot be a name.
    """

    by_policy: Mapping[str, set[str]]
    untold: set[str]


def read_teams(ask: Ask, request: CaptureRequest, settle: Callable[[], bool]) -> CapturePart:
    """Read what is asked for.

    Args:
        ask: Asks the service.
        request: What is wanted; without the product only its users are looked up.
        settle: Waits until the service has made up its mind; False when it has been waited for long
            enough.

    Raises:
        TenantFault: not everything could be read, or two readings of the same thing contradict each
            other.
    """
    wanted = "teams" in request.products
    section, holders = _section(ask, settle) if wanted else (unread(), [])
    users = _known(holders)
    absent = _look_up(ask, request, users)
    if wanted and (section["groupAssignments"] or request.holders_too):
        section = {**section, **_effective(ask, request, users, section, holders)}
    return CapturePart({**section, **ask.warnings()}, users=users, absent=absent)


def _effective(
    ask: Ask,
    request: CaptureRequest,
    users: Mapping[str, Row],
    section: Mapping[str, Any],
    holders: Iterable[Row],
) -> dict[str, Json]:
    """What the service says is effective for the users about whom somebody asks, one call each: it
    does not tell who is in groups. Of a user with a direct grant nothing has to be asked, unless
    somebody wants to see that it is effective.

    Returns: The parts of the section that tell of it; none if nobody was asked about.
    """
    names = {str(row["upn"]).lower(): user for user, row in users.items()}
    asked = {names.get(name.lower(), name.lower()) for name in request.effective}
    if not request.holders_too:
        asked -= {str(row["Identity"]).lower() for row in holders}
    if not ask.allows(questions.EFFECTIVE):
        return {}
    before = ask.mark()
    answers = _answers(ask, sorted(asked & users.keys()))
    reads = [*section["reads"], *ask.reads()[before:]]
    return {"effective": answers, "reads": reads} if answers else {}


def _answers(ask: Ask, users: Iterable[str]) -> list[Json]:
    """One answer a user. One that is a fault is kept as such: it says nothing, and the rest is
    complete without it, as is what nobody was asked about.
    """
    answers: list[Json] = []
    troubles = 0
    for user in users:
        question = questions.effective(user)
        try:
            rows = [projecting.kept(row, question.select) for row in ask(question)]
            answers.append({"user": user, "taken_at": ask.now(), "rows": rows})
        except TenantFault as fault:
            answers.append({"user": user, "taken_at": ask.now(), "trouble": str(fault)})
            troubles += 1
        if troubles == _MOST_TROUBLES:
            break
    return answers


def unread() -> dict[str, Json]:
    """The section of a capture that did not read Teams."""
    return {"complete": False, "reads": [], "policies": [], "groupAssignments": [], "users": []}


def _section(ask: Ask, settle: Callable[[], bool]) -> tuple[dict[str, Json], Sequence[Row]]:
    """The section, and the users who hold a grant as they were read."""
    policies = ask(questions.TEAMS_POLICIES)
    groups = ask(questions.GROUP_ASSIGNMENTS)
    names = _names(policies)
    nameless = [row for row in policies if not is_told(row["Identity"])]
    holders = _grants(ask, names, settle, is_doubtful=bool(nameless))
    section: dict[str, Json] = {
        "complete": True,
        "tenantId": ask.tenant_id,
        "policies": [projecting.kept(row, questions.TEAMS_POLICIES.select) for row in policies],
        "groupAssignments": [
            projecting.kept(row, questions.GROUP_ASSIGNMENTS.select) for row in groups
        ],
        "users": [projecting.grant(row) for row in holders],
        "reads": ask.reads(),
        **read_once(names),
    }
    return section, holders


def unqueried_policies(policies: Iterable[Row]) -> Sequence[str]:
    """Names of policies whose holders cannot be queried."""
    return live_limits.unqueried(_names(policies))


def _names(policies: Iterable[Row]) -> list[str]:
    """Names of the policies that can be granted."""
    names = (bare_name(identity) for row in policies if is_told(identity := row["Identity"]))
    return [name for name in names if name_key(name) not in {GLOBAL, TEMPLATE}]


def _grants(
    ask: Ask, names: Sequence[str], settle: Callable[[], bool], *, is_doubtful: bool
) -> Sequence[Row]:
    """Direct grants: everybody's at once, and the holders of each policy, which must agree.

    How a filter on a policy is spelled, public sources do not agree on; a spelling that the service
    does not understand may list nobody. A policy whose name no filter can hold is not asked for:
    its holders are believed if those of another one agree; so are those of a policy that was read
    without a name, which makes it `is_doubtful`.
    """
    queried = {name: query for name in names if (query := filters.holders_of(name)) is not None}
    while True:
        before = ask.mark()
        rows = ask(questions.grants(filters.HOLDERS))
        holders = _holders(rows)
        differing = [
            name for name, query in queried.items() if not _agrees(ask, query, name, holders)
        ]
        if not differing:
            _assert_confirmed(names, holders.by_policy.keys(), is_doubtful=is_doubtful)
            return rows
        if not settle():
            raise _contradiction(differing)
        ask.forget(before)


def _assert_confirmed(
    names: Sequence[str], held_keys: Collection[str], *, is_doubtful: bool
) -> None:
    """One way of reading is enough for a name that cannot be queried, once the other way agreed
    about somebody.
    """
    odd = live_limits.unqueried(names)
    if (odd or is_doubtful) and not live_limits.is_confirmed(names, held_keys):
        unnamed = ["a policy that was read without a name"] if is_doubtful else []
        subject = " and ".join([*([_listing(odd)] if odd else []), *unnamed])
        raise TenantFault(
            f"teams: the holders of {subject} cannot be queried by name, and no other policy"
            " has a holder by whom the reading of all grants could be checked: the reading is not"
            " known to be complete. Grant a policy whose name has only"
            f" {live_limits.PLAIN_NAMES} to one user, then try again"
        )


def _agrees(ask: Ask, filter_: str, name: str, everybody: _Holders) -> bool:
    """Whether the service lists the same users as holders of one policy as in the answer about
    everybody. One whose row does not say which policy it is may be a holder, if it did not there.

    Raises:
        TenantFault: it lists somebody whose policy is another one.
    """
    rows = ask(questions.grants(filter_))
    holders, key = _holders(rows), name_key(name)
    others = holders.by_policy.keys() - {key}
    users = sum(map(len, holders.by_policy.values())) + len(holders.untold)
    if others or users != len(rows):
        raise TenantFault(
            f"teams: Get-CsOnlineUser was asked for the holders of policy {shown(name)}, but"
            " returned users with another policy or none: its filter was not applied"
        )
    same = holders.by_policy.get(key, set()) == everybody.by_policy.get(key, set())
    return same and holders.untold <= everybody.untold


def _holders(rows: Iterable[Row]) -> _Holders:
    """What rows say; one that has no policy where one was asked for is neither."""
    by_policy: dict[str, set[str]] = {}
    untold: set[str] = set()
    for row in rows:
        granted, user = granted_name(row), str(row["Identity"]).lower()
        if (name := told_name(granted)) is not None:
            by_policy.setdefault(name_key(name), set()).add(user)
        elif granted is not None or is_silent(row):
            untold.add(user)
    return _Holders(by_policy, untold)


def _contradiction(names: Sequence[str]) -> TenantFault:
    return TenantFault(
        f"teams: reading all direct grants at once and reading the holders of {_listing(names)} give"
        " different users, also when repeated: the reading is not known to be complete. Somebody"
        " may be changing grants now: try again; if it stays so, the service does not understand"
        " the filter for this name"
    )


def _listing(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(shown(name) for name in names[:_NAMED]) + more


def _known(rows: Iterable[Row]) -> dict[str, Row]:
    """Users of the directory who are known from their grants."""
    named = [row for row in rows if isinstance(row.get("UserPrincipalName"), str)]
    return projecting.users_by_key(named)


def _look_up(ask: Ask, request: CaptureRequest, users: dict[str, Row]) -> frozenset[str]:
    """Add the users that are asked for; return the names that nobody has."""
    if request.everything and "teams" in request.products:
        _add(users, ask(questions.ALL_USERS))
        return _unknown(request.users, users)
    missing = sorted(_unknown(request.users, users))
    if len(missing) >= MANY:
        rows = _matching(ask(questions.ALL_USERS), missing)
    else:
        rows = [row for name in missing for row in _matching(ask(questions.user(name)), [name])]
    _add(users, rows)
    return _unknown(missing, users)


def _unknown(names: Iterable[str], users: Mapping[str, Row]) -> frozenset[str]:
    known_names = {*users, *(str(row["upn"]).lower() for row in users.values())}
    return frozenset(folded for name in names if (folded := name.lower()) not in known_names)


def _matching(rows: Iterable[Row], names: Sequence[str]) -> list[Row]:
    """Those who have one of the names as their id or user principal name: the cmdlet also goes by
    SIP address and alias.
    """
    wanted = set(names)
    return [
        row
        for row in rows
        if wanted & {str(row["Identity"]).lower(), str(row["UserPrincipalName"]).lower()}
    ]


def _add(users: dict[str, Row], rows: Sequence[Row]) -> None:
    staying = [row for row in rows if not projecting.is_leaving(row)]
    users |= projecting.users_by_key(staying)
