"""A process that speaks the runner's protocol until it does not: `python odd.py FAULT`.

The fault comes with the first operation after `open`.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from typing import Any

Json = Any


class Odd:
    """Answers, and the ways to do it wrong."""

    def __init__(self) -> None:
        self.request: Json = None
        self.nonce = ""

    def answer(self, **more: Json) -> bytes:
        """A right answer, or one that `more` makes wrong."""
        line = {
            "id": self.request["id"],
            "nonce": self.nonce,
            "value": self.value(),
            "milliseconds": 1,
        }
        return (
            json.dumps(
                {key: value for key, value in {**line, **more}.items() if value != "(left out)"}
            ).encode()
            + b"\n"
        )

    def value(self, objects: int = 0) -> Json:
        if self.request["op"] == "open":
            return {"powershell": version()}
        if self.request["op"] == "load":
            return {"found": False, "others": []}
        return {"objects": objects, "warnings": [], "errors": [], "swallowed": []}

    def part(self, *objects: Json) -> bytes:
        return (
            json.dumps({"id": self.request["id"], "nonce": self.nonce, "part": objects}).encode()
            + b"\n"
        )

    # ---- lines that are no answers

    def nothing_wrong(self) -> bytes:
        return self.answer()

    def garbage(self) -> bytes:
        return b"VERBOSE: something else\n" + self.answer()

    def an_empty_line(self) -> bytes:
        return b"\n" + self.answer()

    def not_ascii(self) -> bytes:
        return self.answer().replace(b'"milliseconds"', '"ü"'.encode())

    def a_list(self) -> bytes:
        return b"[1]\n"

    def deeply_nested(self) -> bytes:
        return b"[" * 200_000 + b"\n"

    def another_nonce(self) -> bytes:
        return self.answer(nonce="0" * 32)

    def no_nonce(self) -> bytes:
        return self.answer(nonce="(left out)")

    def another_id(self) -> bytes:
        return self.answer(id=self.request["id"] - 1)

    def an_id_that_only_equals(self) -> bytes:
        return self.answer(id=float(self.request["id"]))

    def two_ends(self) -> bytes:
        return self.answer(refused="gate: no")

    def no_end(self) -> bytes:
        return self.answer(value="(left out)")

    def no_milliseconds(self) -> bytes:
        return self.answer(milliseconds="(left out)")

    def a_fraction(self) -> bytes:
        return self.answer(milliseconds=1.5)

    def not_a_number(self) -> bytes:
        return self.answer(milliseconds=float("nan"))

    def one_key_more(self) -> bytes:
        return self.answer(more=1)

    def a_value_that_is_none(self) -> bytes:
        return self.answer(value=None)

    def a_value_of_another_shape(self) -> bytes:
        return self.answer(value={"found": "yes", "objects": "none"})

    def an_error_of_another_shape(self) -> bytes:
        return self.answer(value="(left out)", failed={"id": 5, "exceptions": "none"})

    def a_refusal_of_another_shape(self) -> bytes:
        return self.answer(value="(left out)", refused={"why": "none"})

    def fewer_objects_than_counted(self) -> bytes:
        return self.part({"N": 1}) + self.answer(value=self.value(objects=2))

    def more_objects_than_counted(self) -> bytes:
        return self.part({"N": 1}) + self.answer(value=self.value(objects=0))

    def cut_off(self) -> bytes:
        os.write(1, self.answer()[:-1])
        os._exit(0)

    def a_line_too_many(self) -> bytes:
        return self.answer() + self.answer()

    # ---- ends, and no ends

    def silence(self) -> bytes:
        time.sleep(60)
        return b""

    def silence_after_a_part(self) -> bytes:
        os.write(1, self.part({"N": 1}))
        return self.silence()

    def exit(self) -> bytes:
        os._exit(0)

    def death(self) -> bytes:
        os.kill(os.getpid(), signal.SIGKILL)
        return b""

    def death_after_a_part(self) -> bytes:
        os.write(1, self.part({"N": 1}))
        return self.death()

    def noise(self) -> bytes:
        for number in range(100_000):
            os.write(2, b"noise %d \x1b[31m\xff\n" % number)
        os.write(2, b"x" * 3_000_000)
        os.write(2, b" the end of a long line\nthe last line, without an end")
        return self.answer()

    def stubborn(self) -> bytes:
        """Does not end when its input does, nor when it is asked to; neither does what it started."""
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
        os.write(1, self.answer())
        time.sleep(60)
        return b""

    def slow_to_end(self) -> bytes:
        """Needs the second means: its input ends and it stays."""
        os.write(1, self.answer())
        time.sleep(60)
        return b""

    def deaf(self) -> bytes:
        """Takes no further line."""
        os.write(1, self.answer())
        time.sleep(60)
        return b""

    def a_child_that_stays(self) -> bytes:
        """Ends as it should and leaves a process behind."""
        child = subprocess.Popen(
            [sys.executable, "-c", "import time; time.sleep(60)"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        return self.answer(
            value={"found": True, "name": str(child.pid), "version": "1", "path": ""}
        )


def version() -> str:
    return sys.argv[2] if sys.argv[2][0].isdigit() else "7.6.5"


def main() -> None:
    if "--version" in sys.argv:
        print("PowerShell " + version())
        return
    odd, fault = Odd(), sys.argv[1]
    for line in sys.stdin.buffer:
        odd.request = json.loads(line)
        if odd.request["op"] == "open":
            odd.nonce = odd.request["nonce"]
            if fault.startswith("open:"):
                os.write(1, getattr(odd, fault.removeprefix("open:"))())
                continue
            os.write(1, odd.answer())
        else:
            os.write(1, getattr(odd, fault)())


if __name__ == "__main__":
    main()
