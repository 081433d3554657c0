"""A month of a roster as a station types it."""

from __future__ import annotations

import calendar
import io


def grid(
    month: str, people: dict[str, str | dict[int, str]], *, title: bool = True, name: str = "姓名"
) -> io.BytesIO:
    """A CSV. `people`: by name, one mark for every day, or marks by day."""
    year, number = map(int, month.split("-"))
    days = range(1, calendar.monthrange(year, number)[1] + 1)
    lines = [f"{year}年{number}月值班表"] if title else []
    lines.append(",".join([name, *map(str, days)]))
    for person, marks in people.items():
        cells = [marks if isinstance(marks, str) else marks.get(day, "") for day in days]
        lines.append(",".join([person, *cells]))
    return io.BytesIO("\n".join(lines).encode())
