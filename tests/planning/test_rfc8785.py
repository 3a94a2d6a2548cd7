"""Digests that anybody can check: canonical JSON is that of RFC 8785, written here by somebody
else's code.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler import canonical
from reconciler.errors import TamperedPlan
from reconciler.planning import planfile
from reconciler.planning.making import PlanOptions, make_plan
from tests.planning.test_planfile import case
from tests.strategies.text import PLAIN, REFUSED, SURROGATES

if TYPE_CHECKING:
    from pathlib import Path

LAST_OF_BASIC_PLANE = "\uffff"
TEXTS = st.text(st.characters(exclude_categories=("Cs",)))
HOSTILE = st.text(st.sampled_from(sorted({*PLAIN, *REFUSED} - {*SURROGATES})))
KEYS = st.text(st.characters(exclude_categories=("Cs",), max_codepoint=ord(LAST_OF_BASIC_PLANE)))
NUMBERS = st.integers(-(2**53) + 1, 2**53 - 1)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS | HOSTILE,
    lambda inner: st.lists(inner) | st.dictionaries(KEYS, inner),
)


@given(VALUES)
@settings(max_examples=100)
def test_canonical_json_is_that_of_rfc_8785(value: Any) -> None:
    assert canonical.dumps(value) == rfc8785.dumps(value)
    assert canonical.encode(value) == rfc8785.dumps(value)


def test_keys_beyond_the_basic_plane_are_sorted_by_code_point() -> None:
    """Why the law is about keys of the basic plane: RFC 8785 sorts by UTF-16 code units."""
    value = {"\uff00": 1, "\U0001f600": 2}
    assert canonical.dumps(value) != rfc8785.dumps(value)
    assert json.loads(canonical.dumps(value)) == json.loads(rfc8785.dumps(value))


@pytest.mark.parametrize("seed", range(20))
def test_the_digest_of_a_plan_is_the_sha_256_of_the_file_without_it(
    seed: int, tmp_path: Path
) -> None:
    path = tmp_path / "plan.json"
    planfile.sealed(make_plan(*case(seed), PlanOptions()), path)
    written = json.loads(path.read_bytes())
    stated = written.pop("digest")
    assert stated == f"plan:{hashlib.sha256(rfc8785.dumps(written)).hexdigest()}"


def test_a_plan_that_somebody_else_sealed_is_read(tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    planfile.sealed(make_plan(*case(7), PlanOptions()), path)
    written = json.loads(path.read_bytes())
    del written["digest"]
    seal = f"plan:{hashlib.sha256(rfc8785.dumps(written)).hexdigest()}"
    path.write_bytes(rfc8785.dumps({**written, "digest": seal}) + b"\n")
    assert planfile.load_plan(path).digest == seal
    path.write_bytes(rfc8785.dumps({**written, "digest": f"plan:{'0' * 64}"}) + b"\n")
    with pytest.raises(TamperedPlan):
        planfile.load_plan(path)
