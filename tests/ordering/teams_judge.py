"""Teams with 2 applications, 2 policies and Global, 2 users, 1 group: every state, and a plain
judge of transitions that knows no planner.

A state is (list of P1, list of P2, list of Global, grant of user 1, grant of user 2, grant of the
group): lists are two bits or None for a policy that is not there, grants are 0 (P1), 1 (P2) or
None. Whoever could be reached: the two users and somebody whom nothing names, each in the group or
not.
"""

from __future__ import annotations

import itertools
from functools import cache

from reconciler.kinds.teams.target import TeamsTarget
from reconciler.model.observed import GroupAssignment, TeamsPolicy, TeamsState
from tests.planning.enumerated_access import APPS, GROUPS, NAMES, USERS

KEYS = ("alpha", "beta")
GROUP = GROUPS[0]
NUMBER = {APPS[0]: 1, APPS[1]: 2}
HOLDERS = (*USERS[:2], GROUP)


def every_state():
    lists = (None, 0, 1, 2, 3)
    for one, two in itertools.product(lists, lists):
        present = [number for number, listed in enumerate((one, two)) if listed is not None]
        for everyone in range(4):
            for grants in itertools.product((None, *present), repeat=3):
                yield (one, two, everyone, *grants)


STATES = list(every_state())
PAIRS = len(STATES) ** 2


def _images(state):
    """The state under the eight exchanges of applications, policies and users."""
    one, two, everyone, *grants = state
    for apps, policies, users in itertools.product((False, True), repeat=3):
        lists = [
            listed if not apps or listed is None else (listed >> 1) | (listed & 1) << 1
            for listed in (one, two, everyone)
        ]
        given = [grant if not policies or grant is None else 1 - grant for grant in grants]
        if policies:
            lists[0], lists[1] = lists[1], lists[0]
        if users:
            given[0], given[1] = given[1], given[0]
        yield (*lists, *given)


@cache
def _permutations():
    index = {state: number for number, state in enumerate(STATES)}
    return list(zip(*([index[image] for image in _images(state)] for state in STATES), strict=True))


def orbit(first, second):
    """How many pairs are this one in disguise; 0 if a smaller one stands for it."""
    images = set()
    for permutation in _permutations():
        image = (permutation[first], permutation[second])
        if image < (first, second):
            return 0
        images.add(image)
    return len(images)


def everything():
    """(number, number, orbit) of one pair of each orbit."""
    for first, second in itertools.product(range(len(STATES)), repeat=2):
        size = orbit(first, second)
        if size:
            yield first, second, size


def _policy(name, listed):
    return TeamsPolicy(name, {app: app for app, bit in NUMBER.items() if listed & bit}, "")


@cache
def observed(number):
    one, two, everyone, *grants = STATES[number]
    policies = {
        key: _policy(name, listed)
        for key, name, listed in zip(KEYS, NAMES, (one, two), strict=False)
        if listed is not None
    }
    policies["global"] = _policy("Global", everyone)
    groups = () if grants[2] is None else (GroupAssignment(GROUP, KEYS[grants[2]]),)
    users = {
        user: KEYS[grant]
        for user, grant in zip(USERS, grants[:2], strict=False)
        if grant is not None
    }
    return TeamsState(
        policies, groups, users, {key: policy.name for key, policy in policies.items()}
    )


def bystanders(first, second):
    """How many of the two users hold nothing, before and after."""
    return sum(
        1 for place in (3, 4) if STATES[first][place] is None and STATES[second][place] is None
    )


def target(first, second):
    before, after = observed(first), observed(second)
    changing = {user for user in USERS[:2] if before.users.get(user) != after.users.get(user)}
    users = {user: after.users.get(user) for user in changing}
    declared = tuple(one.group for one in after.groups)
    return TeamsTarget(
        after.policies, after.groups, users, declared, None, frozenset(), frozenset(), ()
    )


def reached(state):
    """Twelve bits: for each of user 1, user 2 and somebody else, outside the group and in it, two
    applications.
    """
    one, two, everyone, *grants = state
    lists = (one, two)
    member = everyone if grants[2] is None else lists[grants[2]]
    found = 0
    for holder in (grants[0], grants[1], None):
        for inside in (everyone, member):
            found = found << 2 | (inside if holder is None else lists[holder])
    return found


def run(state, cmdlet, given):
    """The state after a step; fails as the service does."""
    now = list(state)
    if cmdlet.startswith("Grant"):
        policy = None if given["PolicyName"] is None else NAMES.index(given["PolicyName"])
        assert policy is None or now[policy] is not None, (
            "a policy that is not there cannot be granted"
        )
        holder = given.get("Group") or given["Identity"]
        assert "Group" not in given or policy is None or given["Rank"] == 1
        now[3 + HOLDERS.index(holder)] = policy
        return tuple(now)
    place = [*NAMES[:2], "Global"].index(given["Identity"])
    if cmdlet.startswith("New"):
        assert now[place] is None, "it is there already"
        now[place] = sum(NUMBER[app] for app in given.get("AppIds", ()))
    elif cmdlet.startswith("Remove"):
        assert now[place] is not None
        assert place not in now[3:], "still assigned"
        now[place] = None
    else:
        edit = given["AppIds"]
        now[place] = now[place] & ~sum(NUMBER[app] for app in edit.get("Remove", ())) | sum(
            NUMBER[app] for app in edit.get("Add", ())
        )
    return tuple(now)


def way(first, drafts):
    """The states before the first step and after each."""
    states = [STATES[first]]
    for draft in drafts:
        states.append(run(states[-1], draft.invocation.cmdlet, draft.invocation.parameters))
    return states


def judged(states):
    """Unsafe prefixes, and missing pairs summed over the prefixes."""
    before, after = reached(states[0]), reached(states[-1])
    found = [reached(state) for state in states]
    return sum(1 for one in found if one & ~(before | after)), sum(
        weighed(before & after & ~one) for one in found
    )


def weighed(missing):
    """Pairs of the two users count first, pairs of somebody whom nothing names only between equals."""
    return (missing >> 4).bit_count() * 10_000 + (missing & 15).bit_count()


class Least:
    """The fewest missing pairs over all safe orders of single steps, by plain enumeration of sets
    of steps.
    """

    def __init__(self, first, second):
        self.first, self.second = STATES[first], STATES[second]
        before, after = reached(self.first), reached(self.second)
        self.either, self.both = before | after, before & after
        self.steps = list(self._steps())
        self.known = {}

    def _steps(self):
        """(place, function of the value there): the halves of list edits, policies that come and
        go, grants.
        """
        for place in range(3):
            old, new = self.first[place], self.second[place]
            if old is None and new is not None:
                yield place, "new", new
            elif old is not None and new is None:
                yield place, "gone", None
            elif old is not None:
                yield from (
                    (place, kind, bits)
                    for kind, bits in (("less", old & ~new), ("more", new & ~old))
                    if bits
                )
        for place in range(3, 6):
            if self.first[place] != self.second[place]:
                yield place, "grant", self.second[place]

    def fewest(self, *, only_none=False):
        """The least sum; None if no order is safe.

        With `only_none`: 0, or None if every safe order misses something.
        """
        return self._rest(self.first, (1 << len(self.steps)) - 1, only_none)

    def _rest(self, state, left, only_none):
        if not left:
            return 0
        if left not in self.known:
            self.known[left] = min(self._further(state, left, only_none), default=None)
        return self.known[left]

    def _further(self, state, left, only_none):
        for number, (place, kind, value) in enumerate(self.steps):
            if not left >> number & 1:
                continue
            after = self._done(state, place, kind, value)
            if after is None:
                continue
            found = reached(after)
            missing = weighed(self.both & ~found)
            if found & ~self.either or (only_none and missing):
                continue
            rest = self._rest(after, left & ~(1 << number), only_none)
            if rest is not None:
                yield rest + missing

    def _done(self, state, place, kind, value):
        if kind == "grant" and value is not None and state[value] is None:
            return None
        if kind == "gone" and place in state[3:]:
            return None
        now = list(state)
        now[place] = {
            "less": lambda: state[place] & ~value,
            "more": lambda: state[place] | value,
        }.get(kind, lambda: value)()
        return tuple(now)
