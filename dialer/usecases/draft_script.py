"""A new version of a script from a file's text: kept as it is, never spoken until a second person approves it."""

from __future__ import annotations

from dataclasses import dataclass

from dialer.domain.access import actor_name
from dialer.errors import Conflict, Invalid
from dialer.language import Text
from dialer.scripts.checks import check
from dialer.scripts.findings import Finding
from dialer.scripts.model import Script
from dialer.scripts.reading import read_script
from dialer.store import audits, scripts
from dialer.store.scripts import NewVersion, Version
from dialer.usecases.engine import Engine
from dialer.usecases.seed_scripts import shipped_bases

_MOST_CHARACTERS = 200_000


class SameWords(Conflict):
    """A version says just that already."""

    def __init__(self, version: Version) -> None:
        super().__init__(
            Text(
                "version %(number)s of %(script)s says just that",
                number=version.number,
                script=version.script_id,
            ),
            current=version.state.value,
        )
        self.version = version


@dataclass(frozen=True, slots=True, kw_only=True)
class Drafted:
    """What was kept, and what must be mended before anybody can approve it; sound is asked about then."""

    version: Version
    findings: tuple[Finding, ...]


def draft_script(engine: Engine, text: str, *, by: str, file: str = "") -> Drafted:
    """Raises `ScriptUnreadable` with file, node and line, `SameWords` when a version says just that already, `Invalid`
    without a name.
    """
    who = actor_name(by)
    script, findings = examine_script(text, file=file)
    now = engine.clock.now()
    with engine.store.begin() as tx:
        scripts.lock(tx)
        known = scripts.known_hashes(tx).get((script.id, script.content_hash))
        if known is not None:
            same = scripts.version_by_id(tx, known)
            raise SameWords(same)
        version_id, number = scripts.add(tx, _new(script, text, who), now=now)
        audits.write(
            tx,
            who=who,
            act="script_draft",
            subject=f"script/{script.id}",
            why="",
            now=now,
            facts={"version": number, "hash": script.version},
        )
        version = scripts.version_by_id(tx, version_id)
    return Drafted(version=version, findings=findings)


def examine_script(text: str, *, file: str = "") -> tuple[Script, tuple[Finding, ...]]:
    """What a draft would be, without keeping it. Raises `ScriptUnreadable` and `Invalid`."""
    if len(text) > _MOST_CHARACTERS:
        raise Invalid(field="script", problem="is too long to be one")
    script = read_script(text, file=file or "draft.toml", bases=shipped_bases())
    return script, check(script)


def script_in(version: Version) -> Script:
    """A version's script with the lines of the file that it was drafted from, so that a finding can name them."""
    bases = {name: (base[0], base[1]) for name, base in version.bases.items()}
    return read_script(version.source, file=version.file, bases=bases)


def _new(script: Script, text: str, who: str) -> NewVersion:
    return NewVersion(
        script_id=script.id,
        content_hash=script.content_hash,
        canonical=script.canonical,
        file=script.origin.file,
        source=text,
        bases=shipped_bases(),
        drafted_by=who,
    )
