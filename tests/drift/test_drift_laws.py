"""Laws of drift: it is clean exactly if a plan has nothing to do and every unmanaged object is what
somebody accepted, whatever the order of anything, and accepting bears on no plan.
"""

from __future__ import annotations

import copy
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from reconciler.documents import examine_documents, load_documents
from reconciler.exporting.accepting import NewEntry, entry_refusal, with_entries
from reconciler.exporting.composing import exported
from reconciler.exporting.values import Choice
from reconciler.model.codes import DriftCode
from reconciler.planning import making
from reconciler.planning.drift import Drift, drift, open_objects
from reconciler.planning.planfile import sealed
from tests.exporting.test_round_trip import observed, opened, put
from tests.exporting.worlds import hostile_tenants
from tests.strategies.tenants import USERS, guid, sid, tenants

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from reconciler.model.documents import Documents
    from reconciler.model.observed import Observed

EXAMPLES = 20
OPTIONS = making.PlanOptions()


def judged(documents: Documents, reading: Observed) -> Drift:
    """The drift of a reading."""
    desired = making.resolve_desired(documents, reading, OPTIONS)
    plan = making.make_plan(documents, reading, OPTIONS, desired)
    accepted = () if documents.tenant is None else documents.tenant.accepted
    return drift(plan, reading, desired, accepted)


def open_entries(documents: Documents, reading: Observed) -> Iterator[NewEntry]:
    """Entries for everything that documents leave open and that can be accepted."""
    desired = making.resolve_desired(documents, reading, OPTIONS)
    for each in open_objects(reading, desired, ()):
        entry = NewEntry(each, "found there")
        if not each.idle and not entry_refusal(entry):
            yield entry


def accepting(folder: Path, entries: Collection[NewEntry]) -> Documents:
    """The documents of a folder with entries in the Tenant document."""
    file = folder / "tenant.yaml"
    text = file.read_text(encoding="utf-8")
    after = with_entries(text, list(entries)) if entries else text
    assert after is not None
    file.write_text(after, encoding="utf-8")
    return load_documents([folder])


def some(state: dict[str, Any], folder: Path, chance: Any) -> tuple[Documents, Observed]:
    """Documents of a part of a tenant, in a folder."""
    reading = observed(opened(folder, state))
    policies = {
        policy["Identity"].lower().removeprefix("tag:") for policy in state["teams"]["policies"]
    }
    owners = {policy["AppId"] for policy in state["exchange"]["policies"]}
    choice = Choice(
        frozenset(each for each in sorted(policies) if chance.random() < 0.5),
        frozenset(each for each in sorted(owners) if chance.random() < 0.5),
    )
    put(exported(reading, choice=choice), folder / "documents")
    return load_documents([folder / "documents"]), reading


@settings(max_examples=EXAMPLES)
@given(hostile_tenants(), st.randoms(use_true_random=False))
def test_what_is_there_when_it_is_accepted_is_clean(state: dict[str, Any], chance: Any) -> None:
    """Everything of a tenant is declared or accepted: nothing is left but what cannot be."""
    with tempfile.TemporaryDirectory() as name:
        documents, reading = some(state, Path(name), chance)
        entries = list(open_entries(documents, reading))
        first = judged(documents, reading)
        assert {note.address for note in first.objects} >= {each.object.address for each in entries}
        accepted = accepting(Path(name) / "documents", entries)
        value = judged(accepted, reading)
        assert sealed(value.plan).digests == sealed(first.plan).digests
        assert value.accepted == len(entries)
        refused = {note.address for note in value.objects}
        assert refused == {note.address for note in first.objects} - {
            each.object.address for each in entries
        }
        assert value.clean == (not refused and not value.plan.held)


MOVES = (
    "list",
    "holder",
    "group",
    "rank",
    "right",
    "sid",
    "new",
    "gone",
)


def _of_teams(teams: dict[str, Any], done: str, chance: Any) -> None:
    match done:
        case "list":
            policy = chance.choice(teams["policies"])
            policy["AppIds"] = [*policy["AppIds"][1:], *chance.choice(([], [guid("a", 9)]))]
        case "holder" if teams["users"]:
            chance.choice(teams["users"])["Identity"] = chance.choice([*USERS, guid("b", 77)])
            teams["users"] = list({row["Identity"]: row for row in teams["users"]}.values())
        case "group" if teams["groupAssignments"]:
            chance.choice(teams["groupAssignments"])["GroupId"] = guid("c", 77)
        case "rank":
            rows = teams["groupAssignments"]
            ranks = chance.sample(range(1, len(rows) + 1), len(rows))
            for row, rank in zip(rows, ranks, strict=True):
                row["Priority"] = rank
        case "new":
            teams["policies"].append(
                {"Identity": "Tag:Rogue", "AppIds": [guid("a", 0)], "Description": ""}
            )
        case _:
            pass


def _of_exchange(after: dict[str, Any], done: str, chance: Any) -> None:
    policies = after["exchange"]["policies"]
    match done:
        case "right" if policies:
            chance.choice(policies)["AccessRight"] = "DenyAccess"
        case "sid" if policies:
            _, scope = chance.choice(policies)["ScopeIdentityRaw"].split(";")
            for row in policies:
                if row["ScopeIdentityRaw"].endswith(scope):
                    row["ScopeIdentityRaw"] = f"{sid(50)};{scope}"
                    row["Identity"] = f"{row['Identity'].rpartition(':')[0]}:{sid(50)};{scope}"
            for row in after["directory"]["recipients"]:
                row["sid"] = sid(50) if row["id"] == scope else row["sid"]
        case "gone" if policies:
            policies.pop()
        case _:
            pass


def moved(state: dict[str, Any], chance: Any) -> dict[str, Any]:
    """The tenant after somebody did one thing by hand, or nothing."""
    after, done = copy.deepcopy(state), chance.choice(MOVES)
    _of_teams(after["teams"], done, chance)
    _of_exchange(after, done, chance)
    return after


def content(state: dict[str, Any], owned: Collection[str]) -> Any:
    """What a tenant has that drift minds, descriptions left out, read from the raw rows alone; of
    the policies of applications that documents own no security id, which documents do not say.
    """
    teams = state["teams"]
    return (
        {
            policy["Identity"].lower().removeprefix("tag:"): frozenset(policy["AppIds"])
            for policy in teams["policies"]
        },
        sorted(
            (row["Priority"], row["GroupId"], row["PolicyName"])
            for row in teams["groupAssignments"]
        ),
        {row["Identity"]: row["ApplicationAccessPolicy"]["Name"] for row in teams["users"]},
        {
            (row["AppId"], *row["ScopeIdentityRaw"].split(";")[row["AppId"] in owned :]): row[
                "AccessRight"
            ]
            for row in state["exchange"]["policies"]
        },
    )


@settings(max_examples=60)
@given(tenants(), st.randoms(use_true_random=False))
def test_drift_is_clean_exactly_if_nothing_was_done(state: dict[str, Any], chance: Any) -> None:
    with tempfile.TemporaryDirectory() as name:
        documents, reading = some(state, Path(name), chance)
        accepted = accepting(Path(name) / "documents", list(open_entries(documents, reading)))
        assert judged(accepted, reading).clean
        after = moved(state, chance)
        value = judged(accepted, observed(opened(Path(name), after)))
        owned = {app for document in documents.exchange for app in document.applications}
        is_same = content(after, owned) == content(state, owned)
        assert value.clean == is_same, value.objects


@settings(max_examples=EXAMPLES)
@given(tenants(), st.randoms(use_true_random=False))
def test_the_order_of_rows_and_entries_does_not_matter(state: dict[str, Any], chance: Any) -> None:
    with tempfile.TemporaryDirectory() as name:
        documents, reading = some(state, Path(name), chance)
        entries = list(open_entries(documents, reading))
        after = moved(state, chance)
        accepted = accepting(Path(name) / "documents", entries)
        assert accepted.tenant is not None
        first = judged(accepted, observed(opened(Path(name), after)))
        for section, key in (
            *(("teams", "users"), ("teams", "policies"), ("exchange", "policies")),
            *(("directory", "users"), ("directory", "groups"), ("directory", "recipients")),
        ):
            chance.shuffle(after[section][key])
        shuffled = chance.sample(accepted.tenant.accepted, len(accepted.tenant.accepted))
        again = replace(accepted, tenant=replace(accepted.tenant, accepted=tuple(shuffled)))
        assert judged(again, observed(opened(Path(name), after))) == first


@settings(max_examples=EXAMPLES)
@given(hostile_tenants())
def test_nothing_is_clean_without_documents_but_an_empty_tenant(state: dict[str, Any]) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "documents"
        put(
            exported(observed(opened(Path(name), state)), choice=Choice(frozenset(), frozenset())),
            folder,
        )
        documents = examine_documents([folder]).documents
        value = judged(documents, observed(opened(Path(name), state)))
        assert not value.plan.changes
        unmanaged = {note.address for note in value.plan.unmanaged}
        own = {note.address for note in value.objects if note.code == DriftCode.NEW}
        policies = {address for address in unmanaged if not address.startswith("teams.grant/")}
        understood = {address for address in policies if "NOT UNDERSTOOD" not in address.upper()}
        assert understood <= own
