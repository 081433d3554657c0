"""An instruction number for rows that bring none, always the same for the same row and telling nothing about
it.
"""

from __future__ import annotations

import hmac
from datetime import datetime
from typing import Final

from dialer.domain.values import FraudType

PREFIX: Final = "D-"
_LENGTH: Final = 32
LONGEST: Final = 200
_KEPT: Final = 160


def derived_instruction_no(
    *,
    key: bytes,
    source: str,
    name: str,
    phones: tuple[str, ...],
    id_number: str,
    fraud_type: FraudType,
    produced_at: datetime | None,
) -> str:
    """Marks the warning by source, name, phones in any order, id number, fraud type and produced time.

    The digest is keyed, since a hash of a phone number alone could be tried out.
    """
    parts = (
        source,
        name,
        " ".join(sorted(phones)),
        id_number,
        fraud_type.value,
        produced_at.isoformat() if produced_at else "",
    )
    digest = hmac.digest(key, "\x1f".join(parts).encode("utf-8", errors="replace"), "sha256")
    return PREFIX + digest.hex()[:_LENGTH]


def bounded(text: str, *, key: bytes) -> str:
    """The text, or of one that is longer than any real source or number its beginning and a digest of the whole: the
    database cannot index it otherwise, and a row is never lost for it.
    """
    if len(text) <= LONGEST:
        return text
    digest = hmac.digest(key, text.encode("utf-8", errors="replace"), "sha256")
    return f"{text[:_KEPT]}~{digest.hex()[:_LENGTH]}"
