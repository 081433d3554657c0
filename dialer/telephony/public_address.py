"""Checks the way on which a carrier reaches us: a request to the public address, signed as the carrier signs, must be
answered with a proof that only a process with our token can make. A failure names its cause.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import logging
import secrets
import ssl
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus

import aiohttp

from dialer.core.errors import DialerError, Unavailable
from dialer.core.text import Text, gettext_noop
from dialer.telephony.config import HookUrls, TelephonyConfig
from dialer.telephony.webhooks import sign_request

_SECONDS = 5.0
_EVERY_SECONDS = 30.0
_MOST_BYTES = 1024

_log = logging.getLogger(__name__)


class PublicAddressBlocked(DialerError):
    """A request to the public address was not answered by us. `fix` says what to do."""

    def __init__(self, text: Text, *, fix: str) -> None:
        super().__init__(text)
        self.fix = fix


def proof(nonce: str, *, token: str) -> str:
    """What a web process answers to a check, in hexadecimal: it proves that the process has the token and saw this
    nonce.
    """
    return hmac.new(token.encode(), b"check " + nonce.encode(), hashlib.sha256).hexdigest()


async def check_public_address(
    config: TelephonyConfig, *, through: str = "", seconds: float = _SECONDS
) -> str:
    """Returns the public address when a signed request to it reached a web process of ours, as a carrier's would.
    Raises `PublicAddressBlocked`. It takes at most `seconds` and changes nothing. `through`: another address to
    send the request to, such as that of the web process itself.
    """
    nonce = secrets.token_hex(16)
    url = HookUrls(config.public_url).check(nonce)
    sent_to = url.replace(config.public_url.rstrip("/"), through, 1) if through else url
    signed = sign_request(url=url, token=config.auth_token)
    _judge(config, nonce, *await _answer(config, "POST", sent_to, headers=signed, seconds=seconds))
    return config.public_url


async def check_sound(config: TelephonyConfig, file: str, *, seconds: float = _SECONDS) -> None:
    """Fetches a sound file through the public address, as a carrier would. Raises `PublicAddressBlocked`."""
    url = f"{config.public_url.rstrip('/')}/audio/{file}"
    status, body = await _answer(config, "GET", url, headers={}, seconds=seconds)
    if status != HTTPStatus.OK or not body.startswith(b"RIFF"):
        shown = Text("%(url)s: status %(status)s instead of our sound", url=url, status=status)
        raise PublicAddressBlocked(shown, fix=_FIX_STATUS)


async def _answer(
    config: TelephonyConfig, method: str, url: str, *, headers: Mapping[str, str], seconds: float
) -> tuple[int, bytes]:
    """The status, and the beginning of the body. Raises `PublicAddressBlocked` if no answer came."""
    try:
        async with (
            # Without the proxies of the environment: a carrier does not have them.
            aiohttp.ClientSession(
                timeout=aiohttp.ClientTimeout(total=seconds), cookie_jar=aiohttp.DummyCookieJar()
            ) as session,
            session.request(method, url, headers=headers, allow_redirects=False) as answer,
        ):
            return answer.status, await answer.content.read(_MOST_BYTES)
    except (aiohttp.ClientConnectorCertificateError, ssl.SSLError):
        raise _blocked(config, gettext_noop("its certificate is not valid"), _FIX_CERTIFICATE) from None
    except TimeoutError:
        raise _blocked(config, gettext_noop("no answer within five seconds"), _FIX_PROXY) from None
    except (aiohttp.ClientError, OSError, ValueError):
        raise _blocked(config, gettext_noop("no connection"), _FIX_PROXY) from None


async def watch_public_address(
    config: TelephonyConfig,
    *,
    blocked: Callable[[PublicAddressBlocked], object],
    check: Callable[[TelephonyConfig], Awaitable[object]] = check_public_address,
    every_seconds: float = _EVERY_SECONDS,
) -> None:
    """Runs the check every half minute until it is cancelled. `blocked` is called in a thread when two checks in a row
    failed: a single failure may be the restart of a proxy.
    """
    before = False
    while True:
        await asyncio.sleep(every_seconds)
        try:
            await check(config)
        except PublicAddressBlocked as fault:
            _log.warning("%s", fault)
            if before:
                await _tell(blocked, fault)
            before = True
        except Exception:  # noqa: BLE001  # a check that fails must not end the watch: the next one is tried
            _log.exception("the public address cannot be checked")
        else:
            before = False


async def _tell(blocked: Callable[[PublicAddressBlocked], object], fault: PublicAddressBlocked) -> None:
    try:
        await asyncio.to_thread(blocked, fault)
    except Unavailable as unavailable:
        _log.warning("%s", unavailable)
    except Exception:  # noqa: BLE001  # as above
        _log.exception("the alarm of the public address cannot be raised")


def _judge(config: TelephonyConfig, nonce: str, status: int, body: bytes) -> None:
    if status == HTTPStatus.FORBIDDEN:
        why = gettext_noop("the request arrives with another address or is checked with another token")
        raise _blocked(config, why, _FIX_TOKEN)
    if status != HTTPStatus.OK:
        shown = Text("%(url)s: status %(status)s instead of our answer", url=config.public_url, status=status)
        raise PublicAddressBlocked(shown, fix=_FIX_STATUS)
    if not hmac.compare_digest(body.strip(), proof(nonce, token=config.auth_token).encode()):
        raise _blocked(config, gettext_noop("another service answers"), _FIX_STATUS)


def _blocked(config: TelephonyConfig, why: str, fix: str) -> PublicAddressBlocked:
    return PublicAddressBlocked(Text("%(url)s: %(why)s", url=config.public_url, why=Text(why)), fix=fix)


_FIX_PROXY = gettext_noop("start the proxy, or set web.public_url to the address that the carrier reaches")
_FIX_CERTIFICATE = gettext_noop("renew the certificate of the proxy: a carrier refuses it too")
_FIX_TOKEN = gettext_noop(
    "let the proxy keep path and query, and give every process the same telephony.auth_token"
)
_FIX_STATUS = gettext_noop("let the proxy pass /hooks/ and /audio/ to dialer web, or correct web.public_url")
