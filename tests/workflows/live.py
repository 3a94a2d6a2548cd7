"""A reconciler that has a live tenant, as far as a pipeline can tell: it notes how it is called."""

from __future__ import annotations

from typing import Final

_SCRIPT: Final = """#!/bin/sh
echo "reconciler $*" >> "$STAND_IN_STATE/tools.txt"
tell() {
  if [ -n "${GITHUB_OUTPUT:-}" ]; then echo "$1=$2" >> "$GITHUB_OUTPUT"; fi
  if [ -n "${TF_BUILD:-}" ]; then echo "##vso[task.setvariable variable=$1;isOutput=true]$2"; fi
}
out=""; before=""
for word in "$@"; do if [ "$before" = --out ]; then out=$word; fi; before=$word; done
if [ -n "$out" ]; then mkdir -p "$out"; echo '{}' > "$out/plan.json"; touch "$out/plan.md"; fi
case "$1 $2" in
"ci plan") tell changes 1; tell plan_digest plan:1; tell covered false ;;
"ci apply")
  tenant="$RECONCILER_STATE_DIR/tenant"; mkdir -p "$tenant"
  touch "$tenant/apply-000009.jsonl" "$tenant/apply-000010.jsonl"
  tell exit_name ENDED; exit CODE ;;
"verify "*) echo "a report" ;;
esac
"""


def live_reconciler(ended: str, code: int) -> str:
    """The text of a tool whose plans change something, and whose applies end like this."""
    return _SCRIPT.replace("ENDED", ended).replace("CODE", str(code))
