"""`python -m carrier`: the carrier, and beside it the process that speaks SIP, by themselves."""

from __future__ import annotations

import argparse
import logging
import os
import sys
from pathlib import Path

from carrier.config import BadCarrierConfig
from carrier.lines.sip import stack, stack_config
from carrier.lines.sip.announcements import AnnouncementListener
from carrier.lines.sip.line import SipLine
from carrier.server import run
from carrier.settings import CarrierSettings, read_settings


def main(arguments: list[str] | None = None) -> int:
    """Serves until SIGTERM or SIGINT. Returns 2 for settings that do not fit."""
    parser = argparse.ArgumentParser(prog="python -m carrier", description=__doc__)
    parser.add_argument(
        "part", nargs="?", choices=("serve", "sip"), default="serve", help="serve (default), or sip"
    )
    parser.add_argument(
        "--settings", type=Path, help="a TOML file; CARRIER_NAME in the environment is above it"
    )
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    try:
        settings = read_settings(options.settings, os.environ)
    except (BadCarrierConfig, OSError) as problem:
        return _refuse(str(problem))
    if options.part == "serve":
        _serve(settings)
    elif settings.sip is None:
        return _refuse("line: is not sip, so there are no trunks to run")
    elif not stack_config.is_installed():
        return _refuse("line: is sip, and baresip is not installed (pip install baresip-python)")
    else:
        stack.run(settings.sip)
    return 0


def _refuse(problem: str) -> int:
    sys.stderr.write(f"carrier: {problem}\n")
    return 2


def _serve(settings: CarrierSettings) -> None:
    config, sip = settings.config, settings.sip
    if sip is None:
        run(config)
        return
    listener = AnnouncementListener(settings.recogniser) if settings.recogniser is not None else None
    run(
        config,
        make_line=lambda timers: SipLine(
            timers, trunks=sip.trunks, desk_numbers=config.desk_numbers, listener=listener
        ),
    )


if __name__ == "__main__":
    sys.exit(main())
