"""The least that any reader of our files has to do: `python tests/benchmarks/floor.py DOCUMENTS
CAPTURE`.

Every event of PyYAML's C parser (or every row of the CSV files), each user with its line, users
that stand twice; `json.loads` of the capture; one comparison by key. No schema, no names, no other
product, no plan. It knows only the documents of the benchmark.
"""

from __future__ import annotations

import csv
import gc
import json
import sys
from pathlib import Path

import yaml


def from_yaml(path: Path, wanted: dict[str, str], lines: dict[str, tuple[Path, int]]) -> str:
    """Read the users of a policy out of one file's events; return the policy's name."""
    parser = yaml.CSafeLoader(path.read_bytes())
    key, name, listed = "", "", False
    while (event := parser.get_event()) is not None:
        kind = type(event)
        if kind is yaml.ScalarEvent:
            value = event.value
            if listed:
                if value in wanted:
                    raise SystemExit(
                        f"{value} stands twice: {lines[value]} and {path}:{event.start_mark.line}"
                    )
                wanted[value], lines[value] = name, (path, event.start_mark.line)
            elif key == "name":
                key, name = "", value
            else:
                key = value
        elif kind is yaml.SequenceStartEvent:
            listed = key == "users"
        elif kind is yaml.SequenceEndEvent:
            listed = False
    return name


def from_csv(
    path: Path, name: str, wanted: dict[str, str], lines: dict[str, tuple[Path, int]]
) -> None:
    """Read the users of a policy out of a CSV file."""
    with path.open(newline="", encoding="utf-8") as file:
        rows = csv.reader(file)
        column = next(rows).index("user")
        for row in rows:
            user = row[column]
            if user in wanted:
                raise SystemExit(f"{user} stands twice: {lines[user]} and {path}:{rows.line_num}")
            wanted[user], lines[user] = name, (path, rows.line_num)


def differing(documents: Path, capture: Path) -> list[str]:
    """Users whose policy differs."""
    wanted: dict[str, str] = {}
    lines: dict[str, tuple[Path, int]] = {}
    for path in sorted(documents.glob("*.yaml")):
        name = from_yaml(path, wanted, lines)
        if (beside := path.with_suffix(".csv")).exists():
            from_csv(beside, name, wanted, lines)
    rows = json.loads(capture.read_bytes())["teams"]["users"]
    present = {row["Identity"]: row["ApplicationAccessPolicy"]["Name"] for row in rows}
    return [
        user for user in wanted.keys() | present.keys() if wanted.get(user) != present.get(user)
    ]


if __name__ == "__main__":
    gc.disable()
    print(len(differing(Path(sys.argv[1]), Path(sys.argv[2]))))
