"""Stands in for `gh`, of which workflows use `api`, `run download` and `release create`: what GitHub
has is in `$STAND_IN_STATE/github.json`, artefacts are folders beside it, and every write is recorded
there.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import jq

STATE = Path(os.environ["STAND_IN_STATE"])
FILE = STATE / "github.json"
ROBOT = {"login": "github-actions[bot]"}


def _fields(arguments):
    """Options of `gh api`, and the address that is asked."""
    options, rest = {"fields": {}, "method": "GET"}, []
    values = iter(arguments)
    for each in values:
        if each in {"--paginate", "--silent"}:
            options[each] = True
        elif each == "--method":
            options["method"] = next(values)
        elif each == "--jq":
            options["jq"] = next(values)
        elif each in {"--field", "--raw-field"}:
            name, _, value = next(values).partition("=")
            if each == "--field" and value.startswith("@"):
                value = Path(value[1:]).read_text(encoding="utf-8")
            options["fields"][name] = value
        else:
            rest.append(each)
    (address,) = rest
    return options, address


def _answer(state, method, address, fields):
    where = urlsplit(address)
    path = where.path.removeprefix(f"repos/{os.environ['GITHUB_REPOSITORY']}/")
    assert path != where.path, address
    asked = parse_qs(where.query)
    for (verb, form), answer in ROUTES.items():
        if verb == method and (match := re.fullmatch(form, path)):
            return answer(state, asked, fields, *match.groups())
    sys.exit(f"gh: Not Found (HTTP 404): {method} {address}")


def _artifacts(state, asked, _fields_given):
    rows = [row for row in state["artifacts"] if row["name"] == asked["name"][0]]
    return {"artifacts": rows, "total_count": len(rows)}


def _pulls(state, _asked, _fields_given, sha):
    return [row for row in state["pulls"] if row["merge_commit_sha"] == sha]


def _ref(state, _asked, _fields_given, branch):
    return {"ref": f"refs/heads/{branch}", "object": {"sha": state["tip"]}}


def _comments(state, _asked, _fields_given, number):
    return [row for row in state["comments"] if row["issue"] == int(number)]


def _comment(state, _asked, fields, number):
    row = {"id": state["next"], "issue": int(number), "user": ROBOT, "body": fields["body"]}
    return _added(state, "comments", row)


def _edit(state, _asked, fields, number):
    row = next(row for row in state["comments"] if row["id"] == int(number))
    row.update(fields)
    return row


def _issues(state, asked, _fields_given):
    return [row for row in state["issues"] if row["user"]["login"] == asked["creator"][0]]


def _issue(state, _asked, fields):
    row = {"number": state["next"], "user": ROBOT, "state": "open", "closed_at": None, **fields}
    return _added(state, "issues", {**row, "created_at": state["now"]})


def _change(state, _asked, fields, number):
    row = next(row for row in state["issues"] if row["number"] == int(number))
    row.update(fields, closed_at=state["now"] if fields["state"] == "closed" else None)
    return row


def _added(state, kind, row):
    state["next"] += 1
    state[kind].append(row)
    return row


ROUTES = {
    ("GET", "actions/artifacts"): _artifacts,
    ("GET", r"issues/(\d+)/comments"): _comments,
    ("POST", r"issues/(\d+)/comments"): _comment,
    ("PATCH", r"issues/comments/(\d+)"): _edit,
    ("GET", r"commits/(\w+)/pulls"): _pulls,
    ("GET", "git/ref/heads/(.+)"): _ref,
    ("GET", "issues"): _issues,
    ("POST", "issues"): _issue,
    ("PATCH", r"issues/(\d+)"): _change,
}


def _api(arguments):
    options, address = _fields(arguments)
    state = json.loads(FILE.read_text(encoding="utf-8"))
    if options["method"] != "GET":
        state["writes"].append(f"{options['method']} {address}")
    answer = _answer(state, options["method"], address, options["fields"])
    FILE.write_text(json.dumps(state), encoding="utf-8")
    if "--silent" in options:
        return 0
    for value in jq.compile(options.get("jq", ".")).input_value(answer).all():
        print(value if isinstance(value, str) else json.dumps(value))
    return 0


def _download(arguments):
    run, options = arguments[0], dict(zip(arguments[1::2], arguments[2::2], strict=True))
    assert options["--repo"] == os.environ["GITHUB_REPOSITORY"]
    shutil.copytree(STATE / "runs" / run / options["--name"], options["--dir"], dirs_exist_ok=True)
    return 0


def _release(arguments):
    """Make a release of a tag that exists, of files that exist."""
    tag, *rest = arguments
    options, files = {}, []
    values = iter(rest)
    for each in values:
        if each == "--verify-tag":
            options[each] = True
        elif each.startswith("--"):
            options[each] = next(values)
        else:
            files.append(each)
    if not all(Path(file).is_file() for file in files):
        return f"no such file among {files}"
    state = json.loads(FILE.read_text(encoding="utf-8"))
    state["releases"].append({"tag": tag, "options": options, "files": files})
    FILE.write_text(json.dumps(state), encoding="utf-8")
    return 0


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["api", *arguments]:
            sys.exit(_api(arguments))
        case ["run", "download", *arguments]:
            sys.exit(_download(arguments))
        case ["release", "create", *arguments]:
            sys.exit(_release(arguments))
        case _:
            sys.exit(f"gh: unknown command {sys.argv[1:]}")
