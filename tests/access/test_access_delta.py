"""The symbolic delta against an enumeration of everybody, for random small worlds: exact where
membership is known, sound and complete where not.
"""

from __future__ import annotations

import dataclasses
import itertools
import random

import pytest
from msgspec.structs import replace

from reconciler.model.observed import Group
from tests.access.written import delta
from tests.planning.enumerated_access import (
    APPS,
    GROUPS,
    NAMES,
    SCOPES,
    USERS,
    directory,
    guid,
    random_exchange,
    random_teams,
)

pytestmark = pytest.mark.no_cover

SAMPLES = 600
STRANGER = guid(2, 99)
PEOPLE = [*USERS, STRANGER]
GROUPS_HERE, SCOPES_HERE = GROUPS[:3], SCOPES[:3]
OTHER_APP = APPS[3]


def _combinations(groups):
    return [
        frozenset(some)
        for size in range(len(groups) + 1)
        for some in itertools.combinations(groups, size)
    ]


def _memberships(chance, groups, people, knowing):
    """Members of each group, None for one whose members the capture does not know; and every way
    the people can be in groups then.
    """
    members = {
        group: (
            frozenset(one for one in people if chance.random() < 0.5)
            if chance.random() < knowing
            else None
        )
        for group in groups
    }
    possible = {
        one: [
            some
            for some in _combinations(groups)
            if all(
                known is None or (one in known) == (group in some)
                for group, known in members.items()
            )
        ]
        for one in people
    }
    return members, possible


def _denoted(part, one, some, holders):
    """Whether somebody who is in some groups is in a named set of subjects."""
    kind, identifier = part["kind"], part.get("id", "")
    holds = holders.get(one, (None, None))
    if kind in {"user", "mailbox"}:
        return one == identifier
    if kind == "policy-holders":
        return holds[0] == identifier
    indirect = holds == (None, None)
    return indirect and (kind == "everyone" or identifier in some)


def _covers(row, application, one, some, holders):
    subject = row["subject"]
    excepted = any(_denoted(part, one, some, holders) for part in subject.get("except", ()))
    return (
        row["application"] == application and _denoted(subject, one, some, holders) and not excepted
    )


def _judge(rows, possible, applications, changes, holders):
    """`changes(application, one, some)` is the truth.

    Return whether all that is possible was said to be certain.
    """
    for application in applications:
        for one, ways in possible.items():
            for some in ways:
                covering = [
                    row["certainty"]
                    for row in rows
                    if _covers(row, application, one, some, holders)
                ]
                happens = changes(application, one, some)
                assert not happens or covering, f"{application} {one} {sorted(some)} is in no row"
                assert happens or "certain" not in covering, (
                    f"{application} {one} {sorted(some)} does not change"
                )


def _teams_case(seed, knowing):
    chance = random.Random(seed)
    sizes = (APPS[:2], USERS, GROUPS_HERE, NAMES)
    before, after = random_teams(chance, *sizes), random_teams(chance, *sizes)
    if chance.random() < 0.6:
        after = (
            before.copy()
            if chance.random() < 0.5
            else dataclasses.replace(
                after, users=dict(before.users), policies={**after.policies, **before.policies}
            )
        )
        after.policies = {
            name: (
                frozenset(random.Random(f"{seed}{name}").sample(APPS[:2], chance.randint(0, 2))),
                "",
            )
            for name in after.policies
        }
    members, possible = _memberships(chance, GROUPS_HERE, PEOPLE, knowing)
    known = replace(
        directory(), groups={group: Group(group, "", some) for group, some in members.items()}
    )
    return before, after, known, possible


def _judge_teams(seed, knowing):
    before, after, known, possible = _teams_case(seed, knowing)
    found = delta({"teams": before.state()}, {"teams": after.state()}, known)
    for name, old, new in (("gained", before, after), ("lost", after, before)):
        holders = {
            one: (new.users.get(one), old.users.get(one))
            for one in PEOPLE
            if one in old.users or one in new.users
        }
        changes = lambda app, one, some, old=old, new=new: (
            app in new.reach(one, some) - old.reach(one, some)
        )
        _judge(found[name], possible, APPS[:2], changes, holders)
    return found


@pytest.mark.parametrize("knowing", [0.0, 0.5, 1.0])
def test_teams_rows_are_sound_and_complete(knowing):
    rows = 0
    for seed in range(SAMPLES):
        found = _judge_teams(seed, knowing)
        rows += len(found["gained"])
        if knowing == 1.0:
            assert {row["certainty"] for row in found["gained"] + found["lost"]} <= {"certain"}
    assert rows > SAMPLES


def _exchange_case(seed, knowing):
    chance = random.Random(seed)
    apps = [*APPS[:2], "*"]
    before, after = (
        random_exchange(chance, apps, SCOPES_HERE),
        random_exchange(chance, apps, SCOPES_HERE),
    )
    if chance.random() < 0.5:
        after = before.copy()
        after.policies.pop(chance.choice(sorted(after.policies)), None) if after.policies else None
    members, possible = _memberships(chance, SCOPES_HERE, PEOPLE, knowing)
    known = directory()
    recipients = {
        scope: replace(known.recipients[scope], type="MailUniversalSecurityGroup", members=some)
        for scope, some in members.items()
    }
    return (
        before,
        after,
        replace(known, recipients=recipients, users=dict.fromkeys(PEOPLE, known.users[USERS[0]])),
        possible,
    )


@pytest.mark.parametrize("knowing", [0.0, 0.5, 1.0])
def test_exchange_rows_are_sound_and_complete(knowing):
    rows = 0
    for seed in range(SAMPLES):
        before, after, known, possible = _exchange_case(seed, knowing)
        found = delta({"exchange": before.state()}, {"exchange": after.state()}, known)
        for name, old, new in (("gained", before, after), ("lost", after, before)):
            changes = lambda app, _, some, old=old, new=new: (
                new.granted(app, some) and not old.granted(app, some)
            )
            applications = (
                {app for app, _ in before.policies} | {app for app, _ in after.policies} | {"*"}
            )
            _judge(found[name], possible, applications, changes, {})
        rows += len(found["gained"])
        if knowing == 1.0:
            assert {row["certainty"] for row in found["gained"] + found["lost"]} <= {"certain"}
    assert rows > SAMPLES
