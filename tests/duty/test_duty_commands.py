"""`dialer duty` as a person types it."""

from __future__ import annotations

import json
from pathlib import Path

from typer.testing import CliRunner, Result

from dialer.__main__ import build_command_line
from dialer.bootstrap import application
from dialer.core.access import Role, unrestricted
from dialer.core.periods import add_months
from dialer.db.units import add_unit
from dialer.org.accounts import add_staff
from dialer.runtime.settings import load_settings
from tests.duty.grids import grid

app = build_command_line()


def test_a_month_is_loaded_and_says_who_is_on_duty(environment: dict[str, str], tmp_path: Path):
    with application(load_settings(environment)) as made:
        services = made.services
        with services.store.begin() as tx:
            unit_id = add_unit(tx, name="城关派出所", parent_id=None)
        add_staff(
            services, unrestricted("test"), login="ann", display_name="安民", role=Role.OFFICER, unit_id=unit_id,
            language="zh",
        )  # fmt: skip
        month = add_months(services.clock.now().date(), 1)

    def run(*words: str) -> Result:
        return CliRunner().invoke(app, ["duty", *words], env=environment)

    file = tmp_path / "duty.csv"
    to_load = ("load", str(file), "--unit", "城关派出所", "--by", "cli")
    file.write_bytes(grid(f"{month:%Y-%m}", {"安民": {1: "中"}, "谁": "值"}).read())
    refused = run(*to_load)
    assert refused.exit_code != 0
    assert "line 3, 1: 不是班次：中 (this is no shift: 中); " in refused.stderr
    assert "line 4, 姓名: " in refused.stderr
    assert json.loads(run("on", "--json").stdout) == []
    assert "没有值班表 no unit keeps a roster" in run("on").stdout

    file.write_bytes(grid(f"{month:%Y-%m}", {"安民": "值"}, title=False).read())
    assert "the file does not say its month" in str(run(*to_load).exception)
    done = run(*to_load, "--month", f"{month:%Y-%m}")
    assert done.exit_code == 0, (done.stderr, done.exception)
    assert f"{month:%Y-%m}：1 人" in done.stdout
    [found] = json.loads(run("on", "--json").stdout)
    assert (found["unit"], found["kind"]) == ("城关派出所", "officer")
    assert [one["unit"] for one in json.loads(run("on", "--unit", "城关派出所", "--json").stdout)] == [
        "城关派出所"
    ]
    shown = run("on").stdout
    assert "城关派出所" in shown
    assert "见面劝阻" in shown
    assert "cannot be read" in str(run("load", str(tmp_path), *to_load[2:]).exception)

    # The next shift of the month goes to people in turn.
    first = f"{month:%Y-%m}-20"
    turn = ("rotation", "--unit", "城关派出所", "--persons", "安民", "--first", first, "--last", first)
    assert "is not known" in str(run(*turn, "--shift", "中", "--by", "cli").exception)
    planned = run(*turn, "--shift", "白", "--by", "cli")
    assert "has another shift at that time" in str(planned.exception)
    other = run(*turn, "--shift", "白", "--kind", "supervisor", "--by", "cli")
    assert "安民" in str(other.exception), "an officer supervises nothing"
    with application(load_settings(environment)) as made:
        services = made.services
        add_staff(
            services, unrestricted("test"), login="ben", display_name="本民", role=Role.CALLER, unit_id=unit_id,
            language="zh",
        )  # fmt: skip
    calls = ("--persons", "ben", "--kind", "caller", "--shift", "夜", "--weekdays", "1234567", "--each", "2")
    done = run(
        "rotation",
        "--unit",
        "城关派出所",
        "--first",
        first,
        "--last",
        f"{month:%Y-%m}-22",
        *calls,
        "--by",
        "cli",
    )
    assert done.exit_code == 0, (done.stderr, done.exception)
    assert f"自 {first} 起排了 3 个班次" in done.stdout
