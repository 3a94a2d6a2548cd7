"""The page as people have it: opened from a file in a browser, with and without script, by mouse and
by keyboard, wide and narrow, light and dark.

It needs Chromium and its driver (Debian: `chromium`, `chromium-driver`); the check for
accessibility needs axe-core as well, which `.ci/run` fetches from npm.
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from reconciler.reports import html
from reconciler.reports.review.matrix import access_matrix
from tests.reports.golden_cases import CASES, reviewed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.reports.golden_cases import Case

webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
from selenium.webdriver.chrome.service import Service  # noqa: E402  behind the check
from selenium.webdriver.common.by import By  # noqa: E402
from selenium.webdriver.common.keys import Keys  # noqa: E402
from selenium.webdriver.support.wait import WebDriverWait  # noqa: E402

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
DRIVER = shutil.which("chromedriver")
AXE = Path(sys.prefix) / "axe" / "package" / "axe.min.js"
pytestmark = pytest.mark.skipif(
    CHROMIUM is None or DRIVER is None, reason="chromium and chromedriver are not installed"
)
SWITCHES = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
WIDE, NARROW = 1280, 360
SHOWN = ("everything", "sample", "not-applicable", "hostile", "500-grants")
LARGE = "10000-grants"
EXAMINED = ("everything", "sample", "not-applicable", "hostile")
"""Cases that have every kind of element; the check takes seconds for each."""
INTERACTIVE = 'a[href], input, button, summary, [tabindex="0"]'


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    profile = tmp_path_factory.mktemp("profile")
    for switch in (*SWITCHES, f"--user-data-dir={profile}"):
        options.add_argument(switch)
    options.set_capability("goog:loggingPrefs", {"performance": "ALL", "browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(DRIVER))
    yield driver
    driver.quit()


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Addresses of the pages of some cases."""
    folder = tmp_path_factory.mktemp("pages")
    return {case.name: _written(folder, case) for case in CASES if case.name in (*SHOWN, LARGE)}


def _written(folder: Path, case: Case) -> str:
    file = folder / f"{case.name}.html"
    shown = html.Page(then="To apply exactly this: reconciler apply plan.json")
    file.write_text(html.page(reviewed(case), access_matrix(case.plan), shown), encoding="utf-8")
    return file.as_uri()


def _open(browser: Any, address: str, *, width: int = WIDE, dark: bool = False) -> None:
    browser.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width == NARROW},
    )
    _media(browser, "screen", dark=dark)
    browser.get(address)


def _media(browser: Any, media: str, *, dark: bool = False) -> None:
    scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
    still = {"name": "prefers-reduced-motion", "value": "reduce"}
    browser.execute_cdp_cmd(
        "Emulation.setEmulatedMedia", {"media": media, "features": [scheme, still]}
    )


def _requests(browser: Any) -> list[str]:
    """What was asked for since the last time; the browser's own first page asks for its parts."""
    messages = [json.loads(row["message"])["message"] for row in browser.get_log("performance")]
    return [
        message["params"]["request"]["url"]
        for message in messages
        if message["method"] == "Network.requestWillBeSent"
        and not message["params"]["documentURL"].startswith("chrome:")
    ]


def _rows(browser: Any) -> int:
    """Rows that can be seen, those in folded parts not among them."""
    return int(
        browser.execute_script(
            "return Array.from(document.querySelectorAll('[data-row]'))"
            ".filter(row => row.checkVisibility()).length"
        )
    )


@pytest.mark.parametrize("name", SHOWN)
def test_a_page_asks_for_nothing_and_raises_nothing(
    browser: Any, pages: dict[str, str], name: str
) -> None:
    _requests(browser)
    browser.get_log("browser")
    _open(browser, pages[name])
    assert _requests(browser) == [pages[name]]
    assert browser.get_log("browser") == []


@pytest.mark.parametrize("width", [WIDE, NARROW])
@pytest.mark.parametrize("name", SHOWN)
def test_the_page_itself_never_scrolls_sideways(
    browser: Any, pages: dict[str, str], name: str, width: int
) -> None:
    _open(browser, pages[name], width=width)
    browser.execute_script("document.querySelectorAll('details').forEach(d => { d.open = true; })")
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width
    browser.find_element(By.ID, "ids").click()
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width


def _filter(browser: Any, text: str) -> str:
    field = browser.find_element(By.ID, "filter")
    field.clear()
    field.send_keys(text)
    matches = browser.find_element(By.ID, "matches")
    wanted = (lambda _: matches.text) if text else (lambda _: not matches.text)
    WebDriverWait(browser, 5).until(wanted)
    return str(matches.text)


def test_the_filter_leaves_the_rows_that_match_and_says_how_many(
    browser: Any, pages: dict[str, str]
) -> None:
    _open(browser, pages["sample"])
    before = _rows(browser)
    said = _filter(browser, "Lynne Robbins")
    matching = _rows(browser)
    assert 0 < matching < before
    assert said.startswith(f"{matching} of ")
    texts = browser.execute_script(
        "return Array.from(document.querySelectorAll('[data-row]'))"
        ".filter(row => row.checkVisibility()).map(row => row.textContent)"
    )
    assert all("Lynne Robbins" in text for text in texts)
    headings = browser.find_elements(By.CSS_SELECTOR, "main h3")
    assert not any("LESS" in heading.text for heading in headings)
    assert any("MORE" in heading.text for heading in headings)
    browser.find_element(By.ID, "filter").send_keys(Keys.CONTROL, "a", Keys.BACKSPACE)
    WebDriverWait(browser, 5).until(lambda _: _rows(browser) == before)


def test_the_filter_never_hides_why_a_plan_is_refused(browser: Any, pages: dict[str, str]) -> None:
    _open(browser, pages["not-applicable"])
    refused = browser.find_element(By.ID, "refused").text
    _filter(browser, "no such text")
    assert browser.find_element(By.ID, "refused").text == refused


def test_the_filter_finds_ids_and_people_in_folded_lists(
    browser: Any, pages: dict[str, str]
) -> None:
    _open(browser, pages["500-grants"])
    _filter(browser, "0000007b-0000-4000-8000-000000000000")
    people = browser.execute_script(
        "return Array.from(document.querySelectorAll('details.people li'))"
        ".filter(row => row.checkVisibility()).map(row => row.textContent)"
    )
    assert people
    assert set(people) == {"Person 00123"}


def test_a_page_of_ten_thousand_commands_unfolds_and_filters(
    browser: Any, pages: dict[str, str]
) -> None:
    """Where each of them costs what all the others do (the numbers of a list's items, once some are
    hidden), one filter takes minutes; else a tenth of a second.
    """
    _open(browser, pages[LARGE])
    unfold = "document.querySelector('#commands details').open = true; document.body.offsetHeight"
    browser.execute_script(unfold)
    WebDriverWait(browser, 20).until(
        lambda _: (
            browser.execute_script("return document.querySelectorAll('pre + button').length")
            == 10_000
        )
    )
    browser.set_script_timeout(20)
    told = browser.execute_async_script(
        "const [text, done] = arguments; const filter = document.getElementById('filter');"
        "const matches = document.getElementById('matches');"
        "new MutationObserver(() => { document.body.offsetHeight; done(matches.textContent); })"
        ".observe(matches, {childList: true});"
        "filter.value = text; filter.dispatchEvent(new Event('input'));",
        "00000123-0000-4000-8000-000000000000",
    )
    assert _rows(browser) == int(told.split(" ")[0]) > 0


def test_a_command_can_be_copied_byte_for_byte(browser: Any, pages: dict[str, str]) -> None:
    _open(browser, pages["sample"])
    browser.execute_script(
        "window.copied = []; document.addEventListener('copy',"
        " () => window.copied.push(getSelection().toString()));"
        " Object.defineProperty(navigator, 'clipboard', {value:"
        " {writeText: text => { window.copied.push(text); return Promise.resolve(); }}});"
    )
    buttons = browser.find_elements(By.CSS_SELECTOR, "#commands button.copy")
    commands = browser.find_elements(By.CSS_SELECTOR, "#commands pre code")
    assert len(buttons) == len(commands) > 1
    buttons[0].click()
    WebDriverWait(browser, 5).until(lambda _: buttons[0].text == "Copied")
    case = next(case for case in CASES if case.name == "sample")
    assert browser.execute_script("return window.copied") == [case.plan.steps[0].text]


def _focused(browser: Any) -> Any:
    """What has the focus: its place among all that can, and whether that is seen."""
    return browser.execute_script(
        "const all = Array.from(document.querySelectorAll(arguments[0]))"
        ".filter(e => e.checkVisibility());"
        "const active = document.activeElement; const style = getComputedStyle(active);"
        "return [all.indexOf(active), all.length, style.outlineStyle !== 'none' &&"
        " parseFloat(style.outlineWidth) > 0, active.outerHTML.slice(0, 120)];",
        INTERACTIVE,
    )


def test_the_keyboard_reaches_everything_in_order_and_shows_where_it_is(
    browser: Any, pages: dict[str, str]
) -> None:
    _open(browser, pages["sample"])
    keys = webdriver.ActionChains(browser)
    places: list[int] = []
    for _ in range(400):
        keys.send_keys(Keys.TAB).perform()
        place, count, visible, what = _focused(browser)
        if place < 0 or (places and place < places[-1]):
            break
        assert visible, what
        places.append(place)
        if place == count - 1:
            break
    assert places == list(range(_focused(browser)[1]))
    assert len(places) > 30


def test_a_list_unfolds_by_keyboard_and_the_slash_leads_to_the_filter(
    browser: Any, pages: dict[str, str]
) -> None:
    _open(browser, pages["500-grants"])
    summary = browser.find_element(By.CSS_SELECTOR, "details.people > summary")
    summary.send_keys(Keys.ENTER)
    assert browser.execute_script("return arguments[0].parentElement.open", summary)
    webdriver.ActionChains(browser).send_keys("/").perform()
    assert browser.execute_script("return document.activeElement.id") == "filter"


def test_everything_is_there_without_script(browser: Any, pages: dict[str, str]) -> None:
    _open(browser, pages["500-grants"])
    text = "return document.body.textContent.replace(/\\s+/g, ' ')"
    with_script = browser.execute_script(text).replace("Copy", "")
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        browser.get(pages["500-grants"])
        assert not browser.find_element(By.ID, "filter").is_displayed()
        assert not browser.find_elements(By.CSS_SELECTOR, "button")
        folded = browser.find_element(By.CSS_SELECTOR, "details.people")
        person = folded.find_element(By.CSS_SELECTOR, "li")
        assert not person.is_displayed()
        folded.find_element(By.CSS_SELECTOR, "summary").click()
        assert person.is_displayed()
        assert "Person 00123" in browser.page_source
    finally:
        browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
    # the text that script has is the text that is there without
    static = Path(pages["500-grants"].removeprefix("file://")).read_text(encoding="utf-8")
    assert static.count("<li") == browser.execute_script(
        "return document.querySelectorAll('li').length"
    )
    assert "Person 00500" in with_script


def test_print_unfolds_everything(browser: Any, pages: dict[str, str]) -> None:
    _open(browser, pages["500-grants"])
    _media(browser, "print")
    hidden = browser.execute_script(
        "return Array.from(document.querySelectorAll('main li, main td, main code'))"
        ".filter(e => e.textContent && !e.checkVisibility({contentVisibilityAuto: true})).length"
    )
    heights = browser.execute_script(
        "return Array.from(document.querySelectorAll('details.people li'))"
        ".filter(e => e.getBoundingClientRect().height === 0).length"
    )
    _media(browser, "screen")
    assert (hidden, heights) == (0, 0)


@pytest.mark.skipif(
    not AXE.exists(),
    reason=f"axe-core is not there: npm pack axe-core, unpacked to {AXE.parents[1]}",
)
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [WIDE, NARROW])
@pytest.mark.parametrize("name", EXAMINED)
def test_axe_finds_nothing(
    browser: Any, pages: dict[str, str], name: str, width: int, dark: bool
) -> None:
    _open(browser, pages[name], width=width, dark=dark)
    browser.execute_script(AXE.read_text(encoding="utf-8"))
    result = browser.execute_async_script(
        "const done = arguments[0];"
        "axe.run(document, {resultTypes: ['violations']}).then(done, e => done(String(e)));"
    )
    violations = [
        (row["id"], row["nodes"][0]["html"][:200], row["nodes"][0].get("failureSummary"))
        for row in result["violations"]
    ]
    assert violations == []
