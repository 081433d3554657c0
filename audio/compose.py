"""Parts of speech to one telephone prompt: band-limited, trimmed, joined with natural gaps, levelled, unclipped."""

from __future__ import annotations

import audioop
import warnings
from array import array
from collections.abc import Sequence
from functools import partial

from audio.loudness import PEAK_DBFS, TARGET_DBFS, active_level, peak
from audio.resample import TELEPHONE_HZ, to_telephone
from audio.wave_file import Flaw, NoSound, Sound

with warnings.catch_warnings():
    # Its import asks for ffmpeg, which nothing here needs: a warning that would be on every operator's terminal.
    warnings.simplefilter("ignore", RuntimeWarning)
    from pydub import AudioSegment
    from pydub.effects import high_pass_filter
    from pydub.silence import detect_leading_silence

_LOWEST_HZ = 150
_QUIET_DBFS = -45.0
_LEAD_MS = 60
_TAIL_MS = 340
"""With the lead of the next prompt, as long as the pause between two sentences."""
_PAUSE_MS = 400
"""Between two parts."""
_BREATH_MS = 200
"""Around a telephone number."""
_EDGE_MS = 8
_CLOSE_ENOUGH_DB = 0.2
_KNEE = 0.55
"""Of the ceiling: louder samples are bent."""


def prompt(parts: Sequence[Sound]) -> Sound:
    """8 kHz mono at the target level, no sample above the ceiling. Raises `NoSound` when all of it is silent."""
    silence = partial(AudioSegment.silent, frame_rate=TELEPHONE_HZ)
    joined = silence(_LEAD_MS)
    for number, part in enumerate(parts, start=1):
        joined += _trimmed(_segment(part)) + silence(_TAIL_MS if number == len(parts) else _PAUSE_MS)
    return levelled(Sound(pcm=joined.raw_data, rate_hz=TELEPHONE_HZ))


def phrase(parts: Sequence[Sound]) -> Sound:
    """The parts of one sentence, each at the target level, with the short pauses of one breath between them."""
    pause = AudioSegment.silent(_BREATH_MS, frame_rate=TELEPHONE_HZ)
    said: AudioSegment | None = None
    for part in parts:
        segment = _trimmed(_segment(levelled(Sound(pcm=_segment(part).raw_data, rate_hz=TELEPHONE_HZ))))
        said = segment if said is None else said + pause + segment
    if said is None:
        raise NoSound(Flaw("has no speech in it"))
    return Sound(pcm=said.raw_data, rate_hz=TELEPHONE_HZ)


def speech_seconds(sound: Sound) -> float:
    """How long it speaks, without the silence before and after. Raises `NoSound`."""
    return len(_trimmed(_segment(sound))) / 1000


def joined(sounds: Sequence[Sound], gap_seconds: float = 0.3) -> Sound:
    """Finished prompts one after the other, as a call plays them."""
    gap = bytes(2 * round(TELEPHONE_HZ * gap_seconds))
    return Sound(pcm=gap.join(sound.pcm for sound in sounds), rate_hz=TELEPHONE_HZ)


def levelled(sound: Sound) -> Sound:
    """The same speech at the target level; peaks that would pass the ceiling are bent under it, not cut."""
    for _ in range(4):
        gain_db = TARGET_DBFS - active_level(sound)
        if abs(gain_db) < _CLOSE_ENOUGH_DB and peak(sound) <= PEAK_DBFS:
            break
        factor = 10 ** (gain_db / 20)
        sound = Sound(pcm=_bent(sound.samples, factor).tobytes(), rate_hz=sound.rate_hz)
    return sound


def _bent(samples: array[int], factor: float) -> array[int]:
    """Amplified; above the knee a sample is bent towards the ceiling, which it never reaches."""
    ceiling = 32768 * 10 ** (PEAK_DBFS / 20)
    knee = ceiling * _KNEE
    room = ceiling - knee
    out = array("h", bytes(2 * len(samples)))
    for index, sample in enumerate(samples):
        value = sample * factor
        size = abs(value)
        if size > knee:
            over = size - knee
            size = knee + room * over / (over + room)
            value = size if value > 0 else -size
        out[index] = int(value)
    return out


def a_law(sound: Sound) -> bytes:
    """G.711 A-law, as Chinese exchanges carry it."""
    return audioop.lin2alaw(sound.pcm, 2)


def from_a_law(coded: bytes) -> Sound:
    return Sound(pcm=audioop.alaw2lin(coded, 2), rate_hz=TELEPHONE_HZ)


def _segment(sound: Sound) -> AudioSegment:
    """Band-limited to the telephone: resampled with a filter, and without the rumble below the voice."""
    samples = to_telephone(sound.samples, sound.rate_hz)
    segment = AudioSegment(samples.tobytes(), sample_width=2, frame_rate=TELEPHONE_HZ, channels=1)
    return high_pass_filter(segment, _LOWEST_HZ)


def _trimmed(segment: AudioSegment) -> AudioSegment:
    """Without the silence before and after; the edges fade so that nothing clicks."""
    quiet = max(segment.max_dBFS - 40, _QUIET_DBFS - 15)
    start = detect_leading_silence(segment, silence_threshold=quiet, chunk_size=5)
    end = detect_leading_silence(segment.reverse(), silence_threshold=quiet, chunk_size=5)
    cut = segment[max(0, start - _EDGE_MS) : max(0, len(segment) - end + _EDGE_MS)]
    if len(cut) <= 2 * _EDGE_MS:
        raise NoSound(Flaw("has no speech in it"))
    return cut.fade_in(_EDGE_MS).fade_out(_EDGE_MS)
