"""The plan file: canonical, sealed by two digests, read back to the same value."""

from __future__ import annotations

import json
import random
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from msgspec.structs import replace

from reconciler import canonical
from reconciler.errors import TamperedPlan
from reconciler.model.documents import AccessRight
from reconciler.planning import approval, outcomes, planfile, prefixes
from reconciler.planning.making import PlanOptions, make_plan
from reconciler.reports import plans
from reconciler.reports.lines import plain_text
from reconciler.reports.review.composing import review
from tests.planning.enumerated_access import (
    APPS,
    GROUPS,
    NAMES,
    SCOPES,
    USERS,
    ExchangeWorld,
    documents,
    exchange_documents,
    observed,
    random_exchange,
    random_teams,
    random_teams_documents,
)
from tests.strategies.plans import plans as any_plan


def case(seed):
    chance = random.Random(seed)
    sizes = (APPS[:3], USERS[:3], GROUPS[:3], NAMES)
    teams, declared = random_teams(chance, *sizes), random_teams_documents(chance, *sizes)
    store, wanted = (
        random_exchange(chance, APPS[:2], SCOPES[:2]),
        random_exchange(chance, APPS[:2], SCOPES[:2]),
    )
    return documents(declared, exchange_documents(wanted)), observed(teams, store)


def made(seed):
    return make_plan(*case(seed), PlanOptions())


@pytest.fixture
def saved(tmp_path):
    path = tmp_path / "plan.json"
    planfile.sealed(made(7), path)
    return path


def test_a_plan_reads_back_as_the_same_value(tmp_path):
    for seed in range(50):
        result = made(seed)
        path = tmp_path / f"{seed}.json"
        sealed = planfile.sealed(result, path)
        loaded = planfile.load_plan(path)
        assert loaded.plan == result
        assert loaded.digests == sealed.digests == planfile.sealed(result).digests
        assert path.read_bytes() == b"".join(planfile.chunks(loaded.plan))
        assert path.read_bytes().endswith(b"}\n")


@given(any_plan())
@settings(max_examples=50, suppress_health_check=[HealthCheck.too_slow])
def test_whatever_the_types_allow_reads_back_as_the_same_value(value):
    with TemporaryDirectory() as folder:
        path = Path(folder) / "plan.json"
        sealed = planfile.sealed(value, path)
        loaded = planfile.load_plan(path)
    assert loaded.plan == value
    assert loaded.digests == sealed.digests


def test_the_same_content_in_any_order_gives_the_same_bytes():
    chance = random.Random(3)
    for seed in range(50):
        declared, here = case(seed)
        shuffled = replace(
            declared,
            teams=tuple(
                chance.sample(
                    [_shuffled(one, chance) for one in declared.teams], len(declared.teams)
                )
            ),
            exchange=tuple(chance.sample(declared.exchange, len(declared.exchange))),
        )
        teams, exchange = here.states["teams"], here.states["exchange"]
        turned = {
            "exchange": replace(exchange, policies=_turned(exchange.policies)),
            "teams": replace(teams, users=_turned(teams.users), policies=_turned(teams.policies)),
        }
        again = replace(here, states=turned)
        assert b"".join(planfile.chunks(make_plan(shuffled, again, PlanOptions()))) == b"".join(
            planfile.chunks(make_plan(declared, here, PlanOptions()))
        )


def _shuffled(document, chance):
    applications = document.applications and tuple(
        chance.sample(document.applications, len(document.applications))
    )
    groups = document.groups and tuple(chance.sample(document.groups, len(document.groups)))
    users = document.users and tuple(replace(one, texts=one.texts[::-1]) for one in document.users)
    return replace(document, applications=applications, groups=groups, users=users)


def _turned(mapping):
    return dict(reversed(mapping.items()))


def test_the_content_digest_ignores_when_and_from_what_a_plan_was_made():
    result = made(7)
    later = replace(result, inputs=replace(result.inputs, capture_taken_at="2027-01-01T00:00:00Z"))
    assert planfile.sealed(later).content_digest == planfile.sealed(result).content_digest
    assert planfile.sealed(later).digest != planfile.sealed(result).digest
    assert (
        planfile.sealed(replace(result, steps=result.steps[1:])).content_digest
        != planfile.sealed(result).content_digest
    )


def _rewrite(path, edit):
    raw = json.loads(path.read_text("utf-8"))
    edit(raw)
    path.write_bytes(canonical.dumps(raw) + b"\n")


@pytest.mark.parametrize(
    "edit",
    [
        lambda raw: raw["steps"][0].update(text="Remove-Mailbox"),
        lambda raw: raw["steps"][0]["parameters"].update(Identity="x"),
        lambda raw: raw.update(applicable=not raw["applicable"]),
        lambda raw: raw.update(unknown="field"),
        lambda raw: raw.pop("digest"),
        lambda raw: raw.update(digest="plan:0"),
        lambda raw: raw.update(content_digest="content:0"),
        lambda raw: raw["baseline"].update(teams=None),
    ],
)
def test_a_changed_file_is_refused(saved, edit):
    _rewrite(saved, edit)
    with pytest.raises(TamperedPlan, match="was modified after it was made"):
        planfile.load_plan(saved)


@pytest.mark.parametrize("content", ["content:0", f"content:{'0' * 64}", "", None])
def test_a_content_digest_that_is_not_that_of_the_content_is_refused(saved, content):
    """Also with a digest of the whole that is right: both are recomputed."""

    def resealed(raw):
        raw["content_digest"] = content
        del raw["digest"]
        raw["digest"] = f"plan:{canonical.digest(raw)}"

    _rewrite(saved, resealed)
    with pytest.raises(TamperedPlan, match="was modified after it was made") as refused:
        planfile.load_plan(saved)
    assert refused.value.exit_code == 5


def test_every_single_changed_byte_is_refused(saved):
    content = saved.read_bytes()
    chance = random.Random(1)
    for place in chance.sample(range(len(content)), 300):
        for byte in (b" ", b"0", b"\n"):
            if content[place : place + 1] != byte:
                saved.write_bytes(content[:place] + byte + content[place + 1 :])
                with pytest.raises(TamperedPlan):
                    planfile.load_plan(saved)


@pytest.mark.parametrize(
    ("version", "known"),
    [
        ("2.0", True),
        ("2.7", True),
        ("1.0", False),
        ("3.0", False),
        ("x", False),
        (1, False),
        (None, False),
    ],
)
def test_a_newer_major_version_is_refused_and_a_newer_minor_one_is_read(saved, version, known):
    def resealed(raw):
        raw["format_version"] = version
        raw["field_of_the_future"] = [1]
        del raw["digest"]
        raw["digest"] = f"plan:{canonical.digest(raw)}"

    _rewrite(saved, resealed)
    if known:
        assert planfile.load_plan(saved).plan == planfile.load_plan(saved).plan
    else:
        with pytest.raises(TamperedPlan, match="is not supported"):
            planfile.load_plan(saved)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "not a plan file"),
        (b"[]\n", "expected a JSON object"),
        (b"\xff\xfe", "not a plan file"),
        (b'{"a":1.5}\n', "numbers?"),
        (b'{"a":NaN}\n', "numbers?"),
        (b"[" * 100_000, "not a plan file"),
        (b'{"format_version":"2.0"}', "modified or reformatted"),
        (b'{"format_version": "2.0"}\n', "modified or reformatted"),
        (b'{"format_version":"2.0"}\n', "without a digest"),
    ],
)
def test_what_is_no_plan_file_is_said_so(tmp_path, content, why):
    path = tmp_path / "plan.json"
    path.write_bytes(content)
    with pytest.raises(TamperedPlan, match=why):
        planfile.load_plan(path)


def test_every_plan_fits_the_published_schema():
    schema = json.loads((Path(__file__).parents[2] / "schemas/plan.schema.json").read_text("utf-8"))
    jsonschema.Draft7Validator.check_schema(schema)
    validator = jsonschema.Draft7Validator(schema)
    for seed in range(30):
        raw = json.loads(b"".join(planfile.chunks(made(seed))))
        assert [error.message for error in validator.iter_errors(raw)] == []
        del raw["steps"]
        assert not validator.is_valid(raw)


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("id", 5, "step 5 is out of order; expected step 1"),
        ("text", 5, r"Expected `str`, got `int` - at `\$\.steps\[0\]\.text`"),
        ("parameters", [], "Expected `object`, got `array`"),
        ("provider", "dns", "Invalid enum value 'dns'"),
        ("gaps", None, "Expected `array`, got `null`"),
    ],
)
def test_a_sealed_file_that_lacks_something_is_refused(saved, name, value, why):
    def resealed(raw):
        raw["steps"][0][name] = value
        del raw["digest"]
        raw["content_digest"] = f"content:{canonical.digest(approval.covered(raw))}"
        raw["digest"] = f"plan:{canonical.digest(raw)}"

    _rewrite(saved, resealed)
    with pytest.raises(TamperedPlan, match=why):
        planfile.load_plan(saved)


_OTHERS = (None, True, 7, -1, "x", [], {}, [1], {"a": 1})


def _places(value, way=()):
    """Every way into a JSON value."""
    items = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    return [way] * bool(way) + [
        place for key, inner in items for place in _places(inner, (*way, key))
    ]


def _altered(raw, way, other):
    """A copy with something else in one place, or with nothing there."""
    raw = json.loads(json.dumps(raw))
    holder = raw
    for key in way[:-1]:
        holder = holder[key]
    if other is _OTHERS:
        del holder[way[-1]]
    else:
        holder[way[-1]] = other
    return raw


@pytest.mark.no_cover
def test_whatever_is_sealed_is_shown_or_refused_and_what_is_loaded_has_the_shape_of_the_schema(
    tmp_path,
):
    """Who can seal can write anything. A reader must say that it is no plan, never fall over it."""
    chance, path = random.Random(7), tmp_path / "plan.json"
    schema = json.loads((Path(__file__).parents[2] / "schemas/plan.schema.json").read_text("utf-8"))
    validator = jsonschema.Draft7Validator(schema)
    whole = [json.loads(b"".join(planfile.chunks(made(seed)))) for seed in range(12)]
    loaded = 0
    for _ in range(450):
        raw = chance.choice(whole)
        way = chance.choice(
            [place for place in _places(raw) if place[0] not in {"digest", "content_digest"}]
        )
        raw = _altered(raw, way, chance.choice((*_OTHERS, _OTHERS)))
        with suppress(KeyError, TypeError, AttributeError):
            raw["content_digest"] = f"content:{canonical.digest(approval.covered(raw))}"
        raw["digest"] = (
            f"plan:{canonical.digest({name: value for name, value in raw.items() if name != 'digest'})}"
        )
        path.write_bytes(canonical.dumps(raw) + b"\n")
        try:
            found = planfile.load_plan(path)
        except TamperedPlan:
            continue
        loaded += 1
        assert [
            error.message
            for error in validator.iter_errors(raw)
            if error.validator != "additionalProperties"
        ] == [], way
        assert plain_text(plans.plan_lines(review(found.plan, found.digests)))
        with suppress(TamperedPlan):
            outcomes.after_plan(found.plan)
    assert 90 < loaded < 450


def test_standings_refuse_a_reading_without_the_product():
    result = made(7)
    declared, here = case(7)
    with pytest.raises(ValueError, match="no exchange state"):
        prefixes.locate(result, replace(here, states={"teams": here.states["teams"]}))
    assert prefixes.request_for_plan(result).products == {"teams", "exchange"}
    assert prefixes.locate(result, here) == 0
    assert prefixes.prefix_differences(result, len(result.steps), here)
    assert prefixes.prefix_differences(result, 0, here, ["teams"]) == {}
    assert declared


@pytest.mark.parametrize(("changes", "moved"), [(["*"], True), ([APPS[0]], False)])
def test_a_stranger_with_a_first_policy_matters_to_a_plan_that_changes_the_policies_of_all(
    changes, moved
):
    """An application without policies of its own is judged by those of `*`: with one, its way from
    before to after is another.
    """
    before = ExchangeWorld({(app, SCOPES[0]): (AccessRight.RESTRICT, "") for app in ("*", APPS[0])})
    wanted = ExchangeWorld(
        {
            (app, SCOPES[1] if app in changes else SCOPES[0]): (AccessRight.RESTRICT, "")
            for app in ("*", APPS[0])
        }
    )
    every = documents([], exchange_documents(wanted, described=True))
    result = make_plan(every, observed(None, before), PlanOptions())
    assert {step.address.partition("@")[0] for step in result.steps} == {
        f"exchange.policy/{app}" for app in changes
    }
    stranger = before.copy()
    stranger.policies[APPS[1], SCOPES[2]] = (AccessRight.DENY, "")
    assert prefixes.locate(result, observed(None, before)) == 0
    assert prefixes.locate(result, observed(None, stranger)) == (None if moved else 0)
    assert list(prefixes.prefix_differences(result, 0, observed(None, stranger))) == (
        [f"exchange.policy/{APPS[1]}@{SCOPES[2]}"] if moved else []
    )


def test_of_several_places_with_one_state_a_tenant_is_at_the_last():
    """Global's description is no part of a snapshot, so nothing tells these two states apart."""
    here = case(7)[1]
    result = made(7)
    step = next(step for step in result.steps if step.provider == "teams")
    unseen = replace(
        step,
        id=1,
        cmdlet="Set-CsApplicationAccessPolicy",
        parameters={"Identity": "Global", "Description": "x"},
    )
    assert prefixes.locate(replace(result, steps=(unseen,)), here) == 1
