"""Chapters of the manual are read, searched and shown."""

from __future__ import annotations

import pytest

from dialer.core.text import Lang
from dialer.help.pages import PARAGRAPHS
from dialer.help.reading import BadChapter, Chapter, beginning_html, chapters, read_chapter, section_html

TEXT = """# 话务员 {#caller}

先看任务，
再打电话。
用 `dialer`
命令，
OK
吧。

## 接任务 {#caller-take}

见[告警](alarms.md#waited_too_long)和[这里](#caller)。
![图](../../images/desk-zh.png)

<script>alert(1)</script>

| 甲 | 乙 |
|---|---|
| 1 | 2 |

### 说不的时候 {#caller-no}

```sh
dialer work list
```
"""


def chapter(text: str = TEXT) -> Chapter:
    return read_chapter("caller", Lang.ZH, text)


def address(name: str, place: str) -> str:
    return f"<{name}|{place}>"


def test_a_chapter_has_its_sections_with_anchor_level_and_words():
    read = chapter()
    assert read.title == "话务员"
    assert [(one.anchor, one.level, one.title) for one in read.sections] == [
        ("caller", 1, "话务员"),
        ("caller-take", 2, "接任务"),
        ("caller-no", 3, "说不的时候"),
    ]
    assert read.sections[2].text == "dialer work list"
    assert read.sections[1].text.startswith("见告警和这里。图 <script>alert(1)</script> 甲 乙 1 2")


def test_lines_of_chinese_are_joined_and_others_are_not():
    html = section_html(chapter().sections[0], address)
    assert html == "<p>先看任务，再打电话。用 <code>dialer</code>\n命令，\nOK\n吧。</p>\n"


def test_links_and_pictures_have_the_addresses_of_where_they_are_shown_and_html_is_text():
    html = section_html(chapter().sections[1], address)
    assert 'href="&lt;alarms|waited_too_long&gt;"' in html
    assert 'href="&lt;caller|caller&gt;"' in html
    assert 'src="&lt;|desk-zh.png&gt;"' in html
    assert "<script>" not in html
    assert "<td>1</td>" in html


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("words\n\n# 标题 {#a}\n", "begins without a heading"),
        ("# 标题\n", "no {#anchor} at: 标题"),
        ("", "begins without a heading"),
    ],
)
def test_a_file_of_another_form_is_refused(text: str, why: str):
    with pytest.raises(BadChapter, match=why):
        chapter(text)


@pytest.mark.parametrize("link", ["[x](https://example.org)", "[x](/cases)", "![x](board.png)"])
def test_a_link_or_a_picture_from_elsewhere_is_refused(link: str):
    [section] = chapter(f"# 标题 {{#a}}\n\n{link}\n").sections
    with pytest.raises(BadChapter, match="caller#a"):
        section_html(section, address)


@pytest.mark.parametrize(
    ("written", "beginning"),
    [
        ("![图](../../images/a.png)\n\n先看。\n\n再打。", "<p>先看。</p>\n"),
        (
            "先看：\n\n- 甲\n- 丙\n\n再打。",
            "<p>先看：</p>\n<ul>\n<li>甲</li>\n<li>丙</li>\n</ul>\n",
        ),
        ("先看：", "<p>先看：</p>\n"),
        ("- 甲", ""),
    ],
)
def test_a_section_begins_with_what_it_says_first(written: str, beginning: str):
    section = chapter(f"# 话务员 {{#caller}}\n\n{written}\n").sections[0]
    assert beginning_html(section, address) == beginning


@pytest.mark.parametrize("lang", Lang)
def test_the_paragraph_about_each_page_says_something_first(lang: Lang):
    sections = {one.anchor: one for each in chapters(lang).values() for one in each.sections}
    silent = [path for path, anchor in PARAGRAPHS.items() if not beginning_html(sections[anchor], address)]
    assert silent == []
