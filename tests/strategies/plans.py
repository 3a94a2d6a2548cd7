"""Plans as values: an empty one that a test fills, and any that a plan file can hold."""

from __future__ import annotations

from hypothesis import strategies as st
from msgspec import UNSET, inspect
from msgspec.structs import replace

from reconciler.model.baselines import (
    GUARD_SCOPE,
    Baseline,
    GuardScope,
    StoredExchangePolicy,
    TeamsBaseline,
)
from reconciler.model.plans import FORMAT_VERSION, Inputs, Plan, PlanLimits, PlanTenant, Tool

TENANT = "596ade3a-1abe-4c5b-b7d5-a169c4b05d4a"


def empty_plan(**fields) -> Plan:
    """A plan of nothing, but for these fields."""
    empty = {
        "access": None,
        "applicable": True,
        "baseline": Baseline(),
        "changes": (),
        "connect": {},
        "consents": (),
        "displaced": (),
        "format_version": FORMAT_VERSION,
        "gaps": None,
        "held": (),
        "inputs": Inputs("d" * 64, "c" * 64, "2026-11-20T08:00:00Z", "simulated"),
        "limits": PlanLimits(
            max_delete_percent=25, max_deletes=5, max_removal_percent=10, max_removals=100
        ),
        "names": {},
        "refusals": (),
        "steps": (),
        "summary": {},
        "tenant": PlanTenant(TENANT, "contoso.onmicrosoft.com"),
        "tests": (),
        "tool": Tool("reconciler", "0"),
        "unmanaged": (),
        "unresolved": (),
        "warnings": (),
        "widened": (),
    }
    return Plan(**{**empty, **fields})


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=5)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXT,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(TEXT, inner, max_size=2),
    max_leaves=4,
)


PLAIN = {
    inspect.StrType: TEXT,
    inspect.BoolType: st.booleans(),
    inspect.NoneType: st.none(),
    inspect.AnyType: JSON,
}


def of_type(kind: inspect.Type) -> st.SearchStrategy:
    """Any value that a file can hold where the types have this one."""
    match kind:
        case inspect.StructType(cls=cls, fields=fields):
            values = {field.name: of_type(field.type) for field in fields}
            found = BASELINES if cls is Baseline else st.builds(cls, **values)
        case inspect.VarTupleType(item_type=item, min_length=least, max_length=most):
            most = 2 if most is None else most
            found = st.lists(of_type(item), min_size=least or 0, max_size=most).map(tuple)
        case inspect.ListType(item_type=item):
            found = st.lists(of_type(item), max_size=2)
        case inspect.DictType(value_type=value):
            found = st.dictionaries(TEXT, of_type(value), max_size=2)
        case inspect.UnionType(types=types):
            found = st.one_of(map(of_type, types))
        case inspect.EnumType(cls=cls):
            found = st.sampled_from(list(cls))
        case inspect.LiteralType(values=values):
            found = st.sampled_from(values)
        case inspect.StrType(pattern=str(pattern)):
            found = st.from_regex(pattern, alphabet=st.characters(exclude_categories=["Cs"]))
        case inspect.IntType(ge=least):
            found = st.integers(min_value=least)
        case _:
            found = PLAIN[type(kind)]
    return found


def of_annotation(kind: object) -> st.SearchStrategy:
    return of_type(inspect.type_info(kind))


POLICIES = st.dictionaries(
    TEXT.filter(lambda name: name != GUARD_SCOPE),
    of_annotation(tuple[StoredExchangePolicy, ...]),
    max_size=2,
)
GUARDED = st.builds(
    lambda policies, scope: policies | {GUARD_SCOPE: scope}, POLICIES, of_annotation(GuardScope)
)
BASELINES = st.builds(
    Baseline,
    exchange=st.just(UNSET) | st.none() | POLICIES | GUARDED,
    teams=st.just(UNSET) | st.none() | of_annotation(TeamsBaseline),
)


def plans() -> st.SearchStrategy[Plan]:
    """Any plan that a file can hold: by its types, with its steps numbered."""
    return of_annotation(Plan).map(
        lambda plan: replace(
            plan,
            format_version=FORMAT_VERSION,
            steps=tuple(replace(step, id=place) for place, step in enumerate(plan.steps, 1)),
        )
    )
