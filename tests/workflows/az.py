"""Stands in for `az`: what Azure DevOps has is in `$STAND_IN_STATE/azure.json`, artefacts are folders
beside it; `--query` is evaluated as `az` does (JMESPath), and every write is recorded.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from pathlib import Path

import jmespath

STATE = Path(os.environ["STAND_IN_STATE"])
FILE = STATE / "azure.json"


def _options(arguments):
    options, words = {}, []
    values = iter(arguments)
    for each in values:
        if each.startswith("--"):
            options[each] = next(values)
        else:
            words.append(each)
    return " ".join(words), options


def _printed(value):
    """A value as `--output tsv` prints it."""
    if value is None:
        return ""
    if not isinstance(value, list):
        return f"{value}\n"
    if any(isinstance(row, list) for row in value):
        return "".join("\t".join(map(str, row)) + "\n" for row in value)
    inner = all(not isinstance(row, dict) for row in value)
    assert inner
    return "".join(f"{row}\n" for row in value)


def _query(state, options):
    """Work items with a tag, made by whoever asks, the last changed first."""
    asked = options["--wiql"]
    tag = re.search(r"CONTAINS '([^']*)'", asked)[1]
    closed = re.search(r"\[System.State\] <> '([^']*)'", asked)[1]
    assert "[System.CreatedBy] = @me" in asked
    rows = [
        row
        for row in state["items"]
        if tag in row["fields"]["System.Tags"].split("; ")
        and row["by"] == "me"
        and (row["fields"]["System.State"] != closed or row["days"] <= 30)
    ]
    return sorted(rows, key=lambda row: row["days"])


def _create(state, options):
    name, _, tag = options["--fields"].partition("=")
    fields = {name: tag, "System.State": "To Do", "System.Title": options["--title"]}
    row = {"id": state["next"], "by": "me", "days": 0, "fields": fields}
    state["next"] += 1
    state["items"].append({**row, "text": options["--description"]})


def _update(state, options):
    row = next(row for row in state["items"] if row["id"] == int(options["--id"]))
    row["fields"]["System.State"] = options["--state"]
    row["text"] = options.get("--description", row["text"])


def _runs(state, options):
    rows = [
        row
        for row in state["runs"]
        if row["pipeline"] == options["--pipeline-ids"] and row["branch"] == options["--branch"]
    ]
    return sorted(rows, key=lambda row: -row["id"])[: int(options["--top"])]


def _artifacts(_state, options):
    folder = STATE / "runs" / options["--run-id"]
    return [{"name": each.name} for each in sorted(folder.iterdir())] if folder.exists() else []


def _download(_state, options):
    source = STATE / "runs" / options["--run-id"] / options["--artifact-name"]
    shutil.copytree(source, options["--path"], dirs_exist_ok=True)


COMMANDS = {
    "boards query": _query,
    "boards work-item create": _create,
    "boards work-item update": _update,
    "repos pr list": lambda state, _: state["requests"],
    "pipelines runs list": _runs,
    "pipelines runs artifact list": _artifacts,
    "pipelines runs artifact download": _download,
    "account get-access-token": lambda _, options: {
        "accessToken": f"token-{options['--resource']}"
    },
}


if __name__ == "__main__":
    command, given = _options(sys.argv[1:])
    now = json.loads(FILE.read_text(encoding="utf-8"))
    now["asked"].append(command)
    if command != "account get-access-token":
        assert os.environ["AZURE_DEVOPS_EXT_PAT"] == "the-token"
    answer = COMMANDS[command](now, given)
    FILE.write_text(json.dumps(now), encoding="utf-8")
    if "--query" in given:
        answer = jmespath.search(given["--query"], answer)
    if given.get("--output") == "tsv":
        sys.stdout.write(_printed(answer))
