"""Stands in for `curl` to Azure DevOps: pull requests' threads in `$STAND_IN_STATE/azure.json`, and who
asks. The token comes by a file of options, never as an argument.
"""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path

FILE = Path(os.environ["STAND_IN_STATE"]) / "azure.json"
COLLECTION = "https://dev.azure.com/contoso/"
THREADS = r"1/_apis/git/repositories/repository/pullRequests/7/threads"
ME = {"id": "the-build-service"}
FLAGS = {"--silent", "--show-error", "--fail"}


def _options(arguments):
    options, addresses = {"--request": "GET"}, []
    values = iter(arguments)
    for each in values:
        if each in FLAGS:
            options[each] = True
        elif each.startswith("--"):
            options[each] = next(values)
        else:
            addresses.append(each)
    (address,) = addresses
    return options, address


def _who(_state, _body):
    return {"authenticatedUser": ME}


def _threads(state, _body):
    return {"value": state["threads"], "count": len(state["threads"])}


def _start(state, body):
    (comment,) = body["comments"]
    assert comment["parentCommentId"] == 0
    assert "status" not in body
    row = {"id": 1, "author": ME, "content": comment["content"], "isDeleted": False}
    state["threads"].append({"id": state["next"], "isDeleted": False, "comments": [row]})
    state["next"] += 1
    return state["threads"][-1]


def _edit(state, body, thread, comment):
    (row,) = (
        row
        for each in state["threads"]
        for row in each["comments"]
        if (each["id"], row["id"]) == (int(thread), int(comment))
    )
    assert row["author"] == ME, "HTTP 403"
    row["content"] = body["content"]
    return row


ROUTES = {
    ("GET", "_apis/connectionData"): _who,
    ("GET", rf"{THREADS}\?api-version=7.1"): _threads,
    ("POST", rf"{THREADS}\?api-version=7.1"): _start,
    ("PATCH", rf"{THREADS}/(\d+)/comments/(\d+)\?api-version=7.1"): _edit,
}


def main(arguments):
    """Answer one question."""
    options, address = _options(arguments)
    assert options.keys() >= FLAGS
    assert not [each for each in arguments if "the-token" in each]
    asked = Path(options["--config"]).read_text(encoding="utf-8")
    assert asked == 'header = "Authorization: Bearer the-token"\n'
    body = json.load(sys.stdin) if options.get("--data-binary") == "@-" else None
    method, path = options["--request"], address.removeprefix(COLLECTION)
    state = json.loads(FILE.read_text(encoding="utf-8"))
    for (verb, form), answer in ROUTES.items():
        if verb == method and (match := re.fullmatch(form, path)):
            told = answer(state, body, *match.groups())
            break
    else:
        sys.exit("curl: (22) The requested URL returned error: 404")
    if method != "GET":
        state["written"].append(f"{method} {path.partition('pullRequests/')[2]}")
    FILE.write_text(json.dumps(state), encoding="utf-8")
    if options.get("--output") != "/dev/null":
        print(json.dumps(told))


if __name__ == "__main__":
    main(sys.argv[1:])
