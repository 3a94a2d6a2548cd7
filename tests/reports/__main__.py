"""`python -m tests.reports`: writes the golden files of every rendering anew."""

from __future__ import annotations

from tests.reports import golden_cases, test_html_pages, test_markdown, test_text_cases
from tests.reports.golden_cases import CASES

RENDERINGS = {
    "txt": test_text_cases.rendered,
    "md": test_markdown.rendered,
    "html": test_html_pages.rendered,
}
NOT_READ = {"html": test_html_pages.LARGE}
"""Cases of which nobody would read the file."""

if __name__ == "__main__":
    for case in CASES:
        for suffix, rendered in RENDERINGS.items():
            if case.name in NOT_READ.get(suffix, ()):
                continue
            case.path(suffix).parent.mkdir(exist_ok=True)
            case.path(suffix).write_bytes(rendered(case).encode())
    golden_cases.PARTLY_APPLIED.write_bytes(test_text_cases.stopped().encode())
