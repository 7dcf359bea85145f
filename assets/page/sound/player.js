/**
 * One clock, many tracks: plays the clip and its takes in step and switches between them in 5 ms.
 *
 * Every track is a Web Audio buffer that lies at `start` seconds on the clip's clock. The base track is
 * the clip. A take holds only its span and a little around it (outside it equals the clip sample for
 * sample), so selecting a take means: its gain is 1 inside its stretch, the base's gain is 1 outside.
 * All sources of a pass begin at one `AudioContext` time, hence stay aligned whatever is selected.
 * Times in seconds. Knows no DOM elements.
 */

const RAMP = 0.005; // seconds; short enough to feel instant, long enough not to click
const NO_SOUND = 3000; // ms to wait for an output
const LEAD = 0.06; // seconds between scheduling and sounding

/** The track that sounds at `position` when `selected` is chosen: the take inside its stretch, else the base. */
export function audible(tracks, selected, position) {
  const track = tracks.get(selected);
  if (track && position >= track.start - 1e-9 && position < track.start + track.seconds - 1e-9) return selected;
  return track?.whole ? null : 'base';
}

/** Times in (from, to) at which the audible track changes by itself. */
export function boundaries(tracks, selected, from, to) {
  const track = tracks.get(selected);
  if (!track || selected === 'base') return [];
  return [track.start, track.start + track.seconds].filter((t) => t > from + 1e-9 && t < to - 1e-9);
}

export class Player extends EventTarget {
  #context = null;
  #tracks = new Map(); // id -> {url, start, seconds, whole, buffer}
  #passes = []; // scheduled playings: {at: context time, from: position, to: position, nodes: Map(id -> {source, gain})}
  #selected = 'base';
  #loop = null;
  #rest = 0; // position while paused
  #timer = 0;
  #loading = new Map(); // url -> Promise<AudioBuffer>
  playing = false;

  get context() {
    this.#context ??= new AudioContext({ latencyHint: 'interactive' });
    return this.#context;
  }

  /** Where all tracks come together before they sound. */
  get output() {
    if (!this.#output) {
      this.#output = this.context.createGain();
      this.#output.connect(this.context.destination);
    }
    return this.#output;
  }
  #output = null;

  /** Channels of what is chosen to sound. */
  get channels() {
    return (this.#tracks.get(this.#selected) ?? this.#tracks.get('base'))?.buffer.numberOfChannels ?? 2;
  }

  get selected() {
    return this.#selected;
  }

  get tracks() {
    return this.#tracks;
  }

  /** Context time at which the sounding pass began: constant while a switch keeps the sound going. */
  get anchor() {
    return this.#passes[0]?.at ?? null;
  }

  get duration() {
    const track = this.#tracks.get(this.#selected);
    if (track?.whole) return track.start + track.seconds;
    return Math.max(0, ...[...this.#tracks.values()].filter((t) => !t.whole).map((t) => t.start + t.seconds));
  }

  /** Where one can begin: at 0, or before it while something lies there. */
  get begin() {
    return Math.min(0, ...[...this.#tracks.values()].map(({ start }) => start));
  }

  /** Where the sound is, in seconds on the clip's clock. */
  get position() {
    if (!this.playing) return this.#rest;
    const now = this.#context.currentTime;
    let current = this.#passes[0];
    for (const pass of this.#passes) if (pass.at <= now) current = pass;
    return current ? Math.min(Math.max(current.from + now - current.at, current.from), current.to) : this.#rest;
  }

  /** Seconds until what was asked to play at a later time sounds. */
  get waiting() {
    return this.playing ? Math.max(0, (this.#passes[0]?.at ?? 0) - this.#context.currentTime) : 0;
  }

  /** The decoded buffer of an address; fetched and decoded once. */
  load(url) {
    if (!this.#loading.has(url)) {
      const promise = fetch(url)
        .then((response) => {
          if (!response.ok) throw new Error(`audio could not be fetched (${response.status})`);
          return response.arrayBuffer();
        })
        .then((bytes) => this.context.decodeAudioData(bytes));
      promise.catch(() => this.#loading.delete(url));
      this.#loading.set(url, promise);
    }
    return this.#loading.get(url);
  }

  /** The tracks there are now: [{id, url, start, whole}]. Known ones keep sounding; new ones join in step. */
  async setTracks(specs) {
    const wanted = new Map(specs.map((spec) => [spec.id, spec]));
    for (const id of [...this.#tracks.keys()]) if (!wanted.has(id)) this.#tracks.delete(id);
    const urls = new Set(specs.map((spec) => spec.url));
    for (const url of [...this.#loading.keys()]) if (!urls.has(url)) this.#loading.delete(url);
    // A track whose audio changes sounds as before until the new audio is there.
    const missing = specs.filter((spec) => this.#tracks.get(spec.id)?.url !== spec.url);
    this.#wanted = wanted;
    if (!this.#tracks.has(this.#selected) && !wanted.has(this.#selected)) this.select('base');
    await Promise.all(
      missing.map(async (spec) => {
        let buffer;
        try {
          buffer = await this.load(spec.url);
        } catch (error) {
          this.dispatchEvent(new CustomEvent('failed', { detail: { id: spec.id, message: error.message } }));
          return;
        }
        if (this.#wanted.get(spec.id)?.url !== spec.url) return; // replaced while it loaded
        this.#tracks.set(spec.id, {
          url: spec.url, start: spec.start, whole: Boolean(spec.whole), seconds: buffer.duration, buffer,
        });
        if (this.playing) this.#restart();
        this.dispatchEvent(new CustomEvent('loaded', { detail: { id: spec.id } }));
      }),
    );
  }
  #wanted = new Map();

  /** Hears another track at once, without a break in time. */
  select(id) {
    this.#selected = id;
    if (this.playing) {
      const track = this.#tracks.get(id);
      // A take that lies behind has no source in this pass, and needs none.
      const placed = (pass) => !track || pass.nodes.has(id) || track.start + track.seconds <= pass.from;
      if (this.#passes.every(placed) && this.#passes.every((pass) => pass.to === this.#passEnd())) {
        for (const pass of this.#passes) this.#setGains(pass, this.#context.currentTime);
      } else this.#restart();
    }
    this.dispatchEvent(new CustomEvent('select'));
  }

  /** Forgets every track, as for another clip. */
  clear() {
    this.pause();
    this.#tracks.clear();
    this.#selected = 'base';
    this.#rest = 0;
  }

  /** Silences all tracks while the clock runs on, so that the lanes can be heard alone. */
  mute(silent) {
    this.#silent = silent;
    for (const pass of this.#passes) this.#setGains(pass, this.#context.currentTime);
  }
  #silent = false;

  /** Gains by track id, for tracks that shall be as loud as each other; one not named keeps its level. */
  setTrims(trims) {
    const same = trims.size === this.#trims.size && [...trims].every(([id, gain]) => this.#trims.get(id) === gain);
    if (same) return;
    this.#trims = new Map(trims);
    for (const pass of this.#passes) this.#setGains(pass, this.#context.currentTime);
  }
  #trims = new Map();

  setLoop(loop) {
    const same = loop?.start === this.#loop?.start && loop?.end === this.#loop?.end;
    this.#loop = loop && loop.end - loop.start > 0.05 ? { ...loop } : null;
    if (this.playing && !same) this.#restart();
  }

  /** Plays from a position, as soon as it can or at a time of the context. */
  async play(from = this.#rest, at = 0) {
    if (!this.#tracks.size) return;
    if (!(await this.#awake())) {
      const message = 'The browser found no output for sound. Plug one in, or allow sound for this page, then press play again.';
      this.dispatchEvent(new CustomEvent('failed', { detail: { message } }));
      return;
    }
    let position = from >= this.duration - 0.01 ? 0 : Math.max(from, this.begin);
    if (this.#loop && (position < this.#loop.start - 0.01 || position >= this.#loop.end)) position = this.#loop.start;
    this.#stopAll();
    this.playing = true;
    const soonest = this.context.currentTime + LEAD;
    this.#schedule(Math.max(at, soonest), at && at < soonest ? position + soonest - at : position);
    clearInterval(this.#timer);
    this.#timer = setInterval(() => this.#tick(), 40);
    this.dispatchEvent(new CustomEvent('state'));
  }

  /** Whether the browser gives sound. Without an output, Firefox never answers. */
  async #awake() {
    const { context } = this;
    let timer;
    const waited = new Promise((resolve) => { timer = setTimeout(() => resolve(context.state === 'running'), NO_SOUND); });
    const awake = await Promise.race([context.resume().then(() => true), waited]);
    clearTimeout(timer);
    return awake;
  }

  pause() {
    if (!this.playing) return;
    this.#rest = this.position;
    this.playing = false;
    clearInterval(this.#timer);
    this.#stopAll();
    this.dispatchEvent(new CustomEvent('state'));
  }

  toggle() {
    return this.playing ? this.pause() : this.play();
  }

  seek(position) {
    const target = Math.min(Math.max(this.begin, position), this.duration);
    if (this.playing) this.play(target);
    else this.#rest = target;
    this.dispatchEvent(new CustomEvent('state'));
  }

  #passEnd() {
    return this.#loop ? Math.min(this.#loop.end, this.duration) : this.duration;
  }

  /** Starts every track of a pass at one context time. */
  #schedule(at, from) {
    const to = this.#passEnd();
    const { output } = this;
    const pass = { at, from, to, nodes: new Map() };
    for (const [id, track] of this.#tracks) {
      const end = Math.min(track.start + track.seconds, to);
      if (end <= from) continue;
      const source = this.context.createBufferSource();
      const gain = this.context.createGain();
      source.buffer = track.buffer;
      source.connect(gain).connect(output);
      const begin = Math.max(from, track.start);
      source.start(at + begin - from, begin - track.start, end - begin);
      pass.nodes.set(id, { source, gain });
    }
    this.#passes.push(pass);
    this.#setGains(pass, Math.max(at - RAMP, this.context.currentTime), true);
  }

  /** Writes every gain of a pass from context time `now` on: a ramp now, and one at each edge of the take. */
  #setGains(pass, now, fresh = false) {
    const position = pass.from + Math.max(0, now - pass.at);
    const edges = boundaries(this.#tracks, this.#selected, position, pass.to);
    for (const [id, { gain }] of pass.nodes) {
      const level = (at) => (!this.#silent && audible(this.#tracks, this.#selected, at) === id ? (this.#trims.get(id) ?? 1) : 0);
      const value = fresh ? level(position) : gain.gain.value;
      gain.gain.cancelScheduledValues(now);
      gain.gain.setValueAtTime(value, now);
      if (!fresh) gain.gain.linearRampToValueAtTime(level(position + RAMP), now + RAMP);
      for (const edge of edges) {
        const when = pass.at + edge - pass.from;
        gain.gain.setValueAtTime(level(edge - 1e-6), Math.max(when, now + RAMP));
        gain.gain.linearRampToValueAtTime(level(edge + 1e-6), Math.max(when, now + RAMP) + RAMP);
      }
    }
  }

  #tick() {
    const now = this.#context.currentTime;
    while (this.#passes.length > 1 && this.#passes[1].at <= now) this.#passes.shift();
    const last = this.#passes[this.#passes.length - 1];
    const ends = last.at + last.to - last.from;
    if (this.#loop && now > ends - 0.3) {
      // Sample-exact: the next pass begins as this one ends, or, where the page was too busy to look in time, now.
      this.#schedule(Math.max(ends, now), Math.min(this.#loop.start, this.#passEnd() - 0.01));
    } else if (!this.#loop && now >= ends) {
      this.pause();
      this.#rest = 0;
      this.dispatchEvent(new CustomEvent('state'));
    }
  }

  #restart() {
    const position = this.position;
    this.#stopAll();
    const at = this.context.currentTime + 0.01;
    this.#schedule(at, Math.min(position + 0.01, Math.max(0, this.#passEnd() - 0.01)));
  }

  #stopAll() {
    for (const pass of this.#passes) {
      for (const { source, gain } of pass.nodes.values()) {
        source.stop();
        source.disconnect();
        gain.disconnect();
      }
    }
    this.#passes = [];
  }
}
