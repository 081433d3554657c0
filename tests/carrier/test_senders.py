"""The filter of the SIP sockets: whom it admits, run on packets as the kernel runs it."""

from __future__ import annotations

from ipaddress import ip_address

from hypothesis import given
from hypothesis import strategies as st

from carrier.lines.sip.senders import Address, addresses_of, filter_program
from carrier.lines.sip.trunks import Trunk

_NET = 0xFFF00000


def passes(code: list[tuple[int, int, int, int]], sender: Address) -> bool:
    """What the program says of a packet of this sender; the instructions are those of classic BPF."""
    if sender.version == 4:
        packet = bytes([0x45]) + bytes(11) + sender.packed + bytes(4)
    else:
        packet = bytes([0x60]) + bytes(7) + sender.packed + bytes(16)
    at, value = 0, 0
    while True:
        op, yes, no, k = code[at]
        at += 1
        match op:
            case 0x20:
                value = int.from_bytes(packet[k - _NET : k - _NET + 4])
            case 0x30:
                value = packet[k - _NET]
            case 0x54:
                value &= k
            case 0x15:
                at += yes if value == k else no
            case 0x05:
                at += k
            case 0x06:
                return bool(k)
            case _:
                raise AssertionError(op)


@given(st.sets(st.ip_addresses(), max_size=400), st.ip_addresses())
def test_it_admits_these_senders_and_no_other(senders: set[Address], other: Address):
    code = filter_program(senders)
    assert all(0 <= jump <= 255 for _, yes, no, _ in code for jump in (yes, no))
    assert all(passes(code, sender) for sender in senders)
    assert passes(code, other) is (other in senders)


def test_names_are_looked_up_and_one_without_an_address_is_told():
    known = {"sbc.example": ["10.0.0.1", "fe80::1%eth0"]}
    found, is_whole = addresses_of(["10.0.0.9", "sbc.example"], lambda host: known.get(host, []))
    assert (found, is_whole) == (
        frozenset(map(ip_address, ("10.0.0.9", "10.0.0.1", "fe80::1"))),
        True,
    )
    assert addresses_of(["gone.example"], lambda _host: []) == (frozenset(), False)


def test_a_name_without_a_port_may_lead_to_other_addresses():
    def known(address: str, proxy: str = "") -> bool:
        return Trunk(name="x", address=address, number="96110", proxy=proxy).has_known_addresses

    assert known("10.0.0.1")
    assert known("sbc.example:5060")
    assert not known("ims.example")
    assert not known("10.0.0.1", "sbc.example")
