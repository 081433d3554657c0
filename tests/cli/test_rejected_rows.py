"""Lists with rows that cannot be used, as a person loads them: what is said, the workbook, and a folder that is full or
not ours.
"""

from __future__ import annotations

import json
import stat
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from python_calamine import CalamineWorkbook
from typer.testing import CliRunner, Result

from dialer.__main__ import build_command_line
from dialer.db.keys import create

app = build_command_line()

ROOT = Path(__file__).resolve().parents[2]
FILED = "案件编号,姓名,手机号,立案时间\nA1,王伟,13800138000,2026-01-05\n,李雷,13800138001,2026-01-05\n"
OPENINGS = (
    "业务编号,网点编号,证件号码,手机号,姓名\n"
    "K1,001,110101199003070097,13800138000,王伟\n"
    "K2,001,12345,13800138001,李雷\n"
)
SIGNALS = (
    "信号编号,类型,时间,手机号,对方号码,方向,时长秒,来源\n"
    "S1,call,{yesterday},13800138000,+8613900139000,被叫,60,运营商\n"
    "S2,call,昨天,13800138001,+8613900139000,,60,运营商\n"
)
Run = Callable[..., Result]


@pytest.fixture
def run(fresh_database: str, broker_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    create(tmp_path / "keys.json")
    for name, value in {
        "DIALER_DATABASE__URL": fresh_database,
        "DIALER_BROKER__URL": broker_url,
        "DIALER_KEYS__FILE": str(tmp_path / "keys.json"),
        "DIALER_DATA_DIR": str(tmp_path / "var"),
        "DIALER_SETTINGS": str(ROOT / "settings.toml"),
    }.items():
        monkeypatch.setenv(name, value)

    def typed(*words: str) -> Result:
        return CliRunner().invoke(app, words, catch_exceptions=False)

    typed("openings", "institution", "工行", "--kind", "bank", "--by", "cli")
    return typed


def words_of(kind: str, tmp_path: Path) -> tuple[str, ...]:
    file = tmp_path / "list.csv"
    text = {"filed": FILED, "openings": OPENINGS, "signals": SIGNALS}[kind]
    yesterday = datetime.now(UTC) - timedelta(days=1)  # a command has no other clock
    file.write_text(text.format(yesterday=f"{yesterday:%Y-%m-%d %H:%M:%S}"), encoding="utf-8")
    more = ("--institution", "工行", "--add-outlets") if kind == "openings" else ()
    return (kind, "load", str(file), *more, "--by", "cli")


@pytest.mark.parametrize(
    ("kind", "column"), [("filed", "案件编号"), ("openings", "证件号码"), ("signals", "时间")]
)
def test_what_was_refused_is_said_and_stands_in_a_workbook(run: Run, tmp_path: Path, kind: str, column: str):
    done = run(*words_of(kind, tmp_path))
    assert done.exit_code == 0
    assert f"第 3 行 line 3 · {column}: " in done.stdout
    path = tmp_path / "var" / "rejects" / f"{kind}-list.xlsx"
    assert f"rejected rows: {path}" in done.stdout
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    [heading, row] = CalamineWorkbook.from_path(path).get_sheet_by_index(0).to_python()
    assert column in heading
    assert "13800138001" in row
    assert (kind == "signals") is ("；方向：" in str(row))  # the second fault of the row


@pytest.mark.parametrize("kind", ["filed", "openings", "signals"])
def test_a_folder_that_cannot_be_written_loses_the_workbook_alone(run: Run, tmp_path: Path, kind: str):
    (tmp_path / "var").mkdir(exist_ok=True)
    (tmp_path / "var" / "rejects").write_text("in the way")
    done = run(*words_of(kind, tmp_path), "--json")
    assert done.exit_code == 0
    assert "the rejected rows were not written" in done.stderr
    assert str(tmp_path / "var" / "rejects") in done.stderr
    told = json.loads(done.stdout)
    assert (told["rows"], told["rejected"], told["reject_file"]) == (2, 1, None)
    assert {reject["line"] for reject in told["rejects"]} == {3}
