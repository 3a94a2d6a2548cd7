"""Golden captures: a folder each, with what it must be read as, which other case it must equal, or
why it is refused.

`options.json` may name the tenant that is meant and the products that are needed; both products are
otherwise.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft7Validator
from msgspec import Struct

from reconciler.captures import files, reading
from reconciler.errors import CaptureFault
from reconciler.guids import guid
from reconciler.model.plans import Invocation
from reconciler.tenants.protocol import CaptureRequest, Done
from reconciler.tenants.simulated import Simulator
from tests.captures.raw import load_raw
from tests.strategies.tenants import EVERYTHING, STRANGER, send

if TYPE_CHECKING:
    from reconciler.model.observed import Observed

CASES = Path(__file__).parent / "cases"
NAMES = sorted(folder.name for folder in CASES.iterdir())
READ = [name for name in NAMES if not name.startswith("refuses-")]
REFUSED = [name for name in NAMES if name.startswith("refuses-")]


def observed(name: str) -> Observed:
    folder = CASES / name
    options = (
        json.loads((folder / "options.json").read_text("utf-8"))
        if (folder / "options.json").exists()
        else {}
    )
    needs = frozenset(options.get("needs", ("teams", "exchange")))
    raw = load_raw(folder / "capture.json")
    return reading.parse_capture(
        raw, source="capture", tenant_id=options.get("tenant_id"), needs=needs, file="capture.json"
    )


def plain(value: Any) -> Any:
    """An observed value as JSON."""
    if isinstance(value, frozenset):
        return sorted(value)
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return plain(value._asdict())
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {
            "@".join(key) if isinstance(key, tuple) else key: plain(item)
            for key, item in value.items()
        }
    if isinstance(value, Struct):
        return {key: plain(getattr(value, key)) for key in value.__struct_fields__}
    return value


def told(found):
    """A reading as the expected files have it: a product that was not read is null, and what few
    readings have is left out where there is none.
    """
    content = plain(found)
    for rare in ("odd_groups", "doubled"):
        if not content["directory"][rare]:
            del content["directory"][rare]
    states = content.pop("states")
    assert content.pop("warnings") == []
    assert content.pop("faulty") == {}
    assert content["directory"].pop("effective") == {}
    return content | {name: states.get(name) for name in ("teams", "exchange")}


def test_there_is_a_case_of_each_kind():
    assert READ
    assert REFUSED


@pytest.mark.parametrize("name", READ)
def test_reads(name):
    found = observed(name)
    same = CASES / name / "same-as.txt"
    if same.exists():
        other = observed(same.read_text("utf-8").strip())
        assert found.digest == other.digest
        assert _without_spelling(told(found)) == _without_spelling(told(other))
    else:
        assert told(found) == json.loads((CASES / name / "expected.json").read_text("utf-8"))


def _without_spelling(found: dict[str, Any]) -> str:
    """Everything but how client ids, Identities and blank descriptions are spelled in the service:
    that is kept, and is no difference.
    """
    for index in ("users_by_upn", "recipients_by_address"):
        found["directory"][index] = dict(sorted(found["directory"][index].items()))
    for part in (
        found["teams"],
        found["directory"],
    ):  # dictionaries of users have no order: nothing may depend on it
        part["users"] = dict(sorted(part["users"].items()))
    for policy in found["teams"]["policies"].values():
        policy["applications"] = list(policy["applications"])
    for policy in found["exchange"]["policies"].values():
        policy["identity"] = policy["identity"].lower()
    return json.dumps(found, indent=1)


@pytest.mark.parametrize("name", REFUSED)
def test_refuses(name):
    with pytest.raises(CaptureFault) as caught:
        observed(name)
    folder = str(CASES / name)
    assert str(caught.value).replace(f"{folder}/", "") == (CASES / name / "error.txt").read_text(
        "utf-8"
    ).rstrip("\n")


@pytest.mark.parametrize(
    "name", [name for name in READ if not (CASES / name / "options.json").exists()]
)
def test_the_simulator_takes_for_a_tenant_what_the_parser_takes_for_a_capture(name):
    tenant = Simulator(CASES / name / "capture.json")
    raw = tenant.capture(CaptureRequest(frozenset({"teams", "exchange"}), everything=True))
    found, other = (
        reading.parse_capture(
            raw,
            source="capture",
            tenant_id=tenant.tenant_id,
            needs=frozenset({"teams", "exchange"}),
        ),
        observed(name),
    )
    assert found.states == other.states
    assert found.directory.users == other.directory.users
    assert found.directory.recipients == other.directory.recipients


@pytest.mark.parametrize(
    "name", [name for name in READ if not (CASES / name / "options.json").exists()]
)
def test_the_simulator_can_open_what_it_wrote_of_any_capture(name, tmp_path):
    path = tmp_path / "tenant.json"
    tenant = Simulator(path, seed_from=CASES / name / "capture.json")
    before = tenant.capture(EVERYTHING)
    send(tenant, Invocation("New-CsApplicationAccessPolicy", {"Identity": "Fresh"}))
    group = Invocation(
        "Grant-CsApplicationAccessPolicy", {"Group": STRANGER, "PolicyName": "Fresh", "Rank": 1}
    )
    assert send(tenant, group) == Done()
    scope = next(
        (
            row["id"]
            for row in before["directory"]["recipients"]
            if row.get("isValidSecurityPrincipal") is True and guid(row["id"])
        ),
        None,
    )
    if scope is not None:
        parameters = {
            "AppId": [STRANGER],
            "PolicyScopeGroupId": scope,
            "AccessRight": "DenyAccess",
            "Confirm": False,
        }
        assert send(tenant, Invocation("New-ApplicationAccessPolicy", parameters)) == Done()
    raw = Simulator(path).capture(EVERYTHING)
    assert raw == tenant.capture(EVERYTHING)
    found = reading.parse_capture(
        raw, source="capture", tenant_id=tenant.tenant_id, needs=frozenset({"teams", "exchange"})
    )
    was = observed(name)
    groups = [row.group for row in found.states["teams"].groups]
    before = [row.group for row in was.states["teams"].groups]
    if was.states["teams"].opaque_ranks:  # their order means nothing
        groups, before = [groups[0], *sorted(groups[1:])], sorted(before)
    assert groups == [STRANGER, *before]
    assert len(found.states["exchange"].policies) == len(was.states["exchange"].policies) + (
        scope is not None
    )


@pytest.mark.parametrize(
    "parameter",
    ["Identity", "ResultSize", "AccountType", "GroupId", "Usage", "SoftDeletedUser", "AnythingNew"],
)
@pytest.mark.parametrize(
    ("product", "index"), [("teams", 0), ("teams", 1), ("teams", 2), ("exchange", 0)]
)
def test_a_read_with_a_parameter_that_may_narrow_it_is_never_one_of_everything(
    product, index, parameter
):
    raw = json.loads((CASES / "plain" / "capture.json").read_text("utf-8"))
    read = raw[product]["reads"][index]
    read["parameters"] = {**read["parameters"], parameter: 1}
    with pytest.raises(
        CaptureFault, match=rf"was run with {parameter}.*\n.*{read['cmdlet']} was not run for all"
    ):
        reading.parse_capture(
            raw, source="capture", tenant_id=None, needs=frozenset({"teams", "exchange"})
        )


@pytest.mark.parametrize("name", [name for name in READ if not name.startswith("holds-")])
def test_the_schema_allows_what_is_understood(name):
    raw = load_raw(CASES / name / "capture.json")
    assert [
        error.json_path for error in Draft7Validator(files.capture_schema()).iter_errors(raw)
    ] == []


def test_the_schema_and_its_examples_are_valid():
    schema = files.capture_schema()
    Draft7Validator.check_schema(schema)
    for name, definition in schema["definitions"].items():
        for example in definition.get("examples", ()):
            part = {"$ref": f"#/definitions/{name}", "definitions": schema["definitions"]}
            assert list(Draft7Validator(part).iter_errors(example)) == [], name
