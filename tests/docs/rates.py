"""The rates of docs/metrics.md, made of their definitions.

python -m tests.docs.rates    # writes them anew into the page
"""

from __future__ import annotations

from collections.abc import Iterator

from dialer.core.rates import DEFINITIONS, WARNED_BEFORE_FILED
from dialer.core.text import Lang
from dialer.language.figure_words import rate_word
from tests.docs.pages import ROOT

PAGE = ROOT / "docs" / "metrics.md"
BEGIN, END = "<!-- rates: begin -->\n", "<!-- rates: end -->\n"


def section() -> str:
    """A paragraph a rate, in the order of the definitions."""
    return "\n".join(_lines())


def _lines() -> Iterator[str]:
    for one in (*DEFINITIONS, WARNED_BEFORE_FILED):
        left_out = ", ".join(f"`{name}`" for name in one.excludes) or "nothing but drill records"
        yield f"### `{one.name}`"
        yield ""
        yield f"{rate_word(one, Lang.ZH)} · {one.title}. {one.says}"
        yield ""
        yield (
            f"`{one.numerator}` of `{one.denominator}`, window by `{one.basis.value}`; left out: {left_out}."
            f" Version {one.version}."
        )
        yield ""


def main() -> None:
    page = PAGE.read_text(encoding="utf-8")
    before, _, rest = page.partition(BEGIN)
    PAGE.write_text(f"{before}{BEGIN}{section()}{END}{rest.partition(END)[2]}", encoding="utf-8")


if __name__ == "__main__":
    main()
