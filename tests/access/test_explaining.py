"""Explanations: the verdict of what is known, and advice that names the right objects; honest where
little is known.
"""

from __future__ import annotations

from types import MappingProxyType

from msgspec.structs import replace

from reconciler.access.declared_at import positions
from reconciler.access.explaining import explain
from reconciler.audiences.questions import Advice, Known, Question, Remedy
from reconciler.audiences.subjects import SubjectKind
from reconciler.audiences.verdicts import Denied, Depends, Granted
from reconciler.model.documents import AccessRight, GroupGrant
from reconciler.model.observed import (
    ExchangePolicy,
    ExchangeState,
    GroupAssignment,
    Recipient,
    TeamsPolicy,
    TeamsState,
)
from tests.planning.enumerated_access import (
    APPS,
    GROUPS,
    HERE,
    SCOPES,
    USERS,
    directory,
    documents,
    exchange_document,
    listing,
    teams_document,
)

APP, USER, GROUP = APPS[0], USERS[0], GROUPS[0]
RESTRICT, DENY = AccessRight.RESTRICT, AccessRight.DENY
FULL, EMPTY, UNREAD, _ = SCOPES
MAILBOX = USERS[1]


def _teams(users=None, groups=()):
    policies = {
        "global": TeamsPolicy("Global", {}, ""),
        "has": TeamsPolicy("Has", {APP: APP}, ""),
        "lacks": TeamsPolicy("Lacks", {}, ""),
    }
    return TeamsState(policies, tuple(GroupAssignment(*row) for row in groups), users or {}, {})


def _exchange(*policies):
    return ExchangeState(
        {
            (APP, scope): ExchangePolicy(APP, scope, "", right, "", "", "", "")
            for scope, right in policies
        }
    )


def _known(teams=None, exchange=None, told=MappingProxyType({})):
    group = "MailUniversalSecurityGroup"
    recipients = {
        scope: Recipient(scope, None, f"{scope}@contoso.com", frozenset(), "", group, True, members)
        for scope, members in ((FULL, frozenset({MAILBOX})), (EMPTY, frozenset()), (UNREAD, None))
    }
    states = {"teams": teams, "exchange": exchange}
    read = {name: state for name, state in states.items() if state is not None}
    return Known(read, replace(directory(), recipients=recipients), told)


def _user(subject=USER, *, resolved=True):
    return Question(APP, SubjectKind.USER, subject, resolved)


def _mailbox(subject=MAILBOX, *, resolved=True):
    return Question(APP, SubjectKind.MAILBOX, subject, resolved)


def _advised(explanation):
    return [
        (advice.remedy, advice.address.partition("@")[2] or advice.address.partition("/")[2])
        for advice in explanation.advice
    ]


def test_a_granted_user_can_be_revoked_by_the_list_or_by_another_policy():
    found = explain(_user(), _known(_teams({USER: "has"})))
    assert isinstance(found.verdict, Granted)
    assert _advised(found) == [(Remedy.UNLIST, "Has"), (Remedy.GRANT_OTHER, f"user:{USER}")]


def test_a_denied_user_needs_a_policy_that_lists_the_application():
    found = explain(_user(), _known(_teams({USER: "lacks"})))
    assert isinstance(found.verdict, Denied)
    assert _advised(found) == [(Remedy.GRANT, "Has"), (Remedy.LIST, "Lacks")]


def test_an_unread_group_is_what_has_to_be_learnt():
    found = explain(_user(), _known(_teams(groups=[(GROUP, "has")])))
    assert isinstance(found.verdict, Depends)
    assert found.advice == (Advice(Remedy.LEARN, f"teams.grant/group:{GROUP}"),)


def test_what_is_not_known_of_teams_makes_it_depend():
    nothing, others, unresolved = (
        _known(),
        _known(_teams(), told={"teams": frozenset({MAILBOX})}),
        _known(_teams()),
    )
    for question, known in (
        (_user(), nothing),
        (_user(), others),
        (_user("who@contoso.com", resolved=False), unresolved),
    ):
        found = explain(question, known)
        assert isinstance(found.verdict, Depends)
        assert [advice.address for advice in found.advice] == [
            f"teams.grant/user:{question.subject}"
        ]


def test_a_user_whose_grant_a_plan_tells_is_decided():
    assert isinstance(
        explain(_user(), _known(_teams({USER: "has"}), told={"teams": frozenset({USER})})).verdict,
        Granted,
    )
    assert isinstance(
        explain(_user(), _known(_teams(), told={"teams": frozenset({USER})})).verdict, Denied
    )


def test_a_granted_mailbox_leaves_the_scope_or_is_denied():
    found = explain(_mailbox(), _known(exchange=_exchange((FULL, RESTRICT))))
    assert isinstance(found.verdict, Granted)
    assert _advised(found) == [(Remedy.LEAVE_SCOPE, FULL), (Remedy.DENY, APP)]


def test_an_unrestricted_application_is_restricted():
    assert _advised(explain(_mailbox(), _known(exchange=_exchange()))) == [(Remedy.RESTRICT, APP)]


def test_a_denied_mailbox_leaves_the_scope():
    found = explain(_mailbox(), _known(exchange=_exchange((FULL, DENY), (EMPTY, RESTRICT))))
    assert isinstance(found.verdict, Denied)
    assert _advised(found) == [(Remedy.LEAVE_SCOPE, FULL)]


def test_a_mailbox_outside_all_scopes_joins_one():
    found = explain(_mailbox(), _known(exchange=_exchange((EMPTY, RESTRICT))))
    assert _advised(found) == [(Remedy.JOIN_SCOPE, EMPTY)]


def test_a_name_that_nothing_resolves_may_be_in_any_scope_but_an_empty_one():
    question = _mailbox("who@contoso.com", resolved=False)
    assert isinstance(explain(question, _known(exchange=_exchange((FULL, DENY)))).verdict, Depends)
    assert isinstance(explain(question, _known(exchange=_exchange((EMPTY, DENY)))).verdict, Granted)


def test_an_application_that_a_plan_does_not_tell_of_depends():
    for known in (_known(), _known(exchange=_exchange(), told={"exchange": frozenset({"*"})})):
        found = explain(_mailbox(), known)
        assert isinstance(found.verdict, Depends)
        assert _advised(found) == [(Remedy.LEARN, APP)]


def test_objects_are_found_where_the_documents_declare_them():
    teams = [
        teams_document(
            "Has",
            tenant=True,
            groups=(GroupGrant(GROUP, 1, None, replace(HERE, line=7)),),
            users=(listing(["u0@contoso.com"]),),
        ),
    ]
    declared = documents(teams, [exchange_document([APP], f"{FULL}@contoso.com", RESTRICT)])
    wanted = [
        "teams.policy/HAS",
        "teams.policy/Global",
        f"teams.grant/group:{GROUP}",
        f"teams.grant/user:{USER}",
        f"exchange.policy/{APP}@{FULL}",
        "teams.policy/Other",
    ]
    found = positions(declared, directory(), wanted)
    assert found == {
        address: replace(HERE, line=7) if "group" in address else HERE for address in wanted[:-1]
    }
