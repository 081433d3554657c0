"""Our own carrier's telephones in hand, as the page asks for them."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from dialer.bootstrap import CarrierAccess
from dialer.errors import NotFound, Refusal, Unavailable
from dialer.language import Text, mark

_TIMEOUT_SECONDS = 5.0
ACTS = frozenset({"answer", "hang_up", "keys", "words", "sound"})


_NOT_TAKEN = {
    "keys": mark("keys: only 0-9, * and #"),
    "words": mark("words: 1 to 200 signs"),
    "handsets": mark("number: E.164"),
}
"""What the carrier refuses at each of its addresses."""


class ActRefused(Refusal):
    """The carrier does not take what was pressed or said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """`access` is the carrier's of this installation; nothing here reaches any other."""

    access: CarrierAccess

    async def take(self, number: str) -> dict[str, Any]:
        """The telephone of that number in hand. Raises `Unavailable`."""
        return await self._json("POST", "/admin/handsets", json={"number": number})

    async def state(self, handset: str) -> dict[str, Any]:
        """Raises `NotFound` for one that the carrier does not know (any more), and `Unavailable`."""
        return await self._json("GET", f"/admin/handsets/{_id(handset)}")

    async def act(self, handset: str, act: str, body: bytes) -> dict[str, Any]:
        """The state afterwards. Raises `NotFound`, `ActRefused`, `Unavailable`."""
        if act not in ACTS:
            raise NotFound(kind="act", key=act)
        return await self._json("POST", f"/admin/handsets/{_id(handset)}/{act}", data=body)

    async def clip(self, handset: str, n: int) -> bytes:
        """The very sound that the carrier plays. Raises `NotFound`, `Unavailable`."""
        _, body = await self._ask("GET", f"/admin/handsets/{_id(handset)}/clips/{n}")
        return body

    async def _json(self, method: str, path: str, **options: Any) -> dict[str, Any]:  # noqa: ANN401 - passed on
        answer, _ = await self._ask(method, path, **options)
        assert answer is not None, "the admin API answers in JSON but for sound"
        return answer

    async def _ask(
        self,
        method: str,
        path: str,
        **options: Any,  # noqa: ANN401 - passed on
    ) -> tuple[dict[str, Any] | None, bytes]:
        import aiohttp  # noqa: PLC0415  # a web process at rest does without

        headers = {"Authorization": f"Bearer {self.access.admin_token}"}
        try:
            async with (
                aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=_TIMEOUT_SECONDS)) as session,
                session.request(method, self.access.base_url + path, headers=headers, **options) as answer,
            ):
                body = await answer.read()
                told = await answer.json() if answer.content_type == "application/json" else None
                status = answer.status
        except (aiohttp.ClientError, TimeoutError, ValueError) as fault:
            raise Unavailable(part="carrier", problem=type(fault).__name__) from fault
        if status == HTTPStatus.NOT_FOUND:
            raise NotFound(kind="telephone", key="in hand")
        if status in {HTTPStatus.BAD_REQUEST, HTTPStatus.REQUEST_ENTITY_TOO_LARGE}:
            raise ActRefused(_NOT_TAKEN.get(path.rpartition("/")[2], mark("too much at once")))
        if status >= HTTPStatus.BAD_REQUEST:
            raise Unavailable(part="carrier", problem=Text("answered %(status)s", status=status))
        return told, body


def _id(handset: str) -> str:
    """Only what the carrier itself gave out goes into its addresses."""
    if not handset.isascii() or not handset.isalnum():
        raise NotFound(kind="telephone", key="in hand")
    return handset
