"""What the carrier remembers of messages across a kill: one that was under way goes on when it comes back."""

from __future__ import annotations

from pathlib import Path

from dialer.carrier.sealed_log import SealedLog
from dialer.carrier.texts import Text, TextOrder, TextStatus


class TextMemory(SealedLog):
    """The newest messages and how far they came."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory, "texts")

    def recall(self, *, since_unix: float) -> list[Text]:
        """In the order in which they were taken. From now on new records are appended."""
        texts: dict[str, Text] = {}
        for record in self.records():
            match record:
                case {"k": "A", "sid": str(sid), "account": str(account), "at": float(at)}:
                    order = TextOrder(
                        to=str(record["to"]),
                        from_=str(record["from"]),
                        body=str(record["body"]),
                        status_callback=str(record["callback"]),
                    )
                    texts[sid] = Text(order, account_sid=account, created=at, sid=sid)
                case {"k": "M", "sid": str(sid), "at": float(at), "status": str(status)} if sid in texts:
                    text = texts[sid]
                    text.status, text.updated = TextStatus(status), at
                    text.error_code = int(str(record["code"]))
                    if text.status is TextStatus.SENT:
                        text.sent = at
                case _:
                    pass
        self.open()
        return [text for text in texts.values() if text.created >= since_unix]

    def accepted(self, text: Text) -> None:
        """On disk before the answer to the POST is sent."""
        order = text.order
        self.append(
            {
                "k": "A",
                "sid": text.sid,
                "account": text.account_sid,
                "at": text.created,
                "to": order.to,
                "from": order.from_,
                "body": order.body,
                "callback": order.status_callback,
            }
        )

    def moved(self, text: Text) -> None:
        self.append(
            {
                "k": "M",
                "sid": text.sid,
                "at": text.updated,
                "status": text.status.value,
                "code": text.error_code,
            }
        )
