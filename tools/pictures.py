"""The pictures of the README, made again: four pages of the console in a demo, in both languages.

    python -m tools.pictures [--only board,desk,visits,rates] [--to docs/images] [--speed 10]

Starts `dialer demo` in a folder of its own, gone afterwards, signs in with accounts made for it, and shoots each page
in Debian's Chromium at the moment at which it has something to show: the board while the robot calls, the desk with a
task in hand, an officer's visits, and the success rates when most of the list is called. Look at them before you
commit them, on a machine that does little else: in a demo that does not keep up with its clock everything is late.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize, sync_playwright

from dialer.bootstrap import application
from dialer.core.access import Role
from dialer.core.errors import DialerError
from dialer.core.text import Lang
from dialer.core.units import find_unit
from dialer.core.values import Track
from dialer.demo.run import demo_environment
from dialer.demo.sample_list import HOME
from dialer.figures.progress import read_progress
from dialer.org.tree import read_units_and_aliases
from dialer.runtime.location import free_port
from dialer.runtime.services import Application
from dialer.runtime.settings import load_settings
from dialer.staff.sign_in import choose_extension, open_session
from dialer.staff.store import insert_member
from dialer.web.console import SESSION_COOKIE
from dialer.work.assignments import waiting_assignments

ROOT = Path(__file__).resolve().parent.parent
CHROMIUM = "/usr/bin/chromium"
_SECONDS = 900.0
_STEP_SECONDS = 0.5
_PATIENCE_MS = 180_000.0
_DESK = ViewportSize(width=1440, height=900)
_PHONE = ViewportSize(width=390, height=844)
_PHONE_DOTS = 4 / 3
_COLOURS = 128
"""Of a picture in the repository: text and plain areas need no more."""
_TO_TOP = """one => {
  const bar = document.querySelector("header.bar").offsetHeight;
  scrollTo(0, one.closest("section").getBoundingClientRect().top + scrollY - bar - 16);
}"""
"""Below the bar, which stays at the top."""
_LEAST_CALLED, _MUCH_CALLED, _LEAST_VISITS = 150, 400, 3
_EXTENSION = "8002"
_NAMES: Mapping[Role, Mapping[Lang, str]] = {
    Role.SUPERVISOR: {Lang.EN: "Zhao Min", Lang.ZH: "赵敏"},
    Role.CALLER: {Lang.EN: "Li Na", Lang.ZH: "李娜"},
    Role.OFFICER: {Lang.EN: "Wang Lei", Lang.ZH: "王磊"},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A page at the moment at which it is worth a picture."""

    name: str
    role: Role
    path: str
    is_ready: Callable[[Application], bool]
    take_task: bool = False
    """Presses *Take the next task* first."""
    is_phone: bool = False
    from_heading: str = ""
    """The id of the heading that is at the top of the picture."""


def _robot_calls(app: Application) -> bool:
    with app.services.store.begin() as tx:
        progress = read_progress(tx)
    return progress.rung >= _LEAST_CALLED and progress.live > 0


def _waiting(app: Application, kind: Track) -> int:
    with app.services.store.begin() as tx:
        return len(waiting_assignments(tx, kind=kind))


def _much_is_done(app: Application) -> bool:
    with app.services.store.begin() as tx:
        return read_progress(tx).rung >= _MUCH_CALLED


PICTURES = (
    Picture(name="board", role=Role.SUPERVISOR, path="/board", is_ready=_robot_calls),
    Picture(
        name="desk",
        role=Role.CALLER,
        path="/desk",
        is_ready=lambda app: _waiting(app, Track.HUMAN) > len(Lang),
        take_task=True,
    ),
    Picture(
        name="visits",
        role=Role.OFFICER,
        path="/visits",
        is_ready=lambda app: _waiting(app, Track.VISIT) >= _LEAST_VISITS,
        is_phone=True,
    ),
    Picture(name="rates", role=Role.SUPERVISOR, path="/rates", is_ready=_much_is_done, from_heading="funnel"),
)


@contextmanager
def running_demo(folder: Path, *, speed: float) -> Iterator[tuple[Application, str]]:
    """A demo with its application, and its address."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith("DIALER_")}
    env = ours | {
        "DIALER_DATA_DIR": str(folder),
        "DIALER_WEB__PORT": str(free_port()),
        "DIALER_CLOCK__SPEED": str(speed),
    }
    settings = load_settings(demo_environment(env))
    with (folder / "demo.log").open("wb") as log:
        process = subprocess.Popen([sys.executable, "-m", "dialer", "demo"], env=env, stdout=log, stderr=log)
    try:
        wait_for(lambda: b"supervisor" in (folder / "demo.log").read_bytes(), process, "the demo's accounts")
        with application(settings) as app:
            yield app, f"http://127.0.0.1:{settings.web.port}"
    finally:
        process.send_signal(signal.SIGINT)
        process.wait()


def wait_for(is_so: Callable[[], bool], process: subprocess.Popen[bytes] | None, what: str) -> None:
    """Raises `SystemExit` when it does not come about."""
    deadline = time.monotonic() + _SECONDS
    while True:
        with suppress(DialerError):
            if is_so():
                return
        if time.monotonic() > deadline or (process is not None and process.poll() is not None):
            raise SystemExit(f"waited in vain for {what}")
        time.sleep(_STEP_SECONDS)


def account_token(app: Application, role: Role, lang: Lang) -> str:
    """Of a session of a new account."""
    services, now = app.services, app.services.real.now()
    units, _ = read_units_and_aliases(services)
    with services.store.begin() as tx:
        member = insert_member(
            tx,
            login=f"{role.value}-{lang.value}",
            display_name=_NAMES[role][lang] if role in _NAMES else role.value.title(),
            password_hash="-",  # noqa: S106  # nobody signs in with it
            role=role,
            unit_id=find_unit(units, HOME).id if role is Role.OFFICER else None,
            language=lang.value,
            must_change=False,
            by="pictures",
            real_now=now,
        )
        assert member is not None
    if role is Role.CALLER:
        choose_extension(services, member, _EXTENSION)
    with services.store.begin() as tx:
        return open_session(tx, services, member, address="127.0.0.1")


def signed_in(browser: Browser, url: str, token: str, lang: Lang, *, is_phone: bool) -> BrowserContext:
    context = browser.new_context(
        base_url=url,
        locale="en-GB" if lang is Lang.EN else "zh-CN",
        viewport=_PHONE if is_phone else _DESK,
        device_scale_factor=_PHONE_DOTS if is_phone else 1,
        reduced_motion="reduce",
    )
    context.set_default_timeout(_PATIENCE_MS)
    context.add_cookies([{"name": SESSION_COOKIE, "value": token, "url": url}])
    return context


def shoot(page: Page, picture: Picture, path: Path) -> None:
    """Opens the page and writes the picture, not while the board says that its figures are old."""
    page.goto(picture.path)
    while picture.take_task and not page.locator("[data-task]").count():
        # The simulated staff is quick: another task comes.
        page.goto(picture.path)
        page.locator("form[data-next] button").click()
        page.wait_for_load_state("networkidle")
    page.wait_for_load_state("networkidle")
    if picture.from_heading:
        page.locator(f"#{picture.from_heading}").evaluate(_TO_TOP)
    page.locator(":root:not(.is-stale)").wait_for(state="attached")
    page.screenshot(path=path)
    with Image.open(path) as shot:
        shot.convert("RGB").quantize(_COLOURS, dither=Image.Dither.NONE).save(path, optimize=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", default=",".join(one.name for one in PICTURES))
    parser.add_argument("--to", type=Path, default=ROOT / "docs" / "images")
    parser.add_argument("--speed", type=float, default=10.0, help="seconds of the demo in one second")
    options = parser.parse_args()
    wanted = [one for one in PICTURES if one.name in options.only.split(",")]
    with tempfile.TemporaryDirectory(prefix="dialer-pictures-") as folder, sync_playwright() as driver:
        Path(folder).chmod(0o755)
        with running_demo(Path(folder), speed=options.speed) as (app, url):
            browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
            roles = {one.role for one in wanted}
            tokens = {(role, lang): account_token(app, role, lang) for role in roles for lang in Lang}
            for picture in wanted:
                wait_for(partial(picture.is_ready, app), None, picture.name)
                for lang in Lang:
                    context = signed_in(
                        browser, url, tokens[picture.role, lang], lang, is_phone=picture.is_phone
                    )
                    path = options.to / f"{picture.name}-{lang.value}.png"
                    shoot(context.new_page(), picture, path)
                    context.close()
            browser.close()


if __name__ == "__main__":
    main()
