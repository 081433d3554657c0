"""Every link of the documentation leads somewhere, and every picture is used and small."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from tests.docs.pages import PAGES, ROOT, anchors, links, name

_LARGEST_BYTES = 100_000


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_link_of_a_page_leads_to_a_file_and_a_heading(page: Path) -> None:
    for link in links(page.read_text(encoding="utf-8")):
        if link.startswith(("http://", "https://")):
            continue
        target, _, heading = link.partition("#")
        file = page if not target else (page.parent / target).resolve()
        assert file.exists(), f"{name(page)} links to {link}"
        assert file.is_relative_to(ROOT), f"{name(page)} links out of the project: {link}"
        if heading:
            assert heading in anchors(file.read_text(encoding="utf-8")), f"{name(page)} links to {link}"


def test_every_picture_is_shown_somewhere_and_small() -> None:
    shown = {
        (page.parent / link).resolve()
        for page in PAGES
        for link in links(page.read_text(encoding="utf-8"))
        if not link.startswith("http")
    }
    pictures = sorted((ROOT / "docs" / "images").iterdir())
    assert pictures
    for picture in pictures:
        assert picture in shown, f"{picture.name} is on no page"
        assert picture.stat().st_size <= _LARGEST_BYTES, picture.name


@pytest.mark.parametrize("picture", sorted((ROOT / "docs" / "images").glob("*.svg")), ids=lambda p: p.name)
def test_a_drawing_says_what_it_shows_and_loads_nothing(picture: Path) -> None:
    root = ET.parse(picture).getroot()
    title = root.find("{http://www.w3.org/2000/svg}title")
    assert title is not None
    assert title.text
    tags = {element.tag.rpartition("}")[2] for element in root.iter()}
    assert not tags & {"script", "image", "foreignObject", "use"}


def test_both_readmes_have_the_same_sections() -> None:
    english = (ROOT / "README.md").read_text(encoding="utf-8").count("\n## ")
    chinese = (ROOT / "README.zh-CN.md").read_text(encoding="utf-8").count("\n## ")
    assert english == chinese
