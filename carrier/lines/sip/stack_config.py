"""The configuration of the process that speaks SIP, and whether its stack is here."""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib import util

from carrier.lines.sip.trunks import Trunk


def is_installed() -> bool:
    """Whether the extra `sip` is installed."""
    return util.find_spec("baresip") is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class SipConfig:
    """The configuration of the process. `listen`: address and port of SIP over UDP and TCP, port 0 for a free one.

    `interface`: the network interface or local address to use; empty: the one that leads to the trunk. A call in which
    no sound comes from the far side for `silent_seconds` after its answer is hung up, as a fault of ours. A call from
    which nothing has come for `lost_seconds`, and that is not on hold, is ended.
    """

    carrier_url: str
    admin_token: str = field(repr=False)
    trunks: Sequence[Trunk] = ()
    listen: str = "0.0.0.0:5060"
    interface: str = ""
    rtp_ports: str = "10000-20000"
    ca_file: str = ""
    """Certificates (PEM) of the authorities that sign the certificates of trunks over TLS; empty: those of the
    system.
    """
    certificate_file: str = ""
    """Our certificate and its key (PEM), for inbound calls over TLS; empty: there are none over TLS."""
    silent_seconds: float = 10.0
    progress_seconds: float = 12.0
    """A call to which the trunk has said 100 and nothing more for so long is cancelled, as a fault of ours."""
    hold_seconds: float = 60.0
    """A call that the person leaves on hold for longer is hung up."""
    lost_seconds: int = 180
    register_wait_seconds: float = 5.0
    """Until a registration that failed is tried again, then twice as long each time, five minutes at most."""

    def tls_text(self) -> str:
        """The stack's settings of TLS: a trunk whose certificate is not valid gets no call."""
        found = self.ca_file or ssl.get_default_verify_paths().cafile or ""
        lines = ["sip_verify_server yes", f"sip_cafile {found}" if found else ""]
        if self.certificate_file:
            lines.append(f"sip_certificate {self.certificate_file}")
        return "\n".join(line for line in lines if line) + "\n"
