"""The chapters of the manual: their files, their sections as HTML, and the sections that contain given words.

A chapter is a file of CommonMark with tables below `docs/manual/LANGUAGE`. Each of its headings ends with an anchor,
`## 接任务 {#caller-take}`, which is the same in both languages.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from markdown_it import MarkdownIt
from markdown_it.token import Token

import dialer
from dialer.core.text import Lang

INDEX: Final = "index"
"""The chapter that lists the others."""
_HEADING: Final = re.compile(r"(?P<title>.*)\{#(?P<anchor>[a-z0-9_-]+)\}\s*")
_MANUAL_LINK: Final = re.compile(r"(?:(?P<chapter>[a-z]+)\.md)?(?:#(?P<anchor>[a-z0-9_-]+))?")
_IMAGES: Final = "../../images/"
_SPACE: Final = re.compile(r"\s+")
_AROUND: Final = 60
"""As many characters are shown on both sides of a word that was found."""
_FOUND_AT_MOST: Final = 30

Addresses = Callable[[str, str], str]
"""The address of a chapter ('' for a picture) and an anchor of it ('' for its beginning), or of a picture's file."""


class BadChapter(ValueError):
    """A file of the manual without the form that all have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A heading and what stands below it, until the next heading."""

    chapter: str
    anchor: str
    title: str
    level: int
    """1 for the chapter's title, 2 or 3 for those below."""
    tokens: tuple[Token, ...]
    text: str
    """Its words without markup."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chapter:
    name: str
    lang: Lang
    sections: tuple[Section, ...]

    @property
    def title(self) -> str:
        return self.sections[0].title


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A section that contains the words that were looked for."""

    section: Section
    chapter_title: str
    before: str
    word: str
    after: str


def manual_folder() -> Path:
    """The folder of the manual, in a clone or in the installed wheel."""
    package = Path(dialer.__file__).resolve().parent
    shipped = package / "_shipped" / "docs" / "manual"
    return shipped if shipped.is_dir() else package.parent / "docs" / "manual"


def images_folder() -> Path:
    """The folder of the pictures that chapters show."""
    return manual_folder().parent / "images"


@cache
def chapters(lang: Lang) -> dict[str, Chapter]:
    """All chapters of a language by name, in the order in which the first of them lists the others."""
    found = {
        path.stem: read_chapter(path.stem, lang, path.read_text(encoding="utf-8"))
        for path in sorted((manual_folder() / lang.value).glob("*.md"))
    }
    listed = [INDEX, *_links(found[INDEX])] if INDEX in found else []
    order = [*dict.fromkeys(name for name in listed if name in found), *found]
    return {name: found[name] for name in dict.fromkeys(order)}


def read_chapter(name: str, lang: Lang, text: str) -> Chapter:
    """The sections of a chapter. Raises `BadChapter` if it does not begin with a heading, or if one has no anchor."""
    tokens = [
        token if token.children is None else token.copy(children=_without_breaks_in_chinese(token.children))
        for token in _markdown().parse(text)
    ]
    starts = [number for number, token in enumerate(tokens) if token.type == "heading_open"]
    if not starts or starts[0] != 0:
        raise BadChapter(f"{lang.value}/{name}.md begins without a heading")
    sections = []
    for start, end in zip(starts, [*starts[1:], len(tokens)], strict=True):
        heading = _HEADING.fullmatch(tokens[start + 1].content)
        if heading is None:
            raise BadChapter(f"{lang.value}/{name}.md: no {{#anchor}} at: {tokens[start + 1].content}")
        body = tuple(tokens[start + 3 : end])
        sections.append(
            Section(
                chapter=name,
                anchor=heading["anchor"],
                title=_plain(heading["title"].strip()),
                level=int(tokens[start].tag[1:]),
                tokens=body,
                text=_words(body),
            )
        )
    return Chapter(name=name, lang=lang, sections=tuple(sections))


def section_html(section: Section, address: Addresses) -> str:
    """What stands below the heading, as HTML."""
    return str(_markdown().renderer.render(_with_addresses(section, address), _markdown().options, {}))


def beginning_html(section: Section, address: Addresses) -> str:
    """Its first paragraph that is no picture, as HTML, with the list that it announces; '' where it has none."""
    blocks = _blocks(_with_addresses(section, address))
    said = next((number for number, block in enumerate(blocks) if _is_said(block)), len(blocks))
    shown = list(blocks[said] if said < len(blocks) else ())
    if shown and shown[1].content.endswith((":", "：")) and said + 1 < len(blocks):
        shown += blocks[said + 1]
    return str(_markdown().renderer.render(shown, _markdown().options, {}))


def _blocks(tokens: Sequence[Token]) -> list[list[Token]]:
    """The tokens of each paragraph, list, table, and so on."""
    blocks: list[list[Token]] = [[]]
    for token in tokens:
        blocks[-1].append(token)
        if token.level == 0 and token.nesting <= 0:
            blocks.append([])
    return [block for block in blocks if block]


def _is_said(block: Sequence[Token]) -> bool:
    if block[0].type != "paragraph_open":
        return False
    return [token.type for token in block[1].children or ()] != ["image"]


def find(lang: Lang, words: str) -> list[Found]:
    """The sections that contain all these words, first those whose title does; 30 at most."""
    wanted = [word for word in _SPACE.split(words.casefold()) if word]
    if not wanted:
        return []
    by_title: list[Found] = []
    by_text: list[Found] = []
    for chapter in chapters(lang).values():
        for section in chapter.sections:
            text = f"{section.title}\n{section.text}".casefold()
            if all(word in text for word in wanted):
                in_title = any(word in section.title.casefold() for word in wanted)
                (by_title if in_title else by_text).append(_found(chapter, section, wanted))
    return [*by_title, *by_text][:_FOUND_AT_MOST]


def _found(chapter: Chapter, section: Section, wanted: Sequence[str]) -> Found:
    text = section.text
    places = [(text.casefold().find(word), len(word)) for word in wanted]
    at, length = next(((at, length) for at, length in places if at >= 0), (0, 0))
    start = max(0, at - _AROUND)
    return Found(
        section=section,
        chapter_title=chapter.title,
        before=("…" if start else "") + text[start:at],
        word=text[at : at + length],
        after=text[at + length : at + length + _AROUND] + ("…" if at + length + _AROUND < len(text) else ""),
    )


@cache
def _markdown() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": False}).enable("table")


def _links(chapter: Chapter) -> Iterator[str]:
    for section in chapter.sections:
        for token in _inline(section.tokens):
            if token.type == "link_open" and (link := _MANUAL_LINK.fullmatch(str(token.attrGet("href")))):
                yield link["chapter"]


def _inline(tokens: Sequence[Token]) -> Iterator[Token]:
    for token in tokens:
        yield from token.children or ()


def _words(tokens: Sequence[Token]) -> str:
    pieces = []
    for token in tokens:
        if token.type in {"fence", "code_block"}:
            pieces.append(token.content)
        elif token.type == "inline":
            pieces.append("".join(_word(child) for child in token.children or ()))
    return _SPACE.sub(" ", " ".join(pieces)).strip()


def _word(token: Token) -> str:
    return " " if token.type in {"softbreak", "hardbreak"} else token.content


def _plain(title: str) -> str:
    return "".join(_word(child) for child in _inline(_markdown().parseInline(title)))


def _without_breaks_in_chinese(children: Sequence[Token]) -> list[Token]:
    """The tokens without the ends of lines between two Chinese characters, where a browser would show a space."""
    return [
        token
        for number, token in enumerate(children)
        if token.type != "softbreak" or _is_ascii_beside(children, number)
    ]


def _is_ascii_beside(children: Sequence[Token], number: int) -> bool:
    before = next((token.content[-1] for token in reversed(children[:number]) if token.content), " ")
    after = next((token.content[0] for token in children[number + 1 :] if token.content), " ")
    return before.isascii() or after.isascii()


def _with_addresses(section: Section, address: Addresses) -> list[Token]:
    """The tokens with links and pictures as they are addressed where the section is shown."""
    return [
        token if token.children is None else token.copy(children=_addressed(section, token.children, address))
        for token in section.tokens
    ]


def _addressed(section: Section, children: Sequence[Token], address: Addresses) -> list[Token]:
    made: list[Token] = []
    for token in children:
        attrs: dict[str, Any] = dict(token.attrs)
        if token.type == "link_open":
            link = _MANUAL_LINK.fullmatch(str(attrs["href"]))
            if link is None:
                raise BadChapter(f"{section.chapter}#{section.anchor}: a link to {attrs['href']}")
            attrs["href"] = address(link["chapter"] or section.chapter, link["anchor"] or "")
        elif token.type == "image":
            source = str(attrs["src"])
            if not source.startswith(_IMAGES):
                raise BadChapter(f"{section.chapter}#{section.anchor}: a picture from {source}")
            attrs["src"] = address("", source.removeprefix(_IMAGES))
        made.append(token.copy(attrs=attrs))
    return made
