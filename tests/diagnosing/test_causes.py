"""What an error, the tenant, the documents and the journals say together, for every combination."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from reconciler.applying.recent import JournalledWrite
from reconciler.audiences.questions import Question
from reconciler.audiences.verdicts import Asked, Denied, Depends, Granted, Reason, Verdict
from reconciler.diagnosing.causes import Delay, RefusalCause, cause_of, last_delay
from reconciler.diagnosing.signs import GATE_PRODUCTS, SIGNS, Sign
from reconciler.kinds.facts import facts
from reconciler.model.access_rows import SubjectKind
from reconciler.model.addresses import (
    TEAMS_TENANT_GRANT,
    Address,
    Provider,
    exchange_policy,
    teams_group_grant,
    teams_policy,
    teams_user_grant,
)

APP, OTHER, USER, GROUP = (f"{digit * 8}-0000-4000-8000-000000000000" for digit in "abcd")
OWN, POLICY = teams_user_grant(USER), teams_policy("P")
VERDICTS: tuple[Verdict, ...] = (
    Granted((Reason(Asked.DIRECT_GRANT, OWN, holds=True),), POLICY),
    Denied((Reason(Asked.DIRECT_GRANT, OWN, holds=True),), POLICY),
    Depends((Reason(Asked.DIRECT_GRANT, OWN, holds=None),), (OWN,)),
)


def _write(address: Address, at: float = 100.0) -> JournalledWrite:
    return JournalledWrite(address, at, certain=True, journal=Path("apply-000001.jsonl"), step=1)


DELAYS = (
    None,
    Delay(_write(OWN), 1900.0, over=False),
    Delay(_write(OWN), 1900.0, over=True),
)


@pytest.mark.parametrize("sign", [None, *SIGNS], ids=lambda sign: sign.id if sign else "unknown")
def test_the_verdicts_of_the_tenant_decide_where_policies_are_the_gate(sign: Sign | None) -> None:
    for now, after, delay in itertools.product((None, *VERDICTS), (None, *VERDICTS), DELAYS):
        cause = cause_of(sign, now, after, delay)
        if sign is None:
            expected = RefusalCause.UNKNOWN
        elif sign.gate not in GATE_PRODUCTS or now is None:
            expected = RefusalCause.NOT_OURS
        elif isinstance(now, Depends):
            expected = RefusalCause.UNDECIDED
        elif isinstance(now, Granted):
            expected = RefusalCause.WAITING if delay == DELAYS[1] else RefusalCause.LET_THROUGH
        else:
            applied = isinstance(after, Granted)
            expected = RefusalCause.NOT_APPLIED if applied else RefusalCause.DENIED
        assert cause is expected
        assert cause_of(sign, now, after, delay, other=True) is RefusalCause.WRONG_ID


def _asked(product: Provider) -> Question:
    kind = SubjectKind.USER if product == "teams" else SubjectKind.MAILBOX
    return Question(APP, kind, USER, resolved=True)


GROUPED = Granted(
    (
        Reason(Asked.DIRECT_GRANT, OWN, holds=False),
        Reason(Asked.GROUP_GRANT, teams_group_grant(GROUP), holds=True),
        Reason(Asked.LISTED, POLICY, holds=True),
    ),
    POLICY,
)


@pytest.mark.parametrize(
    ("product", "address", "now", "decides"),
    [
        ("teams", OWN, VERDICTS[0], True),
        ("teams", OWN, GROUPED, True),
        ("teams", POLICY, GROUPED, True),
        ("teams", teams_policy("Q"), GROUPED, False),
        ("teams", teams_user_grant(OTHER), GROUPED, False),
        ("teams", teams_group_grant(OTHER), GROUPED, True),
        ("teams", teams_group_grant(OTHER), VERDICTS[0], False),
        ("teams", TEAMS_TENANT_GRANT, GROUPED, True),
        ("teams", TEAMS_TENANT_GRANT, VERDICTS[0], False),
        ("teams", exchange_policy(APP, GROUP), GROUPED, False),
        ("exchange", exchange_policy(APP, GROUP), GROUPED, True),
        ("exchange", exchange_policy("*", GROUP), GROUPED, True),
        ("exchange", exchange_policy(OTHER, GROUP), GROUPED, False),
    ],
)
def test_a_change_counts_if_it_may_have_decided(
    product: Provider, address: Address, now: Verdict, decides: bool
) -> None:
    delay = last_delay(_asked(product), product, now, [_write(address)], 200.0)
    assert (delay is not None) == decides


@pytest.mark.parametrize("product", ["teams", "exchange"])
def test_what_is_waited_for_is_the_product_s_time(product: Provider) -> None:
    address = OWN if product == "teams" else exchange_policy(APP, GROUP)
    until = 100.0 + 60 * facts(product).enforced_after
    for at, over in ((100.0, False), (until - 1, False), (until, True)):
        delay = last_delay(_asked(product), product, GROUPED, [_write(address)], at)
        assert delay is not None
        assert (delay.until, delay.over) == (until, over)


def test_the_latest_change_counts() -> None:
    writes = [_write(teams_policy("Q"), 300.0), _write(POLICY, 200.0), _write(OWN, 100.0)]
    delay = last_delay(_asked("teams"), "teams", GROUPED, writes, 400.0)
    assert delay is not None
    assert delay.write == writes[1]
