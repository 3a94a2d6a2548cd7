"""Expectations on a state of a tenant: who is meant, what is certain, and what never passes."""

from __future__ import annotations

import pytest
from msgspec import ValidationError, convert, to_builtins
from msgspec.structs import replace

from reconciler.access import testing
from reconciler.access.testing import Expected, Unnamed
from reconciler.errors import CaptureFault
from reconciler.model.documents import Access, AccessRight
from reconciler.model.observed import (
    Directory,
    ExchangePolicy,
    ExchangeState,
    Group,
    GroupAssignment,
    Observed,
    Recipient,
    TeamsPolicy,
    TeamsState,
    User,
)
from reconciler.model.plans import Plan
from reconciler.model.test_results import ResultPath, ResultSubject

APP, OTHER = "00000001-0000-4000-8000-000000000001", "00000001-0000-4000-8000-000000000002"
MEGAN, NESTOR, GONE = (f"00000002-0000-4000-8000-00000000000{n}" for n in (1, 2, 3))
HOSTS = "00000003-0000-4000-8000-000000000001"
BOARD, INNER, SHARED = (f"00000004-0000-4000-8000-00000000000{n}" for n in (1, 2, 3))


def recipient(one: str, name: str, kind: str, members: frozenset[str] | None = None) -> Recipient:
    addresses = frozenset({f"{name}@contoso.com", f"{name}.old@contoso.com"})
    return Recipient(
        one,
        "S-1-5-21-1",
        f"{name}@contoso.com",
        addresses,
        name.title(),
        kind,
        principal=True,
        members=members,
    )


RECIPIENTS = {
    MEGAN: recipient(MEGAN, "megan", "UserMailbox"),
    NESTOR: recipient(NESTOR, "nestor", "UserMailbox"),
    SHARED: recipient(SHARED, "reception", "SharedMailbox"),
    BOARD: recipient(BOARD, "board", "MailUniversalSecurityGroup", frozenset({INNER})),
    INNER: recipient(INNER, "inner", "MailUniversalSecurityGroup", frozenset({MEGAN})),
}
DIRECTORY = Directory(
    users={
        MEGAN: User(MEGAN, "megan@contoso.com", "Megan"),
        NESTOR: User(NESTOR, "nestor@contoso.com", "Nestor"),
    },
    groups={HOSTS: Group(HOSTS, "Hosts", frozenset({MEGAN}))},
    recipients=RECIPIENTS,
    absent=frozenset({GONE, "gone@contoso.com"}),
    users_by_upn={"megan@contoso.com": MEGAN, "nestor@contoso.com": NESTOR},
    recipients_by_address={
        address: one.id for one in RECIPIENTS.values() for address in one.addresses
    },
)
TEAMS = TeamsState(
    policies={
        "global": TeamsPolicy("Global", {OTHER: OTHER}, ""),
        "hosts": TeamsPolicy("Hosts", {APP: APP}, ""),
    },
    groups=(GroupAssignment(HOSTS, "hosts"),),
    users={},
    spelled={},
)
EXCHANGE = ExchangeState(
    {(APP, BOARD): ExchangePolicy(APP, BOARD, "S", AccessRight.RESTRICT, "", "", "", "Board")}
)
OBSERVED = Observed(
    "t",
    "contoso.onmicrosoft.com",
    "now",
    "capture",
    {"teams": TEAMS, "exchange": EXCHANGE},
    DIRECTORY,
    "d",
)


def expected(
    product: str, subject: str, access: str = "granted", application: str = APP, test: str = "t"
) -> Expected:
    return Expected(test, application, product, subject, Access(access))  # type: ignore[arg-type]


def answer(
    product: str, subject: str, observed: Observed = OBSERVED, application: str = APP
) -> testing.Result:
    (result,) = testing.judge_observed(
        [expected(product, subject, application=application)], observed
    )
    return result


@pytest.mark.parametrize(
    ("product", "subject", "verdict"),
    [
        ("teams", MEGAN, "granted"),
        ("teams", "megan@contoso.com", "granted"),
        ("teams", NESTOR, "denied"),
        ("exchange", MEGAN, "granted"),
        ("exchange", "megan.old@contoso.com", "granted"),
        ("exchange", "nestor@contoso.com", "denied"),
        ("exchange", "reception@contoso.com", "denied"),
    ],
)
def test_people_are_found_under_every_name(product: str, subject: str, verdict: str) -> None:
    assert answer(product, subject).verdict == verdict


@pytest.mark.parametrize(
    ("product", "subject", "why"),
    [
        ("teams", GONE, Unnamed.USER_ABSENT),
        ("teams", "gone@contoso.com", Unnamed.USER_ABSENT),
        ("teams", "nobody@contoso.com", Unnamed.USER_UNKNOWN),
        ("teams", "00000002-0000-4000-8000-000000000009", Unnamed.USER_UNKNOWN),
        ("exchange", GONE, Unnamed.MAILBOX_ABSENT),
        ("exchange", "nobody@contoso.com", Unnamed.MAILBOX_UNKNOWN),
        ("exchange", "board@contoso.com", Unnamed.NOT_A_MAILBOX),
    ],
)
@pytest.mark.parametrize("access", list(Access))
def test_who_is_nobody_passes_nothing(
    product: str, subject: str, why: Unnamed, access: Access
) -> None:
    (result,) = testing.judge_observed([expected(product, subject, access)], OBSERVED)
    assert (result.answer, result.verdict, result.passed, result.subject) == (
        why,
        "depends",
        False,
        subject,
    )
    assert result.row().why == ResultPath(None, (), (why.value,))
    assert not list(result.mentions())


def test_a_holder_of_a_grant_exists_whoever_looked_for_them() -> None:
    assert (
        answer(
            "teams",
            GONE,
            replace(
                OBSERVED,
                states={**OBSERVED.states, "teams": replace(TEAMS, users={GONE: "hosts"})},
            ),
        ).verdict
        == "granted"
    )


def test_unknown_members_pass_neither_way() -> None:
    unknown = replace(
        DIRECTORY,
        groups={},
        recipients={**RECIPIENTS, BOARD: replace(RECIPIENTS[BOARD], members=None)},
    )
    for product in ("teams", "exchange"):
        for access in Access:
            (result,) = testing.judge_observed(
                [expected(product, MEGAN, access)], replace(OBSERVED, directory=unknown)
            )
            assert (result.verdict, result.passed) == ("depends", False)
            assert result.row().why.unknown, "what would decide it is named"


@pytest.mark.parametrize("product", ["teams", "exchange"])
def test_a_product_that_was_not_read_is_no_empty_product(product: str) -> None:
    with pytest.raises(CaptureFault, match=f"the capture is not complete for {product}"):
        answer(product, MEGAN, replace(OBSERVED, states={}))


def test_a_row_says_everything_that_an_apply_needs() -> None:
    result = answer("exchange", "megan@contoso.com")
    row = result.row()
    assert row.subject == ResultSubject(MEGAN, "mailbox", "megan@contoso.com")
    assert row.why.decided_by == f"exchange.policy/{APP}@{BOARD}"
    assert [one.row() for one in testing.judge_observed(testing.of_rows([row]), OBSERVED)] == [row]


def test_the_reading_asks_for_whom_tests_name_and_for_no_more() -> None:
    request = testing.request_for_expectations(
        [
            expected("teams", MEGAN),
            expected("teams", "a@b.com"),
            expected("teams", MEGAN, test="other"),
        ]
    )
    assert (request.products, request.users, request.recipients) == (
        frozenset({"teams"}),
        (MEGAN, "a@b.com"),
        (),
    )
    assert testing.request_for_expectations([expected("exchange", MEGAN)]).recipients == (MEGAN,)
    assert testing.request_for_expectations([]).products == frozenset()


def test_the_order_of_expectations_says_nothing() -> None:
    many = [
        expected(product, subject, test=test)
        for product in ("teams", "exchange")
        for subject in (MEGAN, NESTOR)
        for test in ("b", "A")
    ]
    assert testing.judge_observed(many, OBSERVED) == testing.judge_observed(many[::-1], OBSERVED)
    assert [one.expected.test for one in testing.judge_observed(many, OBSERVED)] == ["A"] * 4 + [
        "b"
    ] * 4


NOTES = (
    "changes",
    "consents",
    "displaced",
    "held",
    "refusals",
    "steps",
    "unmanaged",
    "unresolved",
    "warnings",
    "widened",
)
PLAN = {
    **{name: [] for name in NOTES},
    **{name: {} for name in ("baseline", "connect", "names", "summary")},
    "access": None,
    "gaps": None,
    "applicable": True,
    "format_version": "2.0",
    "limits": dict.fromkeys(
        ("maxDeletePercent", "maxDeletes", "maxRemovalPercent", "maxRemovals"), 0
    ),
    "tool": {"name": "reconciler", "version": "0"},
    "inputs": {
        "capture_digest": "0" * 64,
        "capture_taken_at": "",
        "documents_digest": "0" * 64,
        "source": "capture",
    },
    "tenant": {"organization": "", "tenantId": MEGAN},
}


@pytest.mark.parametrize(
    "broken",
    [
        {"name": 7},
        {"application": None},
        {"subject": {"id": "x", "kind": "user"}},
        {"subject": {"id": "x", "kind": "moon", "written": "x"}},
        {"expected": "maybe"},
        {"passed": 1},
        {"excused": None},
        {"verdict": []},
        {"why": None},
        {"why": {"decided_by": 7, "path": [], "unknown": []}},
        {
            "why": {
                "decided_by": None,
                "path": [{"address": "a", "asked": "b", "holds": 0}],
                "unknown": [],
            }
        },
        {
            "why": {
                "decided_by": None,
                "path": [{"address": "a", "asked": 1, "holds": None}],
                "unknown": [],
            }
        },
        {"why": {"decided_by": None, "path": [], "unknown": [7]}},
    ],
)
def test_what_is_no_row_is_refused(broken: dict) -> None:
    row = to_builtins(answer("teams", MEGAN).row())
    assert convert({**PLAN, "tests": [row]}, Plan).tests
    with pytest.raises(ValidationError, match=r"`\$\.tests\[1\]\."):
        convert({**PLAN, "tests": [row, {**row, **broken}]}, Plan)
