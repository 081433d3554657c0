"""A centre with the shipped scripts as its first versions, a data folder, and a voice that is a tone."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field, replace
from pathlib import Path

from audio.resample import TELEPHONE_HZ
from audio.voices import Recordings
from audio.wave_file import Sound, wav_bytes
from dialer.calls.claims import Sending
from dialer.calls.dial import prepare_sending
from dialer.core.access import unrestricted
from dialer.core.values import Grade
from dialer.script_versions.actions import approve_script, draft_script, seed_scripts
from dialer.script_versions.overview import script_versions
from dialer.script_versions.render import Studio, render_script, rendering, start_rendering
from dialer.scripts.reading import shipped_texts
from dialer.scripts.rendered import RenderedScripts, Sounds
from dialer.scripts.store import Render, Version
from tests.audio.conftest import burst, silence
from tests.control.scene import Scene

LOAN = shipped_texts()["loan"]


@dataclass
class Tone:
    """Speaks any language; every text lasts about as long as it would."""

    name: str = "tone"
    level: float = 0.3
    silent: bool = False
    said: list[str] = field(default_factory=list)
    parameters: tuple[str, ...] = ()

    def languages(self) -> frozenset[str]:
        return frozenset({"zh", "en"})

    def slower(self) -> Tone:
        return replace(self, name=f"slow {self.name}", said=[])

    def say(self, spoken: str, language: str) -> Sound:
        self.said.append(spoken)
        if self.silent:
            return silence(2.0, TELEPHONE_HZ)
        # At the telephone's rate: how a voice of another rate becomes a prompt is for the tests of audio.
        seconds = max(0.6, len(spoken) / (8 if language == "zh" else 20))
        return burst(seconds, rate_hz=TELEPHONE_HZ, level=self.level)


class ScriptCentre(Scene):
    def __init__(self, url: str, data_dir: Path) -> None:
        super().__init__(url)
        self.data_dir = data_dir
        self.voice = Tone()
        with self.tx() as tx:
            seed_scripts(tx, now=self.clock.now())
        self.services = replace(self.services, rendered_scripts=self.rendered_scripts())

    package: Path

    def rendered_scripts(
        self, *, data_dir: Path | None = None, shipped: Path | None = None
    ) -> RenderedScripts:
        """Those of another process, perhaps on another machine."""
        folder = (data_dir or self.data_dir) / "audio"
        sounds = Sounds(self.store, folder=folder, **({"shipped": shipped} if shipped else {}))
        return RenderedScripts(self.store, sounds=sounds)

    @property
    def studio(self) -> Studio:
        return Studio(voices=[self.voice], recordings=Recordings(folder=self.data_dir / "recordings"))

    def record(self, language: str, prompt_id: str, sound: Sound) -> None:
        """Somebody puts a clip into the data folder."""
        path = self.data_dir / "recordings" / language / f"{prompt_id}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(wav_bytes(sound))

    def draft(self, text: str, *, by: str = "甲") -> Version:
        return draft_script(self.services, unrestricted(by), text, file="loan-2.toml").version

    def render(self, version: Version, *, for_seconds: float = 600.0) -> Render:
        """All of it, here and now."""
        asked = start_rendering(self.services, unrestricted("甲"), version.script_id, version.number)
        render_script(self.services, asked.id, studio=self.studio, for_seconds=for_seconds)
        made = rendering(self.services, version.script_id, version.number)
        assert made is not None
        return made

    def approve(self, version: Version, *, by: str = "乙", goes_live: bool = True) -> Version:
        return approve_script(
            self.services,
            unrestricted(by),
            version.script_id,
            version.number,
            reason="更清楚",
            goes_live=goes_live,
        )

    def version(self, script_id: str, number: int) -> Version:
        return next(v for v in script_versions(self.services, script_id) if v.number == number)

    def placed(self, case_id: int) -> Sending:
        """What a worker would pin to the case's ring now."""
        claimed = next(c for c in self.claim() if c.case_id == case_id)
        choice = self.services.rendered_scripts.now(self.services.real.now())
        return prepare_sending(choice, claimed, policy=self.services.policies.of(claimed.policy_version))

    def call(self, *, grade: Grade = Grade.MEDIUM, person_id: int | None = None) -> uuid.UUID:
        """A ring that was placed now and is ringing."""
        case_id = self.open_case(grade=grade, person_id=person_id)
        placed = self.placed(case_id)
        self.change_attempt(
            placed.attempt_id,
            state="ringing",
            sid=f"CA{placed.attempt_id.hex}",
            script_id=placed.script_id,
            script_hash=placed.script_hash,
            script_version_id=placed.script_version_id,
            audio_hash=placed.audio_hash,
            language=placed.language,
            sent_at=self.clock.now(),
            ringing_at=self.clock.now(),
        )
        return placed.attempt_id
