"""The charts of bench/README.md, drawn as SVG text from the figures kept beside it: `python -m bench.chart`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

_HERE = Path(__file__).resolve().parent
_FIGURES = _HERE / "figures.json"
_LEFT, _BAR, _GAP, _WIDTH = 190, 22, 8, 640


def bars(title: str, values: Mapping[str, float], *, unit: str) -> str:
    most = max(values.values()) or 1.0
    height = 44 + len(values) * (_BAR + _GAP)
    parts = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{height}" font-family="sans-serif"'
            f' font-size="13"><rect width="100%" height="100%" fill="#ffffff"/>'
            f'<text x="8" y="22" font-weight="bold" fill="#1f2933">{escape(title)}</text>'
        )
    ]
    for place, (name, value) in enumerate(values.items()):
        top = 36 + place * (_BAR + _GAP)
        length = round((_WIDTH - _LEFT - 110) * value / most, 1)
        parts.append(
            f'<text x="{_LEFT - 8}" y="{top + 15}" text-anchor="end" fill="#1f2933">{escape(name)}</text>'
            f'<rect x="{_LEFT}" y="{top}" width="{length}" height="{_BAR}" fill="#2f6f9f"/>'
            f'<text x="{_LEFT + length + 6}" y="{top + 15}" fill="#1f2933">{value:g} {escape(unit)}</text>'
        )
    return "".join(parts) + "</svg>\n"


def save(name: str, figures: Mapping[str, object]) -> None:
    """Kept beside this file, in place of what an earlier run measured."""
    kept = _kept() | {name: figures}
    _FIGURES.write_text(
        json.dumps(kept, indent=1, ensure_ascii=False, sort_keys=True) + "\n", encoding="utf-8"
    )


def draw() -> None:
    """Each chart whose figures are there."""
    kept = _kept()
    lives, dispatch = kept.get("lives", {}), kept.get("dispatch", {})
    if "naive_lives_per_second" in lives:
        one = {
            "one eta task a call": lives["naive_lives_per_second"],
            "this service": lives["lives_per_second"],
        }
        _write("lives", bars("Complete call lives a second, all on two cores", one, unit="/s"))
    if lives:
        spent = lives["cpu_seconds_per_1000_lives"]
        _write("lives_cpu", bars("Processor seconds for 1,000 call lives", spent, unit="s"))
    if "naive_calls_per_second" in dispatch:
        one = {
            "one eta task a call": dispatch["naive_calls_per_second"],
            "this service": dispatch["calls_per_second"],
        }
        _write("dispatch", bars("Calls placed a second against a stub", one, unit="/s"))


def _kept() -> dict[str, Any]:
    kept: dict[str, Any] = json.loads(_FIGURES.read_text(encoding="utf-8")) if _FIGURES.exists() else {}
    return kept


def _write(name: str, svg: str) -> None:
    (_HERE / f"{name}.svg").write_text(svg, encoding="utf-8")


if __name__ == "__main__":
    draw()
