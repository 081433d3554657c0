"""The pages of scripts: read, heard, drafted by one person and approved by another, gone back to, tried."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from audio.voices import Recordings
from audio.wave_file import wav_bytes
from dialer.core.access import Role
from dialer.db.units import add_unit
from dialer.runtime.services import Application
from dialer.script_versions.actions import seed_scripts
from dialer.script_versions.overview import script_versions
from dialer.script_versions.render import Studio, render_script, rendering
from dialer.scripts.reading import shipped_scripts, shipped_texts
from dialer.scripts.rendered import clips_for
from tests.audio.conftest import burst
from tests.console.desk import ConsoleDesk, Person, text
from tests.scripts.centre import Tone

LOAN = shipped_texts()["loan"]
CLEARER = LOAN.replace("真正的贷款，放款之前一分钱也不收", "真的贷款，放款以前一分钱都不收")
assert CLEARER != LOAN


@pytest.fixture
def desk(console: ConsoleDesk) -> ConsoleDesk:
    with console.app.services.store.begin() as tx:
        seed_scripts(tx, now=console.clock.now())
    return console


def render(desk: ConsoleDesk, number: int) -> None:
    """What a worker would do."""
    services = desk.app.services
    asked = rendering(services, "loan", number)
    assert asked is not None
    folder = desk.app.settings.data_dir / "recordings"
    studio = Studio(voices=[Tone()], recordings=Recordings(folder=folder))
    render_script(services, asked.id, studio=studio, for_seconds=600)


async def draft(desk: ConsoleDesk, source: str = CLEARER) -> Person:
    """A second version of the loan script, with its sound; whoever drafted it."""
    author = desk.person(Role.SUPERVISOR)
    answer = await author.post("/scripts", source=source, name="loan.toml")
    assert answer.headers["location"] == "/scripts/loan?version=2"
    render(desk, 2)
    return author


def second(desk: ConsoleDesk) -> Person:
    return desk.signed_in(desk.account(Role.SUPERVISOR, login="second"))


async def approve(
    desk: ConsoleDesk, person: Person, number: int = 2, *, goes_live: str = "1", reason: str = "clearer"
) -> httpx.Response:
    return await person.post("/scripts/loan/approve", version=number, reason=reason, goes_live=goes_live)


async def test_the_list_says_what_is_live_and_how_long_it_takes(desk: ConsoleDesk):
    answer = await desk.person(Role.CALLER).get("/scripts")
    page = text(answer)
    assert page.count("version 1 since ") == len(shipped_scripts())
    row = page[page.index("False loans") :]
    assert re.match(
        r"False loans loan version 1 since [\w :]+ — Mandarin English Mongolian not every prompt", row
    )
    assert re.search(r"\d\d s \d\d s —", row)
    assert "Load a draft" not in page


async def test_the_graph_and_the_list_say_the_same(desk: ConsoleDesk):
    answer = await desk.person(Role.CALLER).get("/scripts/loan")
    script = shipped_scripts()["loan"]
    drawn = set(re.findall(r'data-node="(\w+)"', answer.text))
    listed = set(re.findall(r'id="n-(\w+)"', answer.text))
    assert drawn == listed == set(script.nodes)
    lines = set(re.findall(r'marker-end="url\(#arrow\)" data-from="(\w+)" data-to="(\w+)"', answer.text))
    assert {"vendor/dagre.min.js", "console/graph.js"} <= set(
        re.findall(r'src="/static/([^"?]+)', answer.text)
    )
    assert ("scene", "warn") in lines
    assert ("anywhere", "officer") in lines
    assert "style=" not in answer.text


async def test_every_prompt_plays_the_file_that_a_telephone_gets(desk: ConsoleDesk):
    caller = desk.person(Role.CALLER)
    answer = await caller.get("/scripts/loan")
    live = desk.app.services.rendered_scripts.now(desk.clock.now()).live["loan"]
    played = set(re.findall(r'href="/audio/([0-9a-f]{24}\.wav)"', answer.text))
    said = clips_for(live.script, live.clips)
    assert played == {clip.file for clip in said if not clip.slow}
    for file in played:
        sound = await caller.get(f"/audio/{file}")
        assert sound.headers["content-type"] == "audio/wav"
    assert "not recorded yet; Mandarin is spoken instead" in text(answer)


async def test_nobody_approves_the_own_draft_and_a_second_person_does(desk: ConsoleDesk):
    author = await draft(desk)
    own = await approve(desk, author)
    assert own.status_code == 409
    assert "You drafted this version: a second person approves it." in text(own)
    approved = await approve(desk, second(desk))
    assert approved.headers["location"] == "/scripts/loan?version=2"
    assert desk.app.services.rendered_scripts.now(desk.clock.now()).live["loan"].number == 2
    (entry,) = [row for row in desk.audited("script_approve") if row["who"] == "second"]
    assert entry["why"] == "clearer"


async def test_a_draft_without_sound_waits_for_it(desk: ConsoleDesk):
    author = desk.person(Role.SUPERVISOR)
    await author.post("/scripts", source=CLEARER, name="loan.toml")
    page = await author.get("/scripts/loan", version=2)
    assert "The sound is being made" in text(page)
    part = await author.part("/scripts/loan/progress", version=2)
    assert '<progress value="0"' in part.text
    refused = await approve(desk, second(desk))
    assert refused.status_code == 409
    assert re.search(r"It cannot be approved yet: \d+ prompts have no sound", text(refused))
    render(desk, 2)
    over = await author.part("/scripts/loan/progress", version=2)
    assert over.headers["HX-Redirect"] == "/scripts/loan?version=2"


async def test_what_the_lint_finds_is_told_by_node_and_line_and_refuses(desk: ConsoleDesk):
    bad = CLEARER.replace(
        "[nodes.warn]", '[nodes.lonely]\nkind = "say"\nzh = "请点击链接。"\nnext = "warn"\n\n[nodes.warn]'
    )
    await draft(desk, bad)
    line = 1 + bad[: bad.index("[nodes.lonely]")].count("\n")
    refused = await approve(desk, second(desk))
    assert refused.status_code == 409
    page = text(refused)
    assert "correct what is found below first" in page
    assert f"loan.toml:{line} lonely no way leads here" in page


async def test_a_file_that_is_no_script_is_shown_at_its_line(desk: ConsoleDesk):
    author = desk.person(Role.SUPERVISOR)
    bad = LOAN.replace("retries = 2", "retries = -+2")
    line = 1 + bad[: bad.index("-+2")].count("\n")
    answer = await author.post("/scripts", source=bad, name="loan.toml")
    assert answer.status_code == 422
    assert f"Line {line}: is not TOML" in text(answer)
    assert f'data-line="{line}"' in answer.text
    wrong = await author.post("/scripts", source=LOAN.replace('next = "acknowledge"', 'next = "nowhere"'))
    assert "warn: leads to nowhere, which is not a node" in text(wrong)
    assert len(script_versions(desk.app.services, "loan")) == 1


async def test_a_file_is_loaded_and_one_that_is_no_text_is_refused(desk: ConsoleDesk):
    author = desk.person(Role.SUPERVISOR)
    sheet = {"sheet": ("mine.toml", CLEARER.encode(), "text/plain")}
    answer = await author.client.post("/scripts", data={"csrf": author.csrf}, files=sheet)
    assert answer.headers["location"] == "/scripts/loan?version=2"
    assert script_versions(desk.app.services, "loan")[0].file == "mine.toml"
    odd = {"sheet": ("mine.toml", "贷款".encode("gbk"), "text/plain")}
    answer = await author.client.post("/scripts", data={"csrf": author.csrf}, files=odd)
    assert answer.status_code == 422
    assert "the file is not text in UTF-8" in text(answer)


async def test_only_checking_keeps_nothing(desk: ConsoleDesk):
    author = desk.person(Role.SUPERVISOR)
    answer = await author.post("/scripts", source=CLEARER, name="loan.toml", do="check")
    assert "The lint finds nothing wrong with the words of loan" in text(answer)
    assert len(script_versions(desk.app.services, "loan")) == 1


async def test_what_a_version_says_already_is_no_draft(desk: ConsoleDesk):
    answer = await desk.person(Role.SUPERVISOR).post("/scripts", source=LOAN, name="loan.toml")
    assert answer.status_code == 409
    assert "Version 1 says just that already." in text(answer)


async def test_versions_and_their_differences(desk: ConsoleDesk):
    await draft(desk)
    await approve(desk, second(desk))
    caller = desk.person(Role.CALLER)
    page = text(await caller.get("/scripts/loan/versions"))
    assert re.search(r"version 2 in use supervisor 10:00 second 10:00 clearer", page)
    assert re.search(r"version 1 retired shipped with the product", page)
    answer = await caller.get("/scripts/loan/difference", old=1, new=2)
    assert "<del>" in answer.text
    assert (
        "<mark>真的</mark>" in answer.text
        or "真的" in re.findall(r"<mark>(.+?)</mark>", answer.text)[-1] + answer.text
    )
    assert "lines are the same" in text(answer)
    assert "The two say the same" in text(await caller.get("/scripts/loan/difference", old=2, new=2))


async def test_an_older_version_is_gone_back_to(desk: ConsoleDesk):
    await draft(desk)
    other = second(desk)
    await approve(desk, other)
    assert "Go back to it" in text(await other.get("/scripts/loan/versions"))
    back = await approve(desk, other, 1, reason="people did not understand it")
    assert back.status_code == 303
    assert desk.app.services.rendered_scripts.now(desk.clock.now()).live["loan"].number == 1


async def test_an_approval_says_why(desk: ConsoleDesk):
    await draft(desk)
    answer = await approve(desk, second(desk), reason=" ")
    assert answer.status_code == 422


async def test_new_sound_is_not_what_calls_hear_until_it_is_approved(desk: ConsoleDesk, tmp_path: Path):
    author = desk.person(Role.SUPERVISOR)
    before = (await author.get("/scripts/loan")).text
    assert "Sound was made after the approval" not in before
    path = desk.app.settings.data_dir / "recordings" / "mn" / "common.opening.wav"
    path.parent.mkdir(parents=True)
    path.write_bytes(wav_bytes(burst(2.0, level=0.3)))
    await author.post("/scripts/loan/render", version=1)
    render(desk, 1)
    page = await author.get("/scripts/loan")
    assert "Sound was made after the approval" in text(page)
    assert "recorded by a person" not in text(page)
    assert (await approve(desk, second(desk), 1)).status_code == 303
    assert "recorded by a person" in text(await author.get("/scripts/loan"))


async def test_a_station_may_draft_and_not_decide_for_everybody(desk: ConsoleDesk):
    with desk.app.services.store.begin() as tx:
        city = add_unit(tx, name="市局", parent_id=None)
        station = add_unit(tx, name="新华所", parent_id=city)
    await draft(desk)
    local = desk.person(Role.SUPERVISOR, unit_id=station)
    assert "Approve" not in text(await local.get("/scripts/loan", version=2)).replace("Approved", "")
    assert (await approve(desk, local)).status_code == 403
    assert (await local.post("/scripts/loan/trial", reason="x")).status_code == 403
    assert "A trial is of the whole centre" in text(await local.get("/scripts/loan/trial"))
    assert (await approve(desk, desk.person(Role.SUPERVISOR, unit_id=city))).status_code == 303


async def trial_of_two(desk: ConsoleDesk) -> Person:
    await draft(desk)
    other = second(desk)
    await approve(desk, other, goes_live="0")
    return other


async def test_a_trial_is_begun_compared_and_ended(desk: ConsoleDesk):
    other = await trial_of_two(desk)
    form = {"number": [1, 2], "share": ["50", "50"], "reason": "which is clearer", "csrf": other.csrf}
    begun = await other.client.post("/scripts/loan/trial", data=form)
    assert begun.headers["location"] == "/scripts/loan/trial"
    page = text(await other.get("/scripts/loan/trial"))
    assert "which is clearer" in page
    assert re.search(r"not enough people yet: about [\d,]+ more each", page)
    assert "no filed cases loaded" in page
    assert "under way" in text(await other.get("/scripts"))
    ended = await other.post("/scripts/loan/trial", do="end", reason="seen enough")
    assert ended.status_code == 303
    assert "under way" not in text(await other.get("/scripts"))
    assert "over" in text(await other.get("/scripts/loan/trial"))


@pytest.mark.parametrize(
    ("shares", "told"),
    [
        (["", "50"], "must name two versions or more"),
        (["x", "50"], "must be numbers"),
        (["50", "-1"], "must name two versions or more"),
        (["50", "nan"], "must name two versions or more"),
    ],
)
async def test_shares_that_compare_nothing_are_told_and_kept(desk: ConsoleDesk, shares: list[str], told: str):
    other = await trial_of_two(desk)
    form = {"number": [1, 2], "share": shares, "reason": "which", "csrf": other.csrf}
    answer = await other.client.post("/scripts/loan/trial", data=form)
    assert answer.status_code == 422
    assert told in text(answer)
    assert f'value="{shares[1]}"' in answer.text


async def test_a_walk_goes_as_a_call_goes(desk: ConsoleDesk):
    caller = desk.person(Role.CALLER)
    first = await caller.get("/scripts/loan/walk", language="en")
    assert "This is the robot of Bayannur Public Security Bureau" in text(first)
    assert "steps=1" in first.text
    end = text(await caller.get("/scripts/loan/walk", language="en", steps="1.1.1"))
    assert "The call is over" in end
    assert "the right person, verified" in end
    assert "acknowledged" in end
    greeted = text(await caller.get("/scripts/loan/walk", language="en", steps="greeting"))
    assert "says “hello”" in greeted
    assert greeted.index("Hello.") < greeted.rindex("Is this your number?")
    assert "presses 3, a wrong key" in text(first)
    wrong = text(await caller.get("/scripts/loan/walk", language="en", steps="3"))
    assert "That key is not one of them." in wrong
    spoken = text(await caller.get("/scripts/loan/walk", language="en", steps="say1"))
    assert "says “yes”" in spoken
    assert "To be sure, please answer with a key." in spoken


async def test_a_walk_takes_the_key_of_the_language_that_the_centre_offers(
    desk: ConsoleDesk, console_app: Application
):
    person = desk.person(Role.CALLER)
    without = await person.get("/scripts/loan/walk", language="zh")
    assert "steps=8" not in without.text
    services = console_app.services
    centre = replace(services.centre, languages=("en",))
    offering = ConsoleDesk(replace(console_app, services=replace(services, centre=centre)))
    caller = offering.person(Role.SUPERVISOR)
    first = await caller.get("/scripts/loan/walk", language="zh")
    assert "For English, press 8." in text(first)
    assert "steps=8" in first.text
    chosen = text(await caller.get("/scripts/loan/walk", language="zh", steps="8"))
    assert "Is this your number?" in chosen
    assert "听普通话，请按8。" in chosen
    await offering.close()


async def test_a_walk_through_a_hand_over_and_typed_digits(desk: ConsoleDesk):
    caller = desk.person(Role.CALLER)
    page = text(await caller.get("/scripts/loan/walk", language="en", steps="1.3.nobody.type5000"))
    assert "An officer is called now." in page
    assert "no officer takes the call" in page
    assert "presses 5000" in page
    assert "type its last four digits" in page


async def test_steps_that_are_none_begin_anew(desk: ConsoleDesk):
    caller = desk.person(Role.CALLER)
    answer = await caller.get("/scripts/loan/walk", steps="1.jump")
    assert answer.headers["location"] == "/scripts/loan/walk"


async def test_what_is_not_there(desk: ConsoleDesk):
    for path in (
        "/scripts/nothing",
        "/scripts/loan?version=9",
        "/scripts/nothing/versions",
        "/scripts/loan/difference?old=1&new=9",
        "/scripts/nothing/walk",
        "/scripts/nothing/trial",
        "/scripts/loan/file?version=9",
    ):
        assert (await desk.person(Role.SUPERVISOR).get(path)).status_code == 404


async def test_the_file_is_given_as_it_was_drafted(desk: ConsoleDesk):
    answer = await desk.person(Role.CALLER).get("/scripts/loan/file", version=1)
    assert answer.text == LOAN
    assert 'filename="loan-1.toml"' in answer.headers["content-disposition"]


async def test_a_script_of_no_name_of_ours_may_be_new(desk: ConsoleDesk):
    author = desk.person(Role.SUPERVISOR)
    source = LOAN.replace('id = "loan"', 'id = "loan_students"')
    answer = await author.post("/scripts", source=source, name="x.toml")
    assert answer.headers["location"] == "/scripts/loan_students?version=1"
    assert "nothing approved" in text(await author.get("/scripts"))
    page = text(await author.get("/scripts/loan_students/versions"))
    assert "nobody yet" in page
    wrong = await author.post("/scripts", source=LOAN.replace('id = "loan"', 'id = "../x"'), name="x.toml")
    assert "id must be small letters" in text(wrong)
