"""The shipped scripts become versions at a start: the first ones at the first, changed ones after an upgrade."""

from __future__ import annotations

from datetime import datetime

from audio.clips import to_plain
from dialer.domain.access import RELEASED_BY, SHIPPED_BY
from dialer.scripts import catalogue
from dialer.scripts.prompts import prompt_list
from dialer.store import scripts, sound_files
from dialer.store.scripts import NewVersion
from dialer.store.unit_of_work import Tx
from dialer.usecases.editions import Edition, shipped_edition, shipped_manifest

_BASE = "common"


def seed_scripts(tx: Tx, *, now: datetime) -> int:
    """Every shipped script is a version, with its sound in the database; how many are new. A new one goes live where
    the live one was shipped too; where a centre speaks a version of its own, the new one stays a draft for a person.
    """
    known = scripts.known_hashes(tx)
    wanted = [catalogue.shipped()[name] for name in sorted(catalogue.shipped())]
    if all((script.id, script.content_hash) in known for script in wanted):
        return 0
    scripts.lock(tx)
    known, standing = scripts.known_hashes(tx), scripts.live(tx)
    added = 0
    for script in wanted:
        if (script.id, script.content_hash) in known:
            continue
        added += 1
        edition = shipped_edition(script.id)
        version_id, number = scripts.add(tx, _new(edition), now=now)
        live = standing.get(script.id)
        by_shipped = live is None or scripts.version_by_id(tx, live.version_id).drafted_by == SHIPPED_BY
        if by_shipped and _sounds_whole(edition):
            scripts.approve(
                tx,
                version_id=version_id,
                drafted_by=SHIPPED_BY,
                approved_by=RELEASED_BY,
                reason="first start" if number == 1 else "upgrade",
                sound=(edition.audio_hash, to_plain(edition.clips)),
                goes_live=True,
                now=now,
            )
    _keep_sounds(tx)
    return added


def shipped_bases() -> dict[str, tuple[str, str]]:
    """What a script may take with `extends`: by name, the file and its text."""
    return {_BASE: (f"{_BASE}.toml", catalogue.shipped_texts()[_BASE])}


def _new(edition: Edition) -> NewVersion:
    script = edition.script
    texts = catalogue.shipped_texts()
    return NewVersion(
        script_id=script.id,
        content_hash=script.content_hash,
        canonical=script.canonical,
        file=script.origin.file,
        source=texts[script.origin.file.removesuffix(".toml")],
        bases=shipped_bases(),
        drafted_by=SHIPPED_BY,
    )


def _sounds_whole(edition: Edition) -> bool:
    """Every prompt that has words has a clip in the package."""
    have = set(edition.by_text)
    return all((item.language, item.text) in have for item in prompt_list([edition.script]) if item.text)


def _keep_sounds(tx: Tx) -> None:
    """An older version can be gone back to after an upgrade has taken its files away."""
    manifest = shipped_manifest()
    files = {clip.file: clip.sha256 for clip in manifest.clips}
    missing = set(files) - sound_files.known(tx, files)
    bodies = {
        file: (files[file], path.read_bytes())
        for file in missing
        if (path := manifest.path(file)) is not None and path.is_file()
    }
    sound_files.keep(tx, bodies)
