"""Whether a page can be used by everybody: axe-core, which the test package carries, finds nothing."""

from __future__ import annotations

from collections.abc import Mapping

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

WIDE, PHONE = {"width": 1600, "height": 900}, {"width": 390, "height": 844}
_FAULTS = {"resultTypes": ["violations"]}
"""Of what is in order the answer would be long."""
_COLOURS = _FAULTS | {"runOnly": {"type": "rule", "values": ["color-contrast"]}}
_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]
_RULES = _FAULTS | {"runOnly": {"type": "tag", "values": _TAGS}}
_IS_STALE = "document.documentElement.classList.contains('is-stale')"
_RUN = f"options => axe.run(options).then(found => {_IS_STALE} ? null : found.violations)"
_axe = Axe()


def assert_clean(page: Page, options: Mapping[str, object] = _RULES) -> None:
    """WCAG 2.1 A and AA, and axe's own best practice, on the page as it stands."""
    page.wait_for_load_state()
    if not page.evaluate("'axe' in window"):
        page.evaluate(_axe.axe_script)
    # A board without new data is grey, which a busy machine may make it for a moment, also while it is looked at.
    found = None
    while found is None:
        # Not by a function, which the page's own rules for scripts refuse where it must be asked twice.
        page.locator("html:not(.is-stale)").wait_for(state="attached")
        found = page.evaluate(_RUN, dict(options))
    told = [f"{one['id']}: {one['help']} at {[node['target'] for node in one['nodes']][:3]}" for one in found]
    assert not told, f"{page.url}: {told}"


def assert_fits(page: Page) -> None:
    """Nothing hangs over the right edge."""
    # A page that was only just asked for has no element yet.
    page.wait_for_load_state()
    over = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    assert over <= 0, f"{page.url} is {over} px too wide"


def look(page: Page) -> None:
    """The page as it stands fits, wide and on a phone, and is clean. In the dark nothing but its colours is another."""
    for size in (PHONE, WIDE):
        page.set_viewport_size(size)  # type: ignore[arg-type]
        assert_fits(page)
    assert_clean(page)
    _set_theme(page, "dark")
    assert_clean(page, _COLOURS)
    _set_theme(page, "light")


def _set_theme(page: Page, theme: str) -> None:
    page.evaluate("theme => { document.documentElement.dataset.theme = theme }", theme)
