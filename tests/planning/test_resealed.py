"""Whoever can write can seal again: both digests of a changed plan file are right. What follows from
baseline and steps is refused all the same; what does not is another approval; and what an approval
leaves out is a short list.
"""

from __future__ import annotations

import json
import random
import re
from collections import Counter
from functools import cache

import pytest

from reconciler import canonical
from reconciler.errors import TamperedPlan
from reconciler.planning import approval, planfile, reviewed
from tests.planning.test_consequences import consented

LEFT_OUT = (
    r"names|unmanaged|warnings|inputs|tool|format_version"  # for people, and where it came from
    r"|summary\.access .*"  # how many members a reading knew
    r"|access\..*(except|was|certainty|unpopulated).*"
    r"|access\.(gained|lost|tenant_wide)(\.#(\.subject)?)?(\.id|\.kind)?"
    r"|gaps\.#\.(proved|subject\.except.*)"
    r"|narrowed(\.#\.holders)?"  # who else got a policy that is made smaller gains nothing by it
)


@cache
def files():
    """Plan files as JSON values, of plans that can be applied."""
    plans = [plan for plan in map(consented, range(40)) if plan.applicable and plan.steps]
    return [json.loads(b"".join(planfile.chunks(plan))) for plan in plans]


def loaded(raw, folder):
    """What is read of a file that is sealed again; raises what reading it raises."""
    raw["content_digest"] = f"content:{canonical.digest(approval.covered(raw))}"
    raw["digest"] = f"plan:{canonical.digest({k: v for k, v in raw.items() if k != 'digest'})}"
    path = folder / "plan.json"
    path.write_bytes(canonical.dumps(raw) + b"\n")
    return reviewed.load(path)


def copied(raw):
    return json.loads(json.dumps(raw))


def _change(raw, *, updated=True):
    return next(one for one in raw["changes"] if bool(one["attributes"]) is updated)


def _flip(raw):
    return next(one for one in raw["changes"] if len(one["actions"]) == 2)


def _step_of(raw, address):
    return [step for step in raw["steps"] if step["address"] == address][-1]


FOLLOWS = {
    "attributes are emptied": lambda raw: _change(raw).update(attributes=[]),
    "an attribute has another name": lambda raw: _change(raw)["attributes"][0].update(name="x"),
    "an attribute was otherwise": lambda raw: _change(raw)["attributes"][0].update(
        before="x", added=["x"]
    ),
    "an attribute of what is new": lambda raw: _change(raw, updated=False).update(
        attributes=_change(raw)["attributes"]
    ),
    "a flip the other way round": lambda raw: _flip(raw)["actions"].reverse(),
    "a flip that only creates": lambda raw: _flip(raw).update(actions=["create"]),
    "a creation that updates": lambda raw: next(
        one for one in raw["changes"] if one["before"] is None
    ).update(actions=["update"]),
    "the end of a flip is temporary": lambda raw: _step_of(raw, _flip(raw)["address"]).update(
        temporary=True
    ),
    "no list gets longer": lambda raw: raw["widened"].pop(),
    "another list gets longer": lambda raw: raw["widened"][0].update(address="teams.policy/x"),
    "no list gets shorter": lambda raw: raw["narrowed"].pop(),
    "nothing is said of lists that get shorter": lambda raw: (
        raw["narrowed"][0] and raw.pop("narrowed")
    ),
    "nothing relies on anything": lambda raw: raw.update(
        warnings=[one for one in raw["warnings"] if one["code"] != "relies-on"]
    ),
    "somebody gains twice": lambda raw: raw["access"]["gained"].append(raw["access"]["gained"][0]),
    "somebody loses twice": lambda raw: raw["access"]["lost"].append(raw["access"]["lost"][0]),
}


@pytest.mark.parametrize("edit", FOLLOWS)
def test_what_follows_from_baseline_and_steps_is_refused(tmp_path, edit):
    refused = 0
    for raw in files():
        changed = copied(raw)
        try:
            FOLLOWS[edit](changed)
        except (IndexError, KeyError, StopIteration):
            continue
        if changed == raw:
            continue
        refused += 1
        with pytest.raises(
            TamperedPlan, match=r"changed after planning|invalid plan file"
        ) as fault:
            loaded(changed, tmp_path)
        assert fault.value.exit_code == 5
        if refused == 5:
            break
    assert refused


SEALED = {
    "whose grants are taken": lambda raw: raw["displaced"].pop(),
    "how many": lambda raw: raw["displaced"][0]["details"].update(users=0),
    "how the new scope is written": lambda raw: next(
        one["after"] for one in raw["changes"] if "scope" in (one["after"] or {})
    ).update(scope="nobody@contoso.com"),
    "who holds a list": lambda raw: raw["widened"][0].update(holders="0" * 64),
    "a limit": lambda raw: raw["limits"].update(maxDeletes=0),
    "the tenant": lambda raw: raw["tenant"].update(organization="x.onmicrosoft.com"),
    "why": lambda raw: raw["steps"][0].update(reason="x"),
}


@pytest.mark.parametrize("edit", SEALED)
def test_what_does_not_is_another_approval(tmp_path, edit):
    for raw in files():
        changed = copied(raw)
        try:
            SEALED[edit](changed)
        except (IndexError, KeyError, StopIteration):
            continue
        assert loaded(changed, tmp_path).content_digest != raw["content_digest"]
        return
    raise AssertionError("no plan has this")


def _places(value, way=()):
    if way:
        yield way
    rows = value.items() if isinstance(value, dict) else ()
    rows = enumerate(value) if isinstance(value, list) else rows
    for key, inner in rows:
        yield from _places(inner, (*way, key))


def _other(value, chance):
    """Something else of the same type, or nothing."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + chance.choice([1, 7])
    if isinstance(value, str):
        return re.sub("[0-9a-z](?=[^0-9a-z]*$)", lambda one: "b" if one[0] != "b" else "c", value)
    if isinstance(value, list):
        return chance.choice([[], value[1:], value + value[:1]])
    return chance.choice([None, {}])


@pytest.mark.no_cover
def test_whatever_one_place_says_is_refused_or_sealed_or_left_out_on_purpose(tmp_path):
    chance, told = random.Random(26), Counter()
    for _ in range(500):
        raw = copied(chance.choice(files()))
        content = raw.pop("content_digest")
        del raw["digest"]
        member = chance.choice(sorted(raw))
        way = chance.choice([one for one in _places(raw[member], (member,)) if one])
        holder = raw
        for key in way[:-1]:
            holder = holder[key]
        old, holder[way[-1]] = holder[way[-1]], _other(holder[way[-1]], chance)
        if holder[way[-1]] == old:
            continue
        name = ".".join("#" if isinstance(key, int) else key for key in way)
        try:
            changed = loaded(raw, tmp_path).content_digest != content
        except (TamperedPlan, AttributeError, KeyError, TypeError):
            told["refused"] += 1
            continue
        told["sealed" if changed else "left out"] += 1
        assert changed or re.match(rf"({LEFT_OUT})(\.|$)", name), name
    assert min(told[one] for one in ("refused", "sealed", "left out")) > 50, told
