"""Refusals and faults that cross module borders. Each is a class and carries data; none knows HTTP or logging."""

from __future__ import annotations


class DialerError(Exception):
    """Base of everything this product raises on purpose. `str()` is one clear line without personal data."""


class Refusal(DialerError):
    """Somebody asked for something that cannot be done; the line says what and how to mend it."""


class NotFound(Refusal):
    def __init__(self, *, kind: str, key: object) -> None:
        super().__init__(f"{kind} {key} does not exist")
        self.kind = kind
        self.key = key


class Conflict(Refusal):
    """A human act that no longer fits what the case has become meanwhile."""

    def __init__(self, message: str, *, current: str = "") -> None:
        super().__init__(message)
        self.current = current


class Overtaken(Conflict):
    """Somebody else did something meanwhile: `who` and, in words of the domain, `what`."""

    def __init__(self, message: str, *, who: str, what: str) -> None:
        super().__init__(message, current=what)
        self.who = who
        self.what = what


class Invalid(Refusal):
    """An input that can never be right; `field` names it and `mend` says what would be."""

    def __init__(self, *, field: str, problem: str, mend: str = "") -> None:
        super().__init__(f"{field}: {problem}" + (f" ({mend})" if mend else ""))
        self.field = field
        self.problem = problem
        self.mend = mend


class UnusableFile(Refusal):
    """The file as a whole is no target list; nothing of it was kept."""


class NoPhoneColumn(UnusableFile):
    """A list from which nobody could be rung; `headings` is the row that most looks like its heading, for a person to
    say which of them is the phone.
    """

    def __init__(self, message: str, *, headings: tuple[str, ...]) -> None:
        super().__init__(message)
        self.headings = headings


class SettingsError(Refusal):
    """A setting is misspelt, missing or impossible; the line names its key."""

    def __init__(self, *, key: str, problem: str) -> None:
        super().__init__(f"setting {key}: {problem}")
        self.key = key
        self.problem = problem


class Unavailable(DialerError):
    """A part we depend on (database, broker, carrier) does not answer now; trying again later may work."""

    def __init__(self, *, part: str, problem: str) -> None:
        super().__init__(f"{part}: {problem}")
        self.part = part
        self.problem = problem
