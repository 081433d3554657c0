"""The clock's own work: cases whose time has come, rings whose time has come, claims that lapsed."""

from __future__ import annotations

from dialer.domain.events import TimePassed, WindowClosed
from dialer.store import attempts, cases, returns
from dialer.usecases.engine import Engine
from dialer.usecases.move_cases import Move, move

_AT_ONCE = 500


def sweep_cases(engine: Engine) -> int:
    """Every case that was due has been moved, in batches; how many."""
    total = 0
    while True:
        with engine.store.begin() as tx:
            now = engine.clock.now()
            locked = cases.lock_due(tx, now=now, limit=_AT_ONCE)
            ringing = attempts.at_the_carrier(tx, list(locked))
            moves = [
                Move(case_id=case_id, event=TimePassed(ringing=case_id in ringing)) for case_id in locked
            ]
            cancels = move(tx, locked, moves, policies=engine.policies, now=now)
        if cancels:
            engine.nudge("cancel_calls")
        total += len(locked)
        if len(locked) < _AT_ONCE:
            return total


def sweep_attempts(engine: Engine) -> None:
    """Lapsed claims are handed back and planned rings whose time has come are ready. Outside the window, cases of
    grades that do not wait hear of it.
    """
    with engine.store.begin() as tx:
        now = engine.clock.now()
        returns.lapse_claims(tx, real_now=engine.real.now(), now=now)
        attempts.promote(tx, now=now)
    if engine.policies.newest.window.is_open(now):
        return
    while True:
        with engine.store.begin() as tx:
            turns = attempts.waiting_outside_window(tx, limit=_AT_ONCE)
            locked = cases.lock(tx, [turn.case_id for turn in turns])
            moves = [Move(case_id=turn.case_id, event=WindowClosed(n=turn.n)) for turn in turns]
            move(tx, locked, moves, policies=engine.policies, now=now)
        if len(turns) < _AT_ONCE:
            return
