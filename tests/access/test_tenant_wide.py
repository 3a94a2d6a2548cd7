"""Which transitions make an application tenant-wide, judged on access; and what the rows say of
scopes as the directory knows them.
"""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from reconciler.model.documents import AccessRight
from reconciler.model.observed import ExchangePolicy, ExchangeState, Recipient
from tests.access.written import delta
from tests.planning.enumerated_access import APPS, SCOPES, USERS, directory

RESTRICT, DENY = AccessRight.RESTRICT, AccessRight.DENY
APP, ANY = APPS[0], "*"
FULL, EMPTY, UNREAD, GONE = SCOPES
MAILBOX, NESTED, NESTED_EMPTY, LEAF = (
    f"{number:08x}-0000-4000-8000-000000000009" for number in range(1, 5)
)


def _recipient(identifier, kind, members=None):
    return Recipient(
        identifier, None, f"{identifier}@contoso.com", frozenset(), identifier, kind, True, members
    )


def _directory(**more):
    group = "MailUniversalSecurityGroup"
    recipients = {
        FULL: _recipient(FULL, group, frozenset({MAILBOX})),
        EMPTY: _recipient(EMPTY, group, frozenset()),
        UNREAD: _recipient(UNREAD, group),
        MAILBOX: _recipient(MAILBOX, "UserMailbox"),
        NESTED: _recipient(NESTED, group, frozenset({FULL, NESTED, USERS[0]})),
        NESTED_EMPTY: _recipient(NESTED_EMPTY, group, frozenset({EMPTY})),
    }
    return replace(directory(), recipients={**recipients, **more}, absent=frozenset({GONE}))


def _state(*policies):
    return ExchangeState(
        {
            (app, scope): ExchangePolicy(app, scope, "", right, "", "", "", "")
            for app, scope, right in policies
        }
    )


def _delta(before, after, **more):
    return delta({"exchange": _state(*before)}, {"exchange": _state(*after)}, _directory(**more))


def _said(rows):
    return [
        (
            row["application"],
            row["subject"]["kind"],
            row["subject"].get("id"),
            [part["id"] for part in row["subject"].get("except", ())],
            row["certainty"],
        )
        for row in rows
    ]


OPENS = {
    "the last Restrict goes": ([(APP, FULL, RESTRICT)], [], [APP]),
    "one of two Restricts goes": (
        [(APP, FULL, RESTRICT), (APP, UNREAD, RESTRICT)],
        [(APP, FULL, RESTRICT)],
        [],
    ),
    "the Restrict of a scope that is gone goes": ([(APP, GONE, RESTRICT)], [], [APP]),
    "the Restrict of an empty scope goes": ([(APP, EMPTY, RESTRICT)], [], [APP]),
    "the last Restrict goes, a Deny stays": (
        [(APP, FULL, RESTRICT), (APP, UNREAD, DENY)],
        [(APP, UNREAD, DENY)],
        [APP],
    ),
    "the last Restrict turns into a Deny": ([(APP, FULL, RESTRICT)], [(APP, FULL, DENY)], [APP]),
    "a Restrict moves to another scope": ([(APP, FULL, RESTRICT)], [(APP, UNREAD, RESTRICT)], []),
    "the last Deny goes": ([(APP, FULL, DENY)], [], [APP]),
    "the last Deny goes, of an empty scope": ([(APP, EMPTY, DENY)], [], [APP]),
    "the last Deny that covers somebody goes": (
        [(APP, FULL, DENY), (APP, GONE, DENY)],
        [(APP, GONE, DENY)],
        [APP],
    ),
    "the last Deny that may cover somebody goes": (
        [(APP, UNREAD, DENY), (APP, EMPTY, DENY)],
        [(APP, EMPTY, DENY)],
        [APP],
    ),
    "one of two Denies goes": ([(APP, FULL, DENY), (APP, UNREAD, DENY)], [(APP, UNREAD, DENY)], []),
    "it is restricted for the first time": ([], [(APP, FULL, RESTRICT)], []),
    "the Restrict of every application goes": ([(ANY, FULL, RESTRICT)], [], [ANY]),
    "the Restrict of every application goes, one has its own": (
        [(ANY, FULL, RESTRICT), (APP, UNREAD, RESTRICT)],
        [(APP, UNREAD, RESTRICT)],
        [ANY],
    ),
    "the last Restrict goes, but one of every application stays": (
        [(APP, UNREAD, RESTRICT), (ANY, FULL, RESTRICT)],
        [(ANY, FULL, RESTRICT)],
        [],
    ),
}


@pytest.mark.parametrize("case", OPENS)
def test_an_application_comes_to_reach_every_mailbox(case):
    before, after, opened = OPENS[case]
    assert [row["application"] for row in _delta(before, after)["tenant_wide"]] == opened


def test_whom_it_reached_before_is_named_even_if_nobody_is_left_there():
    (row,) = _delta([(APP, GONE, RESTRICT)], [])["tenant_wide"]
    assert row["was"] == [{"kind": "group-members", "id": GONE}]
    assert row["subject"] == {"kind": "everyone"}


def test_a_scope_that_is_gone_covers_nobody():
    found = _delta([(APP, GONE, RESTRICT)], [])
    assert _said(found["gained"]) == [(APP, "everyone", None, [], "certain")]


def test_an_empty_scope_and_one_with_only_an_empty_group_in_it_gain_nobody():
    for scope in (EMPTY, NESTED_EMPTY):
        found = _delta([(APP, FULL, RESTRICT)], [(APP, FULL, RESTRICT), (APP, scope, RESTRICT)])
        assert found == {"gained": [], "lost": [], "tenant_wide": [], "unpopulated": []}


def test_a_scope_that_is_a_mailbox_is_said_to_be_one():
    found = _delta([(APP, EMPTY, RESTRICT)], [(APP, MAILBOX, RESTRICT)])
    assert _said(found["gained"]) == [(APP, "mailbox", MAILBOX, [], "certain")]


def test_a_mailbox_that_may_be_denied_is_possible():
    found = _delta(
        [(APP, EMPTY, RESTRICT), (APP, UNREAD, DENY)],
        [(APP, MAILBOX, RESTRICT), (APP, UNREAD, DENY)],
    )
    assert _said(found["gained"]) == [(APP, "mailbox", MAILBOX, [], "possible")]


def test_members_of_nested_groups_count():
    found = _delta([(APP, EMPTY, RESTRICT)], [(APP, NESTED, RESTRICT), (APP, MAILBOX, DENY)])
    assert _said(found["gained"]) == [(APP, "group-members", NESTED, [MAILBOX], "certain")]


def test_a_member_that_the_directory_does_not_know_may_be_a_group():
    open_group = _recipient(NESTED, "MailUniversalSecurityGroup", frozenset({LEAF}))
    changed = (
        [(APP, NESTED, RESTRICT), (APP, MAILBOX, RESTRICT), (APP, FULL, DENY)],
        [(APP, NESTED, RESTRICT)],
    )
    assert _said(_delta(*changed)["gained"]) == [(APP, "group-members", FULL, [], "certain")]
    assert _said(_delta(*changed, **{NESTED: open_group})["gained"]) == [
        (APP, "group-members", FULL, [], "possible")
    ]


def test_a_product_that_was_not_read_contributes_nothing():
    assert delta({"exchange": _state((APP, FULL, RESTRICT))}, {}, _directory()) == {
        "gained": [],
        "lost": [],
        "tenant_wide": [],
        "unpopulated": [],
    }
