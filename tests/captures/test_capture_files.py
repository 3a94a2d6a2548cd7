"""Captures on disk."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from reconciler.captures import files, reading
from reconciler.errors import CaptureFault
from reconciler.kinds.capture_faults import SHOWN
from reconciler.kinds.exchange import parse as exchange
from reconciler.kinds.teams import parse as teams
from tests.captures.raw import load_raw

PLAIN = Path(__file__).parent / "cases" / "plain" / "capture.json"


def test_what_is_written_is_read_again(tmp_path):
    raw = load_raw(PLAIN)
    files.write(tmp_path / "deep" / "capture.json", raw)
    assert load_raw(tmp_path / "deep" / "capture.json") == raw
    assert (tmp_path / "deep" / "capture.json").read_bytes().endswith(b"}\n")


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "capture.json"
    files.write(path, {"old": 1})

    def pieces():
        yield b"half"
        raise OSError(28, "No space left on device")

    with pytest.raises(
        CaptureFault, match=r"capture\.json: cannot write the file: No space left on device"
    ):
        files.write_pieces(path, pieces())
    assert [found.name for found in tmp_path.iterdir()] == ["capture.json"]
    assert load_raw(path) == {"old": 1}


def test_a_folder_that_is_none_cannot_be_written_into(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(CaptureFault, match="cannot write the file"):
        files.write(tmp_path / "file" / "capture.json", {})


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(CaptureFault, match=r"nowhere\.json: cannot read the file: No such file"):
        load_raw(tmp_path / "nowhere.json")


def test_nesting_without_end_is_a_fault(tmp_path):
    (tmp_path / "deep.json").write_text("[" * 200_000)
    with pytest.raises(CaptureFault, match=r"deep\.json"):
        load_raw(tmp_path / "deep.json")


def test_a_number_too_long_is_a_fault(tmp_path):
    (tmp_path / "long.json").write_text('{"a": ' + "1" * 5000 + "}")
    with pytest.raises(CaptureFault, match="invalid JSON"):
        load_raw(tmp_path / "long.json")


def test_the_mode_of_a_new_file_is_private(tmp_path):
    files.write(tmp_path / "capture.json", {})
    assert (tmp_path / "capture.json").stat().st_mode & 0o077 == 0


def test_faults_beyond_the_first_are_counted():
    raw = dict(json.loads(PLAIN.read_text("utf-8")))
    raw["directory"] = {"absent": [1] * (SHOWN + 3)}
    with pytest.raises(CaptureFault) as caught:
        reading.parse_capture(raw, source="capture", tenant_id=None, needs=frozenset())
    assert str(caught.value).splitlines()[-1] == "capture: and 3 more faults"


def test_a_product_parses_alone():
    raw = load_raw(PLAIN)
    assert "test-policy" in teams.parse(raw["teams"]).policies
    assert len(exchange.parse(raw["exchange"]).policies) == 1
    with pytest.raises(CaptureFault, match=r"\$\.teams\.policies\[0\]: expected an object"):
        teams.parse({"policies": "Identity"})
    assert len(teams.parse({"policies": [{"Identity": 1}]}).nameless) == 1
    with pytest.raises(CaptureFault, match=r"\$\.exchange\.policies\[0\]: expected an object"):
        exchange.parse({"policies": "Identity"})
    assert list(exchange.parse({"policies": {"Identity": 1}}).opaque) == ["*"]


@pytest.mark.parametrize(
    ("exception", "message", "empty"),
    [
        (
            "",
            (
                r"Ex6F9304|Microsoft.Exchange.Configuration.Tasks.ManagementObjectNotFoundException|object"
                r" 'OU=x.onmicrosoft.com,DC=com\*' couldn't"
            ),
            True,
        ),
        (
            "ManagementObjectNotFoundException",
            (
                r"||Das Objekt 'OU=x.onmicrosoft.com,OU=Microsoft Exchange Hosted"
                r" Organizations,DC=com\*' fehlt"
            ),
            True,
        ),
        (
            "ManagementObjectNotFoundException",
            "The operation couldn't be performed because object 'sales' couldn't be found on 'DC'",
            False,
        ),
        ("", r"Der Vorgang: 'OU=x.onmicrosoft.com,DC=com\*'", False),
        ("AccessDenied", "couldn't be found", False),
    ],
)
def test_an_empty_store_is_known_by_type_and_object_in_any_language(exception, message, empty):
    assert exchange.is_empty_store(exception, message) is empty


def test_a_fault_of_one_product_says_nothing_about_the_other():
    raw = load_raw(PLAIN)
    raw["exchange"]["reads"][0]["count"] += 1
    found = reading.parse_capture(raw, source="capture", tenant_id=None, needs=frozenset({"teams"}))
    assert list(found.states) == ["teams"]
    assert "returned 2, but `policies` has 1" in found.faulty["exchange"]
    with pytest.raises(CaptureFault, match=r"\$\.exchange\.reads\[0\]\.count"):
        reading.parse_capture(
            raw, source="capture", tenant_id=None, needs=frozenset({"teams", "exchange"})
        )


@pytest.mark.parametrize("digested", [True, False])
def test_half_a_character_is_refused_whoever_asks_for_the_digest(*, digested: bool) -> None:
    raw = load_raw(PLAIN)
    raw["teams"]["policies"][0]["Description"] = "\ud800"
    with pytest.raises(CaptureFault, match="a lone surrogate is not valid text"):
        reading.parse_capture(
            raw, source="capture", tenant_id=None, needs=frozenset(), digested=digested
        )
