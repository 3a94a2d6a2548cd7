"""Whether an application reaches a user's meetings: of a tenant, of documents alone, and what would
change it.
"""

from __future__ import annotations

from itertools import compress
from typing import TYPE_CHECKING, assert_never

from reconciler.audiences.questions import Advice, Remedy
from reconciler.audiences.verdicts import (
    Ambiguous,
    Asked,
    Denied,
    Depends,
    Granted,
    Reason,
    Unnamed,
)
from reconciler.characters import folded
from reconciler.kinds.teams.desired import group_id
from reconciler.kinds.teams.effective_policy import user_verdict
from reconciler.kinds.teams.effective_sources import membership
from reconciler.model.addresses import (
    GLOBAL,
    name_key,
    teams_group_grant,
    teams_policy,
    teams_user_grant,
)
from reconciler.model.codes import Unfound
from reconciler.model.findings import Position
from reconciler.model.observed import TeamsPolicy, TeamsState, is_opaque

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator

    from reconciler.audiences.questions import Known, Question
    from reconciler.audiences.verdicts import Verdict
    from reconciler.model.addresses import Address
    from reconciler.model.documents import Documents, Listing, TeamsPolicyDocument
    from reconciler.model.observed import Directory

_USER = teams_user_grant("")
"""What is before the object id in the address of a direct grant."""


def user_id(state: TeamsState, directory: Directory, name: str) -> str | Unnamed | Ambiguous:
    """The object id of a user by any name, lower-case; why there is none otherwise."""
    if meanings := directory.two_meanings(name):
        return Ambiguous(meanings)
    if name in state.users or name in directory.users:
        return name
    if name in directory.users_by_upn:
        return directory.users_by_upn[name]
    return Unnamed.USER_ABSENT if name in directory.absent else Unnamed.USER_UNKNOWN


def explained_verdict(question: Question, knowledge: Known, state: TeamsState | None) -> Verdict:
    """The verdict on a question; what is not known makes it depend."""
    if state is None or not question.resolved:
        grant = teams_user_grant(question.subject)
        return Depends((Reason(Asked.DIRECT_GRANT, grant, holds=None),), (grant,))
    return user_verdict(
        state,
        question.application,
        question.subject,
        membership(knowledge.directory, question.subject),
        direct_known=knowledge.tells("teams", question.subject),
    )


def advice(question: Question, state: TeamsState | None, verdict: Verdict) -> Iterator[Advice]:
    """What would change a verdict."""
    listed = [reason.address for reason in verdict.path if reason.asked is Asked.LISTED]
    match verdict:
        case Granted():
            yield from (Advice(Remedy.UNLIST, address) for address in listed)
            yield Advice(Remedy.GRANT_OTHER, teams_user_grant(question.subject))
        case Denied():
            listing = [] if state is None else sorted(_listing(state, question.application))
            yield from (Advice(Remedy.GRANT, address) for address in listing)
            yield from (Advice(Remedy.LIST, address) for address in listed)
        case Depends():
            yield from (Advice(Remedy.LEARN, address) for address in verdict.unknown)
        case _:
            assert_never(verdict)


def _listing(state: TeamsState, application: str) -> Iterator[Address]:
    """Policies that can be granted and list the application."""
    return (
        teams_policy(policy.name)
        for key, policy in state.policies.items()
        if application in policy.applications
        and key != GLOBAL
        and not (policy.opaque or is_opaque(key))
    )


def declared_verdicts(documents: Documents) -> Callable[[str, str], Verdict]:
    """What documents alone decide, by application and the text that names a user. A quarantined
    application is in no list.
    """
    lists: dict[str, TeamsPolicy] = {}
    users: dict[str, str] = {}
    names: dict[str, str] = {}
    for document in documents.teams:
        key = name_key(document.name)
        names[key] = document.name
        users |= {text.lower(): key for listing in document.users or () for text in listing.texts}
        if document.applications is not None:
            listed = set(document.applications) - documents.quarantined
            ids = {application: application for application in sorted(listed)}
            lists[key] = TeamsPolicy(document.name, ids, "")
    state = TeamsState(lists, (), users, {})

    def verdict(application: str, user: str) -> Verdict:
        granted = users.get(user)
        if granted is not None and granted not in lists:
            policy = teams_policy(names[granted])
            grant = Reason(Asked.DIRECT_GRANT, teams_user_grant(user), holds=True)
            return Depends((grant, Reason(Asked.LISTED, policy, holds=None)), (policy,))
        return user_verdict(state, application, user, lambda _group: None, direct_known=False)

    return verdict


def declared_at(
    documents: Iterable[TeamsPolicyDocument], directory: Directory, wanted: Collection[str]
) -> Iterator[tuple[Address, Position]]:
    """Where policies and their grants are declared; of grants to users only those whose address is
    wanted.
    """
    users = {address.removeprefix(_USER) for address in wanted if address.startswith(_USER)}
    rows = (directory.users[user] for user in users & directory.users.keys())
    names = users.union(row.upn.lower() for row in rows)
    for document in documents:
        yield teams_policy(name_key(document.name)), document.position
        if document.tenant:
            yield teams_policy(GLOBAL), document.position
        for grant in document.groups or ():
            group = group_id(directory, grant.group)
            name = grant.group if isinstance(group, Unfound) else group
            yield teams_group_grant(name), grant.position
        for listing in document.users or ():
            yield from _listed_at(listing, directory, names)


def _listed_at(
    listing: Listing, directory: Directory, wanted: Collection[str]
) -> Iterator[tuple[Address, Position]]:
    """Where these names are listed, looked for in all at once: there may be 100,000."""
    names = folded(listing.texts)
    for index in compress(range(len(names)), map(wanted.__contains__, names)):
        user = directory.users_by_upn.get(names[index], names[index])
        place = Position(listing.file, listing.lines[index], listing.columns[index])
        yield teams_user_grant(user), place
