// What the telephone sounds like: its ring, its keys, and the robot's own sound in the order in which the line plays it.

const RING_HZ = 450; // the ring-back tone of Chinese exchanges
const KEYS = {
  1: [697, 1209], 2: [697, 1336], 3: [697, 1477], 4: [770, 1209], 5: [770, 1336], 6: [770, 1477],
  7: [852, 1209], 8: [852, 1336], 9: [852, 1477], "*": [941, 1209], 0: [941, 1336], "#": [941, 1477],
};

export class Sound {
  #context = null;
  #ring = null;
  #playing = null; // {n, source, endsAt}
  #queue = Promise.resolve();
  #heard = 0; // the newest clip that was begun or skipped
  #age = 0; // what was queued before the last silence is never played

  /** Browsers let a page play sound only after a gesture: call this from one. */
  wake() {
    this.#context ??= new AudioContext();
    return this.#context.resume();
  }

  get context() {
    return this.#context;
  }

  ring(on) {
    if (on === (this.#ring !== null)) return;
    if (!on) {
      clearInterval(this.#ring);
      this.#ring = null;
      return;
    }
    const once = () => this.#tone([RING_HZ], 1, 0.05);
    once();
    this.#ring = setInterval(once, 5000);
  }

  key(key) {
    this.#tone(KEYS[key] ?? [], 0.12, 0.08);
  }

  /** Plays new clips one after the other; stops at once what the line has cut off. `fetchClip(n)` returns a WAV. */
  follow(played, fetchClip) {
    const cut = played.filter((one) => one.cut).map((one) => one.n);
    if (this.#playing && cut.includes(this.#playing.n)) this.#stop();
    for (const one of played) {
      if (one.n <= this.#heard) continue;
      this.#heard = one.n;
      if (one.cut || !one.has_sound) continue;
      const age = this.#age;
      this.#queue = this.#queue.then(() => this.#play(one, age, fetchClip)).catch(() => undefined);
    }
  }

  /** Stops all sound; what was played before is not played again. */
  silence() {
    this.#age += 1;
    this.#stop();
  }

  forget() {
    this.silence();
    this.#heard = 0;
  }

  async #play(one, age, fetchClip) {
    if (age !== this.#age || !this.#context) return;
    const buffer = await this.#context.decodeAudioData(await fetchClip(one.n));
    if (age !== this.#age || one.n < this.#heard - 3) return;
    const source = new AudioBufferSourceNode(this.#context, { buffer });
    source.connect(this.#context.destination);
    const ended = new Promise((resolve) => source.addEventListener("ended", resolve));
    this.#playing = { n: one.n, source };
    source.start();
    await ended;
    if (this.#playing?.source === source) this.#playing = null;
  }

  #stop() {
    this.#playing?.source.stop();
    this.#playing = null;
  }

  #tone(frequencies, seconds, volume) {
    const context = this.#context;
    if (!context) return;
    const gain = new GainNode(context, { gain: volume });
    gain.connect(context.destination);
    for (const frequency of frequencies) {
      const tone = new OscillatorNode(context, { frequency });
      tone.connect(gain);
      tone.start();
      tone.stop(context.currentTime + seconds);
    }
  }
}

/** One stretch of speech from the microphone as a 16 kHz WAV. */
export class Microphone {
  #recorder = null;
  #parts = [];

  static get exists() {
    return Boolean(navigator.mediaDevices?.getUserMedia && globalThis.MediaRecorder);
  }

  async start() {
    const stream = await navigator.mediaDevices.getUserMedia({ audio: { channelCount: 1 } });
    this.#parts = [];
    this.#recorder = new MediaRecorder(stream);
    this.#recorder.addEventListener("dataavailable", (event) => this.#parts.push(event.data));
    this.#recorder.start();
  }

  async stop(context) {
    const recorder = this.#recorder;
    this.#recorder = null;
    if (!recorder) return null;
    const stopped = new Promise((resolve) => recorder.addEventListener("stop", resolve));
    recorder.stop();
    await stopped;
    for (const track of recorder.stream.getTracks()) track.stop();
    const recorded = await context.decodeAudioData(await new Blob(this.#parts).arrayBuffer());
    return wav(await at16kHz(recorded));
  }
}

async function at16kHz(recorded) {
  const rate = 16000;
  const offline = new OfflineAudioContext(1, Math.max(1, Math.ceil(recorded.duration * rate)), rate);
  const source = new AudioBufferSourceNode(offline, { buffer: recorded });
  source.connect(offline.destination);
  source.start();
  return (await offline.startRendering()).getChannelData(0);
}

export function wav(samples, rate = 16000) {
  const bytes = new DataView(new ArrayBuffer(44 + samples.length * 2));
  const text = (at, word) => [...word].forEach((sign, i) => bytes.setUint8(at + i, sign.charCodeAt(0)));
  text(0, "RIFF");
  bytes.setUint32(4, 36 + samples.length * 2, true);
  text(8, "WAVEfmt ");
  bytes.setUint32(16, 16, true);
  bytes.setUint16(20, 1, true);
  bytes.setUint16(22, 1, true);
  bytes.setUint32(24, rate, true);
  bytes.setUint32(28, rate * 2, true);
  bytes.setUint16(32, 2, true);
  bytes.setUint16(34, 16, true);
  text(36, "data");
  bytes.setUint32(40, samples.length * 2, true);
  samples.forEach((sample, i) => bytes.setInt16(44 + i * 2, Math.max(-1, Math.min(1, sample)) * 32767, true));
  return bytes.buffer;
}
