"""Refusals and faults that cross module borders. Each is a class with its values; pages and terminals show its sentence
in the reader's language. None depends on HTTP or logging.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from dialer.core.text import Text, gettext_noop


class DialerError(Exception):
    """Base of everything this product raises on purpose. `text` is one clear sentence without personal data, `str()`
    the English of it.
    """

    fix: str | Text = ""
    """What to do, if the sentence does not say it."""

    def __init__(self, text: str | Text) -> None:
        self.text = Text.of(text)
        super().__init__(str(self.text))


class Refusal(DialerError):
    """A request that cannot be done; the sentence says why and what to do."""


class NotFound(Refusal):
    """Nothing of this kind has this key, or the reader may not see it. An empty key is left out of the sentence."""

    def __init__(self, *, kind: str | Text, key: object) -> None:
        if key == "":
            super().__init__(Text("%(kind)s does not exist", kind=Text.of(kind)))
        else:
            super().__init__(Text("%(kind)s %(key)s does not exist", kind=Text.of(kind), key=key))
        self.kind = str(kind)
        self.key = key


class NotPermitted(Refusal):
    """The actor lacks the right; `roles` are those that have it."""

    def __init__(self, *, who: str, roles: Text) -> None:
        super().__init__(Text("%(who)s may not do this; roles that may: %(roles)s", who=who, roles=roles))


class Conflict(Refusal):
    """An act of a person that is no longer possible. `current`: the state that it conflicts with, as a code."""

    def __init__(self, text: str | Text, *, current: str = "") -> None:
        super().__init__(text)
        self.current = current


class TooMany(Refusal):
    """More than one person may have or do at a time; the sentence says what to do."""


class Overtaken(Conflict):
    """Somebody else acted first: `who`, and `what` in words of the domain."""

    def __init__(self, text: str | Text, *, who: str, what: str) -> None:
        super().__init__(text, current=what)
        self.who = who
        self.what = what


class Invalid(Refusal):
    """An input that is not valid; `field` names it and `fix` says what to enter."""

    def __init__(self, *, field: str, problem: str | Text, fix: str | Text = "") -> None:
        self.field = field
        self.problem = Text.of(problem)
        self.fix = Text.of(fix)
        super().__init__(Text("%(field)s: %(problem)s", field=field, problem=self.advice))

    @property
    def advice(self) -> Text:
        """The problem with its fix, to show beside the field."""
        if not self.fix:
            return self.problem
        return Text("%(problem)s (%(fix)s)", problem=self.problem, fix=self.fix)


class UnusableFile(Refusal):
    """The file as a whole is no list of warnings; nothing of it was loaded."""


class NoPhoneColumn(UnusableFile):
    """No column of the list has telephone numbers; `headings` is the row that looks most like the headings, so that a
    person can choose the phone column.
    """

    def __init__(self, text: str | Text, *, headings: tuple[str, ...]) -> None:
        super().__init__(text)
        self.headings = headings


class FileFault(StrEnum):
    """Why the process that reads a file was ended or could not start."""

    MEMORY = "memory"
    TIME = "time"
    TEXT = "text"
    DAMAGE = "damage"
    BUSY = "busy"


_FILE_FAULTS: Final = {
    FileFault.MEMORY: gettext_noop(
        "the file takes more memory than a list of its size may (a cell far from the list, or damage);"
        " copy the list alone to a new sheet, save it as xlsx and load that"
    ),
    FileFault.TIME: gettext_noop(
        "the file takes longer to read than a list of its size may; copy the list alone to a new sheet, save it as"
        " xlsx and load that"
    ),
    FileFault.TEXT: gettext_noop(
        "the file holds more text in a row, or in all, than a list of its size may; copy the list alone to a new"
        " sheet, save it as xlsx and load that"
    ),
    FileFault.DAMAGE: gettext_noop(
        "the file is damaged and cannot be read; open it in a spreadsheet program, save it as xlsx and load that"
    ),
    FileFault.BUSY: gettext_noop(
        "too many files are being read at the moment; load the file again in a minute"
    ),
}


class UnreadableFile(UnusableFile):
    """Reading the file took more than it may, or ended the process that read it."""

    def __init__(self, code: FileFault) -> None:
        self.code = code
        super().__init__(_FILE_FAULTS[code])


class PictureFault(StrEnum):
    """Why a picture or a PDF is not accepted."""

    KIND = "kind"
    PIXELS = "pixels"
    DAMAGE = "damage"
    BUSY = "busy"
    LOCKED = "locked"
    """A PDF that is protected by a password."""
    ACTIVE = "active"
    """A PDF that runs a script, starts a program, sends a form or contains another file."""


class SettingsError(Refusal):
    """A setting is misspelt, missing or impossible; the sentence names its key."""

    def __init__(self, *, key: str, problem: str | Text) -> None:
        self.key = key
        self.problem = Text.of(problem)
        super().__init__(Text("setting %(key)s: %(problem)s", key=key, problem=self.problem))


class WrongValue(ValueError):
    """A value that a setting does not accept; it becomes a `SettingsError` with the name of the setting."""

    def __init__(self, text: Text) -> None:
        super().__init__(str(text))
        self.text = text


class Unavailable(DialerError):
    """A part we depend on (database, broker, carrier) does not answer now; trying again later may work."""

    def __init__(self, *, part: str, problem: str | Text) -> None:
        self.part = part
        self.problem = Text.of(problem)
        super().__init__(Text("%(part)s: %(problem)s", part=Text(part), problem=self.problem))


class CountsBusy(Unavailable):
    """So many pages are waiting for their figures that no further count is started."""

    def __init__(self) -> None:
        problem = gettext_noop("too many figures are being counted: try again in a minute")
        super().__init__(part="database", problem=problem)
