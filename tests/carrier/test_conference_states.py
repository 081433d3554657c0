"""Random lives of conferences: whatever happens, who hears whom follows from who is there and how."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from carrier.calls import Call, RestProblem
from carrier.conferences import COMPLETED, Conferences, ParticipantChange, heard_by
from carrier.lines import Leg
from carrier.lines.handset import SoundlessLeg
from carrier.player import SoundCache
from carrier.speech_input import Hearing
from carrier.twiml import CONFERENCE_EVENTS, Conference, Dial
from carrier.webhooks import Messenger, Signer
from tests.carrier.fake_time import FakeOutbound, FakeTimers

FLAGS = st.booleans()
NAMES = st.sampled_from(["one", "two"])
TOLD = Conference(name="one", status_callback="http://app.test/conference", events=CONFERENCE_EVENTS)


class Entering:
    """A call that enters conferences; counts how often it was out of one again."""

    def __init__(self, n: int, timers: FakeTimers) -> None:
        self.call = Call(
            sid=f"CA{n}",
            account_sid="AC1",
            to="+8613800138000",
            from_="1",
            created=0.0,
            updated=0.0,
            number=n,
        )
        self.soundless = SoundlessLeg(timers)
        self.out = 0

    @property
    def leg(self) -> Leg:
        return self.soundless  # type: ignore[return-value]

    def error(self, code: int) -> None:
        raise AssertionError(code)

    def left(self, _result: dict[str, str]) -> None:
        self.out += 1


class ConferenceLives(RuleBasedStateMachine):
    """Calls enter, leave, are put out, held, muted and coach; conferences end."""

    calls: Bundle[Entering] = Bundle("calls")

    def __init__(self) -> None:
        super().__init__()
        self.timers = FakeTimers()
        self.outbound = FakeOutbound(self.timers)
        messenger = Messenger(
            outbound=self.outbound,  # type: ignore[arg-type]
            signer=Signer("token"),
            timers=self.timers,
        )
        self.all = Conferences(
            account_sid="AC1",
            messenger=messenger,
            sounds=SoundCache(messenger),
            hearing=Hearing(None),
            timers=self.timers,
        )
        self.made = 0
        self.inside: dict[Entering, str] = {}

    @rule(
        target=calls,
        name=NAMES,
        starts=st.booleans(),
        ends=st.booleans(),
        muted=st.booleans(),
        beeps=st.sampled_from([frozenset[str](), frozenset({"enter", "exit"})]),
    )
    def enter(self, *, name: str, starts: bool, ends: bool, muted: bool, beeps: frozenset[str]) -> Entering:
        self.made += 1
        one = Entering(self.made, self.timers)
        room = replace(TOLD, name=name, starts=starts, ends=ends, muted=muted, beeps=beeps)
        self.all.enter(one, Dial(number="", conference=room), one.left)
        self.inside[one] = name
        return one

    @rule(one=consumes(calls), is_put_out=st.booleans())
    def leave(self, one: Entering, *, is_put_out: bool) -> None:
        before = one.out
        was_inside = one in self._present()
        if is_put_out:
            self.all.put_out(one.call.sid)
        else:
            self.all.leave(one.call.sid)
        assert one.out - before == (1 if is_put_out and was_inside else 0)
        self.inside.pop(one, None)

    @rule(
        one=calls,
        other=calls,
        hold=st.none() | st.booleans(),
        muted=st.none() | st.booleans(),
        coaches=st.booleans(),
    )
    def change(
        self, one: Entering, other: Entering, *, hold: bool | None, muted: bool | None, coaches: bool
    ) -> None:
        conference = self._conference(one)
        if conference is None:
            return
        found = self.all.participant(conference, one.call.sid)
        before = found.place
        wanted = ParticipantChange(hold=hold, muted=muted, coached=other.call.sid if coaches else "")
        try:
            self.all.change(conference, found, wanted)
        except RestProblem:
            assert other is one or other.call.sid not in conference.participants
            assert found.place == before
        else:
            assert found.hold is (before.hold if hold is None else hold)
            assert found.muted is (before.muted if muted is None else muted)

    @rule(name=NAMES)
    def end(self, name: str) -> None:
        conference = self.all.live(name)
        if conference is not None:
            self.all.end(conference, "conference-ended-via-api")
            assert self.all.live(name) is None

    @rule()
    def time_passes(self) -> None:
        self.timers.run(30.0)

    def _conference(self, one: Entering):  # noqa: ANN202 - a record or none
        return next((each for each in self.all.newest_first() if one.call.sid in each.participants), None)

    def _present(self) -> set[Entering]:
        return {one for one in self.inside if self._conference(one) is not None}

    @invariant()
    def voices_follow_from_the_places(self) -> None:
        for conference in self.all.newest_first():
            present = conference.participants
            heard = (
                heard_by(one.place for one in present.values()) if conference.status == "in-progress" else {}
            )
            for sid, one in present.items():
                hears = set(one.entrant.leg.hears)  # type: ignore[attr-defined]
                assert hears == {present[other].entrant.leg for other in heard.get(sid, ())}
                waits = one.hold or conference.status == "init"
                assert (one.waiting is not None) is waits
            if conference.status == COMPLETED:
                assert not present
                assert conference.reason

    @invariant()
    def who_is_outside_hears_nobody_and_is_left_in_peace(self) -> None:
        present = self._present()
        for one in self.inside:
            if one not in present:
                assert one.soundless.hears == ()
                assert one.out == 1

    @invariant()
    def nobody_is_coached_who_is_not_there(self) -> None:
        for conference in self.all.newest_first():
            for one in conference.participants.values():
                assert not one.coached or one.coached in conference.participants or one.muted

    def teardown(self) -> None:
        numbers: dict[str, list[int]] = {}
        self.timers.run(1.0)
        for sent in self.outbound.to("/conference"):
            numbers.setdefault(sent.params["ConferenceSid"], []).append(int(sent.params["SequenceNumber"]))
        for found in numbers.values():
            assert found == list(range(1, len(found) + 1))


ConferenceLives.TestCase.settings = settings(max_examples=30, stateful_step_count=30, deadline=None)
TestConferenceLives = ConferenceLives.TestCase
