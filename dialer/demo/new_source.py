"""The demo's new source, on probation. Its first warnings name larger amounts than it is believed, so they wait under
*Sources* for a person, and nobody is called for them.
"""

from __future__ import annotations

from typing import Final

from dialer.core.access import unrestricted
from dialer.demo.signal_story import BLOCK
from dialer.intake.records import Field
from dialer.runtime.services import Services
from dialer.staff.sign_in import add_token
from dialer.staff.token_store import TokenScope
from dialer.warnings.deliveries import read_warnings, take_deliveries

NEW_SOURCE: Final = "社区反诈平台"
_PEOPLE: Final = (
    ("李云芳", "特高危", "300万元"),
    ("王海林", "特高危", "1800000"),
    ("赵静", "高危", "126万元"),
)
_FIRST: Final = 4900


def send_as_new_source(services: Services) -> int:
    """Makes the source's token and sends its warnings; returns how many."""
    actor = unrestricted("demo")
    scopes = [TokenScope.WARNINGS_WRITE.value]
    token = add_token(
        services, actor, name="community", scopes=scopes, days=30, unit="", sources=[NEW_SOURCE]
    ).token
    sent = [
        {
            Field.SOURCE: NEW_SOURCE,
            Field.INSTRUCTION_NO: f"SQ-{number:03d}",
            Field.NAME: name,
            Field.PHONE: f"{BLOCK}{_FIRST + number}",
            Field.GRADE: grade,
            Field.AMOUNT_AT_RISK: amount,
        }
        for number, (name, grade, amount) in enumerate(_PEOPLE, start=1)
    ]
    take_deliveries(services, [read_warnings(services, sent, token=token)])
    return len(sent)
