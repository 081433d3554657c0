"""The manual says the same in both languages: the same chapters, headings, commands, settings, numbers and links; each
page and each alarm has its paragraph.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from dialer.core.events import AlarmCode
from dialer.core.text import Lang
from dialer.help.pages import PARAGRAPHS, anchor_of
from dialer.help.reading import Section, chapters, images_folder, manual_folder, section_html
from dialer.language.words import word_of
from dialer.server.application import declarations
from tools.manual_site import build

_ZH, _EN = chapters(Lang.ZH), chapters(Lang.EN)
_CODE = re.compile(r"^```.*?^```$|`[^`]+`", re.MULTILINE | re.DOTALL)
_NUMBER = re.compile(r"(?<![A-Za-z0-9_.-])\d[\d,]*(?:\.\d+)?")
_CHINESE = re.compile(r"[\u4e00-\u9fff]")
_ENGLISH_WORDS = re.compile(r"(?:\b[A-Za-z]{2,}\b[ ,.]+){4,}")
_NO_PARAGRAPH = re.compile(
    r"^/(help|language|sign-out|$|.*/(live|pulse|worker\.js|file|sound|docx|room)$|clips/|.*/look$|.*/came$|.*/count$|.*/progress$)"
)
"""Addresses that no person stands on."""


def _raw(name: str, lang: Lang) -> str:
    return (manual_folder() / lang.value / f"{name}.md").read_text(encoding="utf-8")


def _anchors() -> set[str]:
    return {section.anchor for chapter in _ZH.values() for section in chapter.sections}


def _pairs() -> list[tuple[Section, Section]]:
    return [
        pair
        for name in _ZH
        if name in _EN
        for pair in zip(_ZH[name].sections, _EN[name].sections, strict=False)
    ]


def test_both_languages_have_the_same_chapters_and_headings():
    assert set(_ZH) == set(_EN)
    assert list(_ZH) == list(_EN)
    for name in _ZH:
        here = [(one.anchor, one.level) for one in _ZH[name].sections]
        assert here == [(one.anchor, one.level) for one in _EN[name].sections], name


def test_an_anchor_is_there_once():
    anchors = [section.anchor for chapter in _ZH.values() for section in chapter.sections]
    assert sorted(anchors) == sorted(set(anchors))


@pytest.mark.parametrize("name", list(_ZH))
def test_commands_and_settings_are_the_same(name: str):
    assert sorted(set(_CODE.findall(_raw(name, Lang.ZH)))) == sorted(set(_CODE.findall(_raw(name, Lang.EN))))


@pytest.mark.parametrize("name", list(_ZH))
def test_numbers_are_the_same_in_each_section(name: str):
    differing = {
        here.anchor: (numbers, others)
        for here, there in zip(_ZH[name].sections, _EN[name].sections, strict=True)
        if (numbers := _numbers(here)) != (others := _numbers(there))
    }
    assert differing == {}


def _numbers(section: Section) -> list[str]:
    return sorted(number.replace(",", "") for number in _NUMBER.findall(section.text))


@pytest.mark.parametrize("name", list(_ZH))
def test_a_chinese_chapter_has_no_english_sentence_and_is_in_chinese(name: str):
    words = _CODE.sub("", _raw(name, Lang.ZH))
    assert _ENGLISH_WORDS.findall(words) == []
    assert all(_CHINESE.search(section.title) for section in _ZH[name].sections)


@pytest.mark.parametrize("lang", list(Lang))
def test_every_link_leads_somewhere_and_every_picture_is_there(lang: Lang):
    missing: list[str] = []

    def address(name: str, place: str) -> str:
        if not name and not (images_folder() / place).is_file():
            missing.append(place)
        if name and name not in chapters(lang):
            missing.append(name)
        if name and place and place not in {one.anchor for one in chapters(lang)[name].sections}:
            missing.append(f"{name}#{place}")
        return ""

    for chapter in chapters(lang).values():
        for section in chapter.sections:
            section_html(section, address)
    assert missing == []


@pytest.mark.parametrize("code", list(AlarmCode), ids=lambda code: code.value)
def test_every_alarm_has_its_paragraph_with_cause_place_and_act(code: AlarmCode):
    for lang, parts in ((Lang.ZH, ("原因", "查看", "处置")), (Lang.EN, ("Cause", "Look", "Do"))):
        [section] = [one for one in chapters(lang)["alarms"].sections if one.anchor == code.value]
        assert [part for part in parts if part not in section.text] == []
        if lang is Lang.ZH:
            assert word_of(code, Lang.ZH) in section.title


def test_the_paragraphs_that_pages_lead_to_are_there():
    assert set(PARAGRAPHS.values()) - _anchors() == set()


def test_every_page_leads_to_its_paragraph():
    pages = {one.path for one in declarations() if one.method == "GET"}
    assert sorted(page for page in pages if not _NO_PARAGRAPH.match(page) and not anchor_of(page)) == []
    assert sorted(begin for begin in PARAGRAPHS if not any(page.startswith(begin) for page in pages)) == []


def test_the_site_has_every_chapter_and_all_of_its_links_open_from_the_folder(tmp_path: Path):
    assert build(tmp_path / "site") == 2 * len(_ZH)
    for page in (tmp_path / "site").rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        for link in re.findall(r'(?:href|src)="([^"#]+)', text):
            assert (page.parent / link).is_file(), f"{page.name}: {link}"
        assert "://" not in re.sub(r"<code.*?</code>", "", text, flags=re.DOTALL)
