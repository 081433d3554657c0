"""`make docs`: the manual as pages that a browser opens from a folder, without a server and without a network.

    python -m tools.manual_site [--to build/docs]

Both languages, each chapter a page, with a search that works in the browser. The pages are made from the same files as
those at `/help`.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from dialer.core.text import Lang
from dialer.help.reading import INDEX, Chapter, chapters, images_folder, section_html

_PARTS = Path(__file__).resolve().parent / "site"


def build(to: Path) -> int:
    """Writes the site into this folder, which is made anew. Returns the number of pages."""
    if to.exists():
        shutil.rmtree(to)
    page = Environment(
        loader=FileSystemLoader(_PARTS), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    ).get_template("page.html")
    count = 0
    for lang in Lang:
        folder = to / lang.value
        folder.mkdir(parents=True)
        every = list(chapters(lang).values())
        for chapter in every:
            (folder / f"{chapter.name}.html").write_text(
                page.render(
                    lang=lang.value,
                    other=next(one for one in Lang if one is not lang).value,
                    chapters=every,
                    shown=chapter,
                    sections=[(one, Markup(section_html(one, _address))) for one in chapter.sections],  # noqa: S704 - our own files
                ),
                encoding="utf-8",
            )
            count += 1
        (folder / "search-words.js").write_text(f"window.sections = {_words(every)};\n", encoding="utf-8")
    shutil.copytree(images_folder(), to / "images")
    for name in ("search.js", "site.css"):
        shutil.copy(_PARTS / name, to / name)
    (to / "index.html").write_text(
        f'<!doctype html><meta charset="utf-8"><meta http-equiv="refresh" content="0; url=zh/{INDEX}.html">\n',
        encoding="utf-8",
    )
    return count


def _words(every: list[Chapter]) -> str:
    sections = [
        {"chapter": one.chapter, "anchor": one.anchor, "title": one.title, "text": one.text}
        for chapter in every
        for one in chapter.sections
    ]
    return json.dumps(sections, ensure_ascii=False)


def _address(name: str, place: str) -> str:
    if not name:
        return f"../images/{place}"
    return f"{name}.html#{place}" if place else f"{name}.html"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tools.manual_site", description=__doc__)
    parser.add_argument("--to", type=Path, default=Path("build/docs"))
    arguments = parser.parse_args()
    sys.stdout.write(f"{build(arguments.to)} pages: {arguments.to / 'index.html'}\n")


if __name__ == "__main__":
    main()
