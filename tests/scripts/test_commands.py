"""A version's whole life from the terminal, and its sound made by a worker's task."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from click.testing import Result
from typer.testing import CliRunner

from audio.wave_file import wav_bytes
from dialer.__main__ import build_command_line
from dialer.bootstrap import application, assemble
from dialer.core.access import unrestricted
from dialer.core.errors import Conflict, Invalid, Refusal, UnusableFile
from dialer.core.second_person import SamePlace
from dialer.core.values import RenderState
from dialer.runtime.services import Services
from dialer.runtime.settings import load_settings
from dialer.script_versions.actions import NotRendered
from dialer.script_versions.overview import show_script
from dialer.script_versions.render import rendering, start_rendering
from dialer.scripts.store import Render
from dialer.tasks.application import _made, use_application
from dialer.tasks.bulk_work import _studios, render_script_task, resume_renders_task
from tests.accounts import add_account
from tests.audio.conftest import burst
from tests.scripts.centre import LOAN
from tests.scripts.conftest import ROOT
from tests.terminal import signed_in_as

app = build_command_line()

DRAFTER, APPROVER = ("--by", "wang"), ("--by", "li", "--reason", "说得更清楚")


class Terminal:
    def __init__(self, environment: dict[str, str]) -> None:
        self.environment = environment
        self.data_dir = Path(environment["DIALER_DATA_DIR"])

    def run(self, *words: str) -> Result:
        done = CliRunner().invoke(app, ["scripts", *words], env=signed_in_as(*words), catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return done

    def told(self, *words: str) -> Any:  # noqa: ANN401 - JSON
        return json.loads(self.run(*words, "--json").stdout)

    def drafted_elsewhere(self) -> None:
        """The drafts are of somebody who has never been at this terminal."""
        with application(load_settings()) as made, made.services.store.begin() as tx:
            for change in (
                "ALTER TABLE script_version DISABLE TRIGGER USER",
                "UPDATE script_version SET drafted_by = 'sun' WHERE number > 1",
                "ALTER TABLE script_version ENABLE TRIGGER USER",
            ):
                tx.execute(sa.text(change))

    def record(self, language: str, prompt_id: str) -> None:
        path = self.data_dir / "recordings" / language / f"{prompt_id}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(wav_bytes(burst(5.0)))


@pytest.fixture
def terminal(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Terminal:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    # No voice is installed here, whatever this machine has.
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.chdir(ROOT)
    with application(load_settings()) as app:
        add_account(app.services.store, "wang")
        add_account(app.services.store, "li")
    return Terminal(environment)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "my-loan.toml"
    path.write_text(LOAN.replace("请注意", "您听我说"), encoding="utf-8")
    return path


def test_from_draft_to_live_and_back(terminal: Terminal, file: Path):
    assert {line["live"] for line in terminal.told("list")} == {1}
    drafted = terminal.told("draft", str(file), *DRAFTER)
    assert (drafted["script"], drafted["version"], drafted["state"]) == ("loan", 2, "draft")
    assert drafted["findings"] == []
    with pytest.raises(Refusal, match=r"loan.warn in Mandarin: no voice speaks Mandarin"):
        terminal.run("render", "loan", "2")
    with pytest.raises(NotRendered, match="1 prompts without sound"):
        terminal.run("approve", "loan", "2", *APPROVER)
    terminal.record("zh", "loan.warn")
    assert "loan 2" in terminal.run("render", "loan", "2").stdout
    with pytest.raises(Conflict, match="second person"):
        terminal.run("approve", "loan", "2", *DRAFTER, "--reason", "好")
    with pytest.raises(SamePlace):
        terminal.run("approve", "loan", "2", *APPROVER)
    terminal.drafted_elsewhere()
    approved = terminal.told("approve", "loan", "2", *APPROVER)
    assert (approved["state"], approved["live"]) == ("approved", True)
    page = terminal.told("show", "loan")
    assert page["version"] == 2
    warn = next(node for node in page["nodes"] if node["id"] == "warn")
    assert {said["language"]: said["voice"] for said in warn["said"]}["zh"] == "recorded"
    assert {"start": "acknowledge", "to": "goodbye", "key": "1", "label": ""} in page["edges"]
    assert terminal.run("show", "loan", "--source").stdout == file.read_text(encoding="utf-8")
    terminal.run("approve", "loan", "1", "--by", "li", "--reason", "退回")
    assert [(v["version"], v["state"]) for v in terminal.told("versions", "loan")] == [
        (2, "retired"),
        (1, "approved"),
    ]
    assert "已停用" in terminal.run("versions", "loan").stdout


def test_a_trial_from_the_terminal(terminal: Terminal, file: Path):
    terminal.record("zh", "loan.warn")
    terminal.run("draft", str(file), *DRAFTER)
    terminal.run("render", "loan", "2")
    terminal.drafted_elsewhere()
    terminal.run("approve", "loan", "2", *APPROVER, "--trial-only")
    terminal.run("trial", "loan", "--weights", "1=50,2=50", *APPROVER)
    shown = terminal.run("compare", "loan").stdout
    assert "not enough people yet: about" in shown
    assert "no filed cases loaded" in shown
    found = terminal.told("compare", "loan")
    assert [(v["number"], v["is_live"]) for v in found["versions"]] == [(1, True), (2, False)]
    terminal.run("trial", "loan", *APPROVER)
    assert terminal.told("compare", "loan")["trial"]["ended_at"] is not None


def test_shares_that_cannot_be_read(terminal: Terminal):
    for weights in (
        "half",
        "1=50,2",
        "1=x,2=1",
        "=1",
    ):
        with pytest.raises(Invalid, match="weights"):
            terminal.run("trial", "loan", "--weights", weights, *APPROVER)


def test_a_file_that_is_not_there(terminal: Terminal, tmp_path: Path):
    with pytest.raises(UnusableFile):
        terminal.run("draft", str(tmp_path / "nothing.toml"), *DRAFTER)


def _rendered(services: Services) -> Render:
    """The rendering at its end: the task of a slow machine hands it back several times before."""
    while True:
        resume_renders_task()
        made = rendering(services, "loan", 1)
        assert made is not None
        if not made.state.is_open:
            return made


def test_the_task_of_a_worker_makes_the_sound(terminal: Terminal):
    terminal.record("mn", "common.opening")
    app = assemble(load_settings())
    try:
        use_application(app)
        asked = start_rendering(app.services, unrestricted("王警官"), "loan", 1)
        made = _rendered(app.services)
        assert (made.id, made.state, made.done) == (asked.id, RenderState.DONE, made.total)
        opening = next(node for node in show_script(app.services, "loan").nodes if node.id == "opening")
        assert {said.language: said.voice for said in opening.said}["mn"] == "recorded"
        render_script_task(asked.id)
        assert rendering(app.services, "loan", 1) == made
    finally:
        _made.clear()
        _studios.clear()
        app.close()


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ("请注意", "您听我说", "warn: has no sound in Mandarin [sound]"),
        (
            'next = "acknowledge"',
            'next = "scene"',
            "a way leads back here, so that a call may never end [ends]",
        ),
    ],
)
def test_a_file_is_checked_before_it_is_drafted(tmp_path: Path, old: str, new: str, found: str):
    path = tmp_path / "my-loan.toml"
    path.write_text(LOAN.replace(old, new, 1), encoding="utf-8")
    done = CliRunner().invoke(app, ["scripts", "check", str(path)], catch_exceptions=False)
    assert done.exit_code == 1
    assert "my-loan.toml:" in done.stderr
    assert found in done.stderr
