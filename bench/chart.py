"""A bar chart as SVG text: no library, readable in a README."""

from __future__ import annotations

from collections.abc import Mapping
from xml.sax.saxutils import escape

_LEFT, _BAR, _GAP, _WIDTH = 150, 22, 8, 640


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
