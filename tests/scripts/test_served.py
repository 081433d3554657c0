"""The web process serves shipped and rendered prompts alike, and nothing else from the disk."""

from __future__ import annotations

import asyncio

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Route

from audio.clips import PROMPTS
from dialer.scripts.rendered import shipped_script
from dialer.web.rendering import serve_sound
from tests.scripts.centre import LOAN, ScriptCentre


def got(centre: ScriptCentre, file: str) -> httpx.Response:
    async def ask() -> httpx.Response:
        web = Starlette(routes=[Route("/audio/{file:path}", serve_sound(centre.services), methods=["GET"])])
        async with httpx.AsyncClient(transport=httpx.ASGITransport(web), base_url="http://web") as client:
            return await client.get(f"/audio/{file}")

    return asyncio.run(ask())


def test_a_shipped_prompt(centre: ScriptCentre):
    file = shipped_script("loan").clips[0].file
    answer = got(centre, file)
    assert answer.content == (PROMPTS / file).read_bytes()
    assert answer.headers["content-type"] == "audio/wav"
    assert "immutable" in answer.headers["cache-control"]


def test_a_rendered_prompt_also_where_another_machine_rendered_it(centre: ScriptCentre):
    made = centre.render(centre.draft(LOAN.replace("请注意", "您听我说")))
    file = next(clip["file"] for clip in made.clips if clip["voice"] == "tone")
    path = centre.data_dir / "audio" / file
    body = path.read_bytes()
    path.unlink()
    assert got(centre, file).content == body
    assert path.is_file()


@pytest.mark.parametrize("file", ["0" * 24 + ".wav", "..%2Fkeys.json", "manifest.json", "x.wav"])
def test_anything_else_is_not_there(centre: ScriptCentre, file: str):
    (centre.data_dir / "keys.json").write_text("{}")
    (centre.data_dir / "audio").mkdir()
    (centre.data_dir / "audio" / "x.wav").write_bytes(b"x")
    assert got(centre, file).status_code == 404
