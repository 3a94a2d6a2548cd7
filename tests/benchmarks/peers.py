"""The same amount of work done by octoDNS: so many records from YAML to YAML, one in a hundred
changed, planned and not applied.

It is installed from PyPI into an environment that is thrown away; without a package index there is
no row.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from tests.benchmarks.measuring import measure
from tests.benchmarks.rows import Row

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_CONFIG = """
providers:
  config:
    class: octodns.provider.yaml.YamlProvider
    directory: {folder}/wanted
    default_ttl: 300
    enforce_order: false
  target:
    class: octodns.provider.yaml.YamlProvider
    directory: {folder}/present
    default_ttl: 300
    enforce_order: false
zones:
  example.com.: {{sources: [config], targets: [target]}}
"""
_ONE_OF = 100
_LARGEST = 10_000


def rows(rounds: int, sizes: Sequence[int]) -> Iterator[Row]:
    """Plan with octoDNS; no row where it cannot be installed."""
    with tempfile.TemporaryDirectory() as folder:
        program = _installed(Path(folder) / "venv")
        if program is None:
            return
        for size in (size for size in sizes if size <= _LARGEST):
            config = _written(Path(folder) / str(size), size)
            timing = measure(
                {"sync": (str(program), "--force", "--config-file", str(config))},
                Path(folder),
                min(rounds, 3),
            )["sync"]
            yield Row(
                "peer",
                f"octodns-sync, {size:,} records",
                timing.best,
                timing.median,
                peak=timing.peak,
            )


def _installed(place: Path) -> Path | None:
    try:
        subprocess.run([sys.executable, "-m", "venv", str(place)], check=True, capture_output=True)
        subprocess.run(
            [str(place / "bin" / "pip"), "install", "-q", "octodns"],
            check=True,
            capture_output=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return place / "bin" / "octodns-sync"


def _written(folder: Path, records: int) -> Path:
    for name, changed in (("wanted", 0), ("present", 1)):
        (folder / name).mkdir(parents=True)
        lines = (
            _record(number, changed if number % _ONE_OF == 0 else 0) for number in range(records)
        )
        (folder / name / "example.com.yaml").write_text("---\n" + "".join(lines), encoding="utf-8")
    config = folder / "config.yaml"
    config.write_text(_CONFIG.format(folder=folder), encoding="utf-8")
    return config


def _record(number: int, last: int) -> str:
    return (
        f"host-{number:06}:\n  type: A\n  value:"
        f" 10.{number // 65536}.{number // 256 % 256}.{(number + last) % 256}\n"
    )
