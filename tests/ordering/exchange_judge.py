"""Exchange with one application and `*`, 3 scopes, both rights: every state, and a plain judge of
transitions that knows no planner.

A state is six digits, for (application, scope) and then (`*`, scope): 0 no policy, 1
RestrictAccess, 2 DenyAccess. Who could be reached: by the application, and by one without policies
of its own, a mailbox in any combination of the scopes.
"""

from __future__ import annotations

import itertools
from functools import cache

from msgspec.structs import replace

from reconciler.kinds.exchange.target import Creation, ExchangeTarget
from reconciler.model.documents import AccessRight
from reconciler.model.observed import ExchangePolicy, ExchangeState, Recipient
from tests.planning.enumerated_access import APPS, SCOPES, directory

ORGANISATION = "63759d9f-bfca-4f52-ae98-8f2f1d7bc173"
NOBODY = "00000009-0000-4000-8000-000000000009"
NOBODY_SID = "S-1-5-21-9-9-9-9"
GUARD_SCOPE = "nobody@contoso.com"
RIGHTS = (None, AccessRight.RESTRICT, AccessRight.DENY)
KEYS = [(app, scope) for app in (APPS[0], "*") for scope in SCOPES[:3]]
STATES = list(itertools.product(range(3), repeat=6))
PAIRS = len(STATES) ** 2
GUARDED_BY = {(APPS[0], NOBODY): 1, ("*", NOBODY): 2}


@cache
def people(members=frozenset()):
    known = directory()
    nobody = Recipient(
        NOBODY, NOBODY_SID, GUARD_SCOPE, frozenset({GUARD_SCOPE}), "Nobody", "", True, members
    )
    recipients = {**known.recipients, NOBODY: nobody}
    return replace(
        known,
        recipients=recipients,
        recipients_by_address={**known.recipients_by_address, GUARD_SCOPE: NOBODY},
    )


def identity(key):
    app, scope = key
    return f"{ORGANISATION}\\{app}:{NOBODY_SID if scope == NOBODY else 'S-1-5-21-1-1-1-' + scope[-1]};{scope}"


@cache
def _policy(key, digit):
    return ExchangePolicy(*key, "S-1", RIGHTS[digit], "", "", identity(key), "")


@cache
def observed(number):
    return ExchangeState(
        {key: _policy(key, digit) for key, digit in zip(KEYS, STATES[number], strict=True) if digit}
    )


def target(first, second):
    both = list(zip(KEYS, STATES[first], STATES[second], strict=True))
    created = {
        key: Creation(RIGHTS[new], f"{key[1]}@contoso.com", None)
        for key, old, new in both
        if new and new != old
    }
    removed = {key: _policy(key, old) for key, old, new in both if old and new != old}
    return ExchangeTarget(created, removed, {}, {}, {}, {})


@cache
def reached(state, guards=0):
    """Sixteen bits: application and other one, eight combinations of scopes.

    Guards: 1 for the application, 2 for `*`.
    """
    found = 0
    for other, inside in itertools.product((False, True), range(8)):
        matching = [
            (scope % 3, digit)
            for scope, digit in enumerate(state)
            if digit and (scope >= 3 or not other)
        ]
        if any(digit == 2 and inside >> scope & 1 for scope, digit in matching):
            granted = False
        elif any(digit == 1 and inside >> scope & 1 for scope, digit in matching):
            granted = True
        else:
            guarded = bool(guards & (2 if other else 3))
            granted = not guarded and all(digit != 1 for _, digit in matching)
        found = found << 1 | granted
    return found


def way(first, drafts):
    """(state, guards) before the first step and after each; fails as the service does."""
    states = [(STATES[first], 0)]
    for draft in drafts:
        states.append(_run(*states[-1], draft.invocation.cmdlet, draft.invocation.parameters))
    return states


def _run(state, guards, cmdlet, given):
    created = cmdlet.startswith("New")
    if created:
        (app,) = given["AppId"]
        written = given["PolicyScopeGroupId"]
        key = (app, NOBODY if written == GUARD_SCOPE else written.partition("@")[0])
    else:
        app, _, rest = given["Identity"].partition("\\")[2].partition(":")
        key = (app, rest.partition(";")[2])
        assert given["Identity"] == identity(key)
    if key in GUARDED_BY:
        assert not created or given["AccessRight"] == "RestrictAccess"
        assert bool(guards & GUARDED_BY[key]) is not created
        return state, guards ^ GUARDED_BY[key]
    place = KEYS.index(key)
    assert bool(state[place]) is not created, "there already, or not there"
    digit = RIGHTS.index(AccessRight(given["AccessRight"])) if created else 0
    return (*state[:place], digit, *state[place + 1 :]), guards


def judged(states):
    """Unsafe prefixes, and missing pairs summed over the prefixes."""
    found = [reached(*state) for state in states]
    before, after = found[0], found[-1]
    return sum(1 for one in found if one & ~(before | after)), sum(
        (before & after & ~one).bit_count() for one in found
    )


class Least:
    """The fewest missing pairs over all safe orders without a guard, by plain enumeration of what
    lies between.
    """

    def __init__(self, first, second):
        self.first, self.second = STATES[first], STATES[second]
        before, after = reached(self.first), reached(self.second)
        self.either, self.both = before | after, before & after
        self.known = {self.second: 0}

    def fewest(self):
        """The least sum; None if no order is safe."""
        return self._rest(self.first)

    def _rest(self, state):
        if state not in self.known:
            self.known[state] = None  # a way never comes back to a state
            self.known[state] = min(self._further(state), default=None)
        return self.known[state]

    def _further(self, state):
        for place, (now, new) in enumerate(zip(state, self.second, strict=True)):
            if now == new:
                continue
            after = (*state[:place], 0 if now else new, *state[place + 1 :])
            found = reached(after)
            if found & ~self.either:
                continue
            rest = self._rest(after)
            if rest is not None:
                yield rest + (self.both & ~found).bit_count()
