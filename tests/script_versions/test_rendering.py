"""The sound of a version: made prompt by prompt, kept once for all machines, and refused where it is unfit."""

from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from audio.clips import PROMPTS, RECORDED
from audio.voices import Espeak
from dialer.core.access import unrestricted
from dialer.core.text import Text
from dialer.core.values import RenderState, Tag
from dialer.db import tables as t
from dialer.script_versions.actions import NotApproved, NotRendered
from dialer.script_versions.overview import show_script
from dialer.script_versions.render import Studio, render_names, render_script, rendering, start_rendering
from dialer.scripts.dialogue import Context, Utterance, start
from dialer.scripts.reading import prompt_list, shipped_scripts
from dialer.scripts.rendered import RenderedScript, RenderedScripts, Sounds, shipped_script
from dialer.scripts.store import Version, take_render
from tests.audio.conftest import burst
from tests.scripts.centre import LOAN, ScriptCentre

NEW_WORDS = "真的贷款，放款以前一分钱都不收"


def new_words() -> str:
    old = "真正的贷款，放款之前一分钱也不收"
    assert old in LOAN
    return LOAN.replace(old, NEW_WORDS)


def test_only_what_no_clip_says_yet_is_spoken(centre: ScriptCentre):
    draft = centre.draft(new_words())
    made = centre.render(draft)
    assert (made.state, made.done) == (RenderState.DONE, made.total)
    assert NEW_WORDS in "".join(centre.voice.said)
    voices = [clip["voice"] for clip in made.clips]
    assert voices.count("tone") == 1
    before = {(item.language, item.text) for item in prompt_list([shipped_scripts()["loan"]]) if item.text}
    after = {(clip["language"], clip["text"]) for clip in made.clips}
    assert len(after) == len(before)
    assert len(after - before) == 1


def test_it_goes_on_where_it_stood(centre: ScriptCentre):
    draft = centre.draft(new_words().replace("请注意", "您听我说"))
    asked = start_rendering(centre.services, unrestricted("甲"), "loan", draft.number)
    turns = 0
    while not render_script(
        centre.services, asked.id, studio=centre.studio, for_seconds=1.0, stopping=_after(3)
    ):
        turns += 1
        so_far = rendering(centre.services, "loan", draft.number)
        assert so_far is not None
        assert (so_far.state, so_far.done) == (RenderState.RUNNING, 3 * turns)
        with pytest.raises(NotRendered, match=f"{so_far.done} of {so_far.total} made so far"):
            centre.approve(draft)
    assert turns > 1
    assert len(centre.voice.said) == len(set(centre.voice.said))
    assert centre.approve(draft).is_live


def test_one_process_at_a_time(centre: ScriptCentre):
    draft = centre.draft(new_words())
    asked = start_rendering(centre.services, unrestricted("甲"), "loan", draft.number)
    again = start_rendering(centre.services, unrestricted("乙"), "loan", draft.number)
    assert again.id == asked.id
    assert centre.enqueued.count(("render_script", asked.id)) == 2
    busy_until = centre.clock.now() + timedelta(minutes=1)
    centre.do(sa.update(t.script_render).values(state="running", lease_until=busy_until))
    assert render_script(centre.services, asked.id, studio=centre.studio, for_seconds=60.0)
    assert centre.voice.said == []
    centre.later(minutes=2)
    assert render_script(centre.services, asked.id, studio=centre.studio, for_seconds=60.0)
    assert len(centre.voice.said) > 0


def test_one_whose_process_dies_each_time_fails_and_raises_the_alarm_once(centre: ScriptCentre):
    draft = centre.draft(new_words())
    asked = start_rendering(centre.services, unrestricted("甲"), "loan", draft.number)
    for _ in range(7):
        with centre.tx() as tx:
            now = centre.clock.now()
            take_render(tx, asked.id, now=now, real_now=now, lease=timedelta(minutes=2))
        centre.later(minutes=2)
    failed = rendering(centre.services, "loan", draft.number)
    assert failed is not None
    assert failed.state is RenderState.FAILED
    assert str(Text.load(failed.error)) == "the worker that rendered it ended 5 times"
    [alarm] = centre.rows(sa.select(t.alarm).where(t.alarm.c.code == "work_given_up"))
    assert (alarm["times"], alarm["facts"]) == (1, {"names": ["render"]})


def test_what_a_process_does_that_has_lost_it_changes_nothing(centre: ScriptCentre):
    draft = centre.draft(new_words())
    asked = start_rendering(centre.services, unrestricted("甲"), "loan", draft.number)
    looks: list[int] = []

    def taken_over() -> bool:
        """After three prompts another process has it, though the lease of this one goes on."""
        looks.append(1)
        if len(looks) == 4:
            later = centre.clock.now() + timedelta(hours=1)
            with centre.tx() as tx:
                assert take_render(tx, asked.id, now=later, real_now=later, lease=timedelta(minutes=2))
        return False

    assert render_script(
        centre.services, asked.id, studio=centre.studio, for_seconds=60.0, stopping=taken_over
    )
    so_far = rendering(centre.services, "loan", draft.number)
    assert so_far is not None
    assert (so_far.state, so_far.done) == (RenderState.RUNNING, 3)


def test_without_a_voice_it_fails_and_says_what_to_do(centre: ScriptCentre):
    draft = centre.draft(new_words())
    asked = start_rendering(centre.services, unrestricted("甲"), "loan", draft.number)
    mute = Studio(voices=[], recordings=centre.studio.recordings)
    render_script(centre.services, asked.id, studio=mute, for_seconds=60.0)
    failed = rendering(centre.services, "loan", draft.number)
    assert failed is not None
    assert failed.state is RenderState.FAILED
    assert re.match(
        r"loan\.warn in Mandarin: no voice speaks Mandarin; record its prompts", str(Text.load(failed.error))
    )
    with pytest.raises(NotRendered):
        centre.approve(draft)
    assert centre.render(draft).state is RenderState.DONE


def test_an_unfit_take_is_spoken_again_and_then_refused(centre: ScriptCentre):
    draft = centre.draft(new_words())
    centre.voice.silent = True
    failed = centre.render(draft)
    assert failed.state is RenderState.FAILED
    assert "loan.warn" in failed.error


@pytest.mark.parametrize("damage", ["removed", "corrupted"])
def test_approval_refuses_sound_that_is_missing_or_broken(centre: ScriptCentre, tmp_path: Path, damage: str):
    """And a machine that has lost its copy has it again from the database."""
    draft = centre.draft(new_words())
    made = centre.render(draft)
    file = next(clip["file"] for clip in made.clips if clip["voice"] == "tone")
    path = centre.data_dir / "audio" / file
    _damage(path, damage)
    assert centre.approve(draft).is_live
    assert path.is_file()
    with centre.tx() as tx:
        tx.execute(sa.text("ALTER TABLE sound_file DISABLE TRIGGER append_only"))
        tx.execute(sa.delete(t.sound_file).where(t.sound_file.c.file == file))
    _damage(path, damage)
    with pytest.raises(
        NotApproved, match=rf"loan-2.toml:\d+: warn: its sound in Mandarin \({file}\) is missing"
    ):
        centre.approve(draft, by="丙")


def test_approval_refuses_sound_that_is_unfit_to_be_played(centre: ScriptCentre, tmp_path: Path):
    """As when what is checked has become stricter since it was rendered."""
    draft = centre.draft(new_words())
    made = centre.render(draft)
    loud = tmp_path / "loud.wav"
    shutil.copy(PROMPTS / shipped_script("loan").clips[0].file, loud)
    body = bytearray(loud.read_bytes())
    body[44:] = b"\xff\x7f" * ((len(body) - 44) // 2)
    sha = hashlib.sha256(body).hexdigest()
    clips = [dict(clip) for clip in made.clips]
    spoiled = next(clip for clip in clips if clip["voice"] == "tone")
    spoiled |= {"sha256": sha, "file": "0" * 24 + ".wav"}
    (centre.data_dir / "audio" / spoiled["file"]).write_bytes(bytes(body))
    centre.do(sa.update(t.script_render).values(clips=clips))
    with pytest.raises(NotApproved, match="peaks at"):
        centre.approve(draft)


def test_another_machine_plays_what_this_one_rendered(centre: ScriptCentre, tmp_path: Path):
    draft = centre.draft(new_words())
    made = centre.render(draft)
    clip = next(clip for clip in made.clips if clip["voice"] == "tone")
    other = centre.rendered_scripts(data_dir=tmp_path / "elsewhere").sounds
    path = other.whole(clip["file"], clip["sha256"], real_now=centre.clock.now())
    assert path == tmp_path / "elsewhere" / "audio" / clip["file"]
    assert other.path("../keys.json", real_now=centre.clock.now()) is None
    assert other.path("f" * 24 + ".wav", real_now=centre.clock.now()) is None


def test_the_same_words_made_on_two_machines_are_one_file(centre: ScriptCentre, tmp_path: Path):
    """A voice says them a little differently each time; what was kept first stands."""
    first = centre.render(centre.draft(new_words()))
    other = replace(
        centre.services, rendered_scripts=centre.rendered_scripts(data_dir=tmp_path / "elsewhere")
    )
    draft = centre.draft(new_words().replace("虚假贷款", "虚假贷款类"))
    asked = start_rendering(other, unrestricted("甲"), "loan", draft.number)
    centre.voice.level = 0.25
    render_script(other, asked.id, studio=centre.studio, for_seconds=60.0)
    second = rendering(other, "loan", draft.number)
    assert second is not None
    assert {clip["sha256"] for clip in first.clips} == {clip["sha256"] for clip in second.clips}


def test_clips_dropped_into_the_data_folder_play_without_code(centre: ScriptCentre):
    """Mongolian: recorded where somebody recorded it, Mandarin elsewhere."""
    version = centre.version("loan", 1)
    centre.record("mn", "common.opening", burst(4.0))
    centre.render(version)
    centre.approve(version)
    placed = centre.placed(centre.open_case(tags=frozenset({Tag.MONGOLIAN})))
    assert placed.language == "mn"
    rendered = centre.services.rendered_scripts.of("loan", placed.script_version_id, placed.audio_hash)
    recorded = [clip for clip in rendered.clips if clip.voice == RECORDED]
    assert [(clip.language, clip.prompt_id) for clip in recorded] == [("mn", "common.opening")]
    context = Context(language="mn", clips=rendered.files_by_text, recordings=rendered.recordings)
    opening, _, identity = start(rendered.script, context).utterances
    assert opening.audio == (recorded[0].file,)
    assert (identity.language, identity.audio) == ("zh", (rendered.files_by_text["zh", identity.text],))
    page = show_script(centre.services, "loan")
    said = next(node for node in page.nodes if node.id == "opening").said
    assert {one.language: one.voice for one in said}["mn"] == RECORDED
    assert page.voices[RECORDED] == 1


def test_a_language_is_offered_once_every_prompt_is_recorded(centre: ScriptCentre):
    """Mongolian: one prompt without its recording, and no call offers it."""
    version = centre.version("loan", 1)
    keys = sorted({item.key for item in prompt_list([shipped_scripts()["loan"]]) if item.language == "mn"})
    for key in keys[1:]:
        centre.record("mn", key, burst(4.0))
    centre.render(version)
    centre.approve(version)

    def live() -> RenderedScript:
        return centre.services.rendered_scripts.now(centre.services.real.now()).live["loan"]

    centre.services.rendered_scripts.refresh()
    assert live().offers(["mn", "en"], "zh") == ("en",)
    assert live().offers(["zh"], "mn") == ()
    centre.record("mn", keys[0], burst(4.0))
    centre.render(version)
    centre.approve(version)
    centre.services.rendered_scripts.refresh()
    assert live().offers(["mn", "en"], "zh") == ("mn", "en")
    assert live().offers(["zh", "mn"], "mn") == ("zh",)


def test_a_name_without_its_sound_in_a_language_withdraws_the_offer():
    names = {"bureau": {"en": "The Bureau of Another City"}}
    assert shipped_script("loan").offers(["en"], "zh") == ("en",)
    assert shipped_script("loan", names).offers(["en"], "zh") == ()


def test_a_persons_recording_is_preferred_to_any_voice(centre: ScriptCentre):
    version = centre.version("loan", 1)
    centre.record("zh", "loan.warn", burst(5.0))
    made = centre.render(version)
    approved = centre.approve(version)
    assert approved.content_hash == shipped_scripts()["loan"].content_hash
    assert approved.audio_hash != shipped_script("loan").audio_hash
    warn = next(node for node in show_script(centre.services, "loan").nodes if node.id == "warn")
    assert {one.language: one.voice for one in warn.said}["zh"] == RECORDED
    assert made.state is RenderState.DONE


def test_a_recording_that_is_none_is_refused_by_name(centre: ScriptCentre):
    path = centre.data_dir / "recordings" / "mn" / "common.opening.wav"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"not a wav")
    failed = centre.render(centre.version("loan", 1))
    assert failed.state is RenderState.FAILED
    assert str(Text.load(failed.error)).startswith("common.opening in Mongolian: is no readable WAV")


def _after(prompts: int) -> Callable[[], bool]:
    left = iter(range(prompts))
    return lambda: next(left, None) is None


def _damage(path: Path, damage: str) -> None:
    if damage == "removed":
        path.unlink()
    else:
        body = bytearray(path.read_bytes())
        body[100] ^= 1
        path.write_bytes(bytes(body))


NAMES = {
    "bureau": {"zh": "临河区反诈中心", "en": "the Linhe centre"},
    "area_code": {"zh": "0471", "en": "0471"},
}


@pytest.fixture
def named(centre: ScriptCentre) -> ScriptCentre:
    """The same centre after its name was set."""
    sounds = Sounds(centre.store, folder=centre.data_dir / "audio")
    centre.services = replace(
        centre.services, rendered_scripts=RenderedScripts(centre.store, sounds=sounds, names=NAMES)
    )
    return centre


def opening(centre: ScriptCentre) -> Utterance:
    choice = centre.services.rendered_scripts.now(centre.services.real.now())
    spoken = choice.live["loan"]
    return start(spoken.script, Context(clips=spoken.files_by_text)).utterances[0]


def test_a_call_says_the_centres_name_and_a_worker_makes_its_sound(named: ScriptCentre):
    assert "临河区反诈中心" in opening(named).text
    assert opening(named).audio is None, "the network's voice speaks it until there is sound"
    assert render_names(named.services, named.studio) == len(shipped_scripts())
    asked = rendering(named.services, "loan", 1)
    assert asked is not None
    assert render_script(named.services, asked.id, studio=named.studio, for_seconds=600.0)
    assert opening(named).audio is not None
    assert "临河区反诈中心" in "".join(named.voice.said)
    assert "零四七幺" in "".join(named.voice.said)
    assert named.version("loan", 1).is_live
    assert named.version("loan", 1).approvals[-1].reason == "names of the centre"
    assert render_names(named.services, named.studio) == len(shipped_scripts()) - 1


def test_a_draft_of_the_same_script_does_not_go_live_with_the_names(named: ScriptCentre):
    render_names(named.services, named.studio)
    asked = rendering(named.services, "loan", 1)
    assert asked is not None
    newer = named.approve(_rendered(named, new_words()))
    render_script(named.services, asked.id, studio=named.studio, for_seconds=600.0)
    assert named.version("loan", newer.number).is_live


def _rendered(centre: ScriptCentre, words: str) -> Version:
    draft = centre.draft(words)
    centre.render(draft)
    return draft


def test_without_a_good_voice_the_network_keeps_speaking_the_names(named: ScriptCentre):
    for voices in ([], [Espeak()]):
        studio = Studio(voices=voices, recordings=named.studio.recordings)
        assert render_names(named.services, studio) == 0
