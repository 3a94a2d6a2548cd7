"""Stands in for the command `jq`, by the package of the same name: the options that our scripts use."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import jq

FLAGS = {"-n", "-c", "-r"}


def main(arguments):
    """Print what a program makes of standard input."""
    flags, named, rest = set(), {}, []
    values = iter(arguments)
    for each in values:
        if each == "--arg":
            named |= {next(values): next(values)}
        elif each == "--rawfile":
            name = next(values)
            named[name] = Path(next(values)).read_text(encoding="utf-8")
        elif each in FLAGS:
            flags.add(each)
        else:
            assert not each.startswith("-"), each
            rest.append(each)
    (program,) = rest
    text = "null" if "-n" in flags else sys.stdin.read()
    for value in jq.compile(program, args=named).input_text(text).all():
        print(value if "-r" in flags and isinstance(value, str) else json.dumps(value))


if __name__ == "__main__":
    main(sys.argv[1:])
