"""Law 2: a plan does not depend on the order of anything that has no order."""

from __future__ import annotations

import json
import random
import shutil
from typing import TYPE_CHECKING, Any

import pytest
import yaml

if TYPE_CHECKING:
    from pathlib import Path

    from tests.journey.places import Place


def _shuffled(value: Any, chance: random.Random) -> Any:
    """The same value with every list and every mapping in another order."""
    if isinstance(value, list):
        return [_shuffled(one, chance) for one in chance.sample(value, len(value))]
    if isinstance(value, dict):
        return {
            key: _shuffled(value[key], chance) for key in chance.sample(sorted(value), len(value))
        }
    return value


def _documents(policies: Path, chance: random.Random) -> None:
    """Deal every document out anew to files of other names in other folders."""
    documents = [
        one
        for path in sorted(policies.rglob("*.yaml"))
        for one in yaml.safe_load_all(path.read_text(encoding="utf-8"))
    ]
    lists = {
        path.name: path.read_text(encoding="utf-8").splitlines() for path in policies.rglob("*.csv")
    }
    shutil.rmtree(policies)
    hands: dict[str, list[Any]] = {}
    for document in chance.sample(documents, len(documents)):
        hands.setdefault(f"{chance.choice('xyz')}/{chance.randrange(4)}.yaml", []).append(
            _shuffled(document, chance)
        )
    for name, hand in hands.items():
        path = policies / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(
            yaml.safe_dump_all(hand, allow_unicode=True, sort_keys=False), encoding="utf-8"
        )
    for folder in {path.parent for path in policies.rglob("*.yaml")}:
        for name, (head, *rows) in lists.items():
            (folder / name).write_text(
                "\n".join((head, *chance.sample(rows, len(rows)))) + "\n", encoding="utf-8"
            )


@pytest.mark.parametrize("seed", range(12))
def test_shuffling_everything_gives_the_same_bytes(seed: int, place: Place) -> None:
    chance = random.Random(seed)
    place.plan()
    before = (place.folder / "plan.json").read_bytes()
    _documents(place.folder / "policies", chance)
    tenant = place.folder / "tenant.json"
    tenant.write_text(
        json.dumps(_shuffled(json.loads(tenant.read_text(encoding="utf-8")), chance)),
        encoding="utf-8",
    )
    place.plan()
    assert (place.folder / "plan.json").read_bytes() == before
