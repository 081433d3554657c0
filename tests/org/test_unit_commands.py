"""`dialer units` as a person types it."""

from __future__ import annotations

import json
from pathlib import Path

from typer.testing import CliRunner

from dialer.__main__ import build_command_line

app = build_command_line()

ROOT = Path(__file__).resolve().parents[2]


def test_a_tree_is_imported_listed_and_taught(environment: dict[str, str], tmp_path: Path):
    file = tmp_path / "units.csv"
    file.write_text("名称,上级,别名\n市局,,\n临河分局,市局,临河老区\n", encoding="utf-8")

    def run(*words: str) -> str:
        result = CliRunner().invoke(app, ["units", *words], env=environment, catch_exceptions=False)
        assert result.exit_code == 0
        return result.output

    assert "new 2" in run("import", str(file), "--by", "cli")
    assert "unchanged 2" in run("import", str(file), "--by", "cli")
    rows = json.loads(run("list", "--json"))
    assert [(row["path"], row["aliases"]) for row in rows] == [
        (["市局"], []),
        (["市局", "临河分局"], ["临河老区"]),
    ]
    assert "临河分局" in run("list")
    assert "临河分局" in run("alias", "新区", "市局/临河分局", "--by", "cli")
    assert "forgotten" in run("alias", "新区", "--by", "cli", "--forget")
    assert json.loads(run("unassigned", "--json")) == []
    assert run("tray", "--json") == run("unassigned", "--json"), "scripts may have the name of before"
    assert "tray" not in run("--help")
