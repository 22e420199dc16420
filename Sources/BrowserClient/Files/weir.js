/**
 * Weir's client for browsers and node 20: opens an answer, unseals it, comes back for its rest.
 *
 *     import { WeirStream } from "https://gateway.example/weir.js";
 *
 *     const request = { model: "gpt-4", messages: [{ role: "user", content: "Hello" }] };
 *     const stream = new WeirStream({ url: "https://gateway.example", key, request, seal: true });
 *     for await (const event of stream) {
 *       if (event.type === "chunk") show(event.data.text ?? "");
 *     }
 *
 * The loop ends after `complete`. An `error` of the gateway's, an answer that was changed on its way
 * and one that cannot be resumed are thrown as a WeirError. The page "Sealed streams" of Weir's
 * documentation specifies the format of sealed answers and says what it protects.
 */

/**
 * @typedef {"idle"|"connecting"|"open"|"reconnecting"|"ended"|"failed"|"aborted"} State
 * @typedef {{type: "start"|"chunk"|"gap"|"complete", sequence: number, data: any}} WeirEvent
 *
 * @typedef {object} Seal
 * @property {"hybrid"|"shared"|"password"} [mode] hybrid by default
 * @property {string} [keyId] shared: the key's id
 * @property {Uint8Array|string} [key] shared: its bytes, or these in base64
 * @property {string} [password] password: the account's
 * @property {number} [pad] texts are padded to a multiple of so many bytes
 * @property {boolean} [compress] contents may be compressed, so that their lengths tell of them
 *
 * @typedef {{stream: string, sequence: number, secret: string|null}} Ticket as secret as the answer
 * @typedef {{offer: object, agree: Function}} Offer what `makeOffer` gives
 *
 * @typedef {object} Options
 * @property {string} [url] the gateway; by default the page's own origin
 * @property {string} [key] the API key
 * @property {object} [request] the body of POST /api/stream
 * @property {string} [token] from POST /api/stream/token, in place of key and request
 * @property {Ticket} [resume] in place of a request: goes on with a stream
 * @property {Seal|true} [seal] asks for a sealed answer
 * @property {Offer} [offer] in place of `seal`, where a token was made with it
 * @property {AbortSignal} [signal] ends the stream
 * @property {(state: State, stream: WeirStream) => void} [onState]
 * @property {number} [retries] how often in a row to come back in vain; 8 by default
 * @property {number} [silence] milliseconds of silence that end a connection; 60,000 by default
 */

const LABEL = "weir sealed stream 1";
const ALGORITHM = "aes-256-gcm";
const BUFFER_LIMIT = 32 * 1024 * 1024;

/**
 * Why there is no answer, or no more of it. `code` is the gateway's own, or `tampered`,
 * `connection_lost` or `insecure_context`; `retryable` says whether asking again may help.
 */
export class WeirError extends Error {
  constructor(code, message, retryable = false) {
    super(message);
    Object.assign(this, { name: "WeirError", code, retryable });
  }
}

const tampered = (message) => new WeirError("tampered", message);
const lost = () => new WeirError("connection_lost", "the gateway cannot be reached", true);

/** One answer; iterate over it once. */
export class WeirStream {
  #options;
  #headers;
  #events = null;
  #unsealer = null;
  #connection = null;
  #isAborted = false;
  #retry = 2_000;
  #wake = () => {};

  /** @param {Options} options */
  constructor(options) {
    this.#options = { retries: 8, silence: 60_000, ...options };
    /** @type {State} */
    this.state = "idle";
    this.id = options.resume?.stream ?? null; // the stream's, once it is known
    this.sequence = options.resume?.sequence ?? 0; // of the last event
    this.reconnects = 0; // how often the connection was made again
    this.sealing = null; // the cipher of a sealed answer, once it has begun
    this.#headers = options.key ? { Authorization: `Bearer ${options.key}` } : {};
    options.signal?.addEventListener("abort", () => this.abort(), { once: true });
    if (options.signal?.aborted) this.#isAborted = true;
  }

  /** @returns {AsyncGenerator<WeirEvent>} */
  [Symbol.asyncIterator]() {
    return (this.#events ??= this.#run());
  }

  async listen(handler) {
    for await (const event of this) handler(event);
  }

  /** Ends the stream here; the gateway keeps it for a while. */
  abort() {
    this.#isAborted = true;
    this.reconnect();
  }

  /** Ends it at the gateway, too. */
  async cancel() {
    this.abort();
    const init = { method: "DELETE", headers: this.#headers };
    if (this.id) await fetch(this.#address(`/api/stream/${this.id}`), init);
  }

  /** Makes the connection anew, now. */
  reconnect() {
    this.#connection?.abort();
    this.#wake();
  }

  /** @returns {Ticket} for another page, or for this one after it was loaded again */
  ticket() {
    const secret = this.#unsealer?.secret;
    return { stream: this.id, sequence: this.sequence, secret: secret ? toBase64(secret) : null };
  }

  #enter(state) {
    if (this.state === state) return;
    this.#options.onState?.((this.state = state), this);
  }

  async *#run() {
    const { seal, offer, resume, retries } = this.#options;
    try {
      this.#enter("connecting");
      if (resume?.secret) this.#unsealer = new Unsealer(null, fromBase64(resume.secret));
      else if (offer || seal) this.#unsealer = new Unsealer(offer ?? (await makeOffer(seal)));
      for (let failures = 1; ; failures += 1) {
        const before = this.sequence;
        const wait = yield* this.#attempt();
        if (wait === null) return;
        if (this.sequence > before) failures = 1;
        if (failures > retries) throw lost();
        this.reconnects += 1;
        this.#enter("reconnecting");
        await this.#pause(Math.max(wait, this.#retry * 2 ** (failures - 1)));
      }
    } catch (error) {
      if (this.#isAborted) return this.#enter("aborted");
      this.#enter("failed");
      throw error;
    } finally {
      this.#connection?.abort();
      if (this.state === "open") this.#enter("aborted"); // the loop was left
    }
  }

  /** Asks once. Returns null at the answer's end, else the least time to wait, in milliseconds. */
  async *#attempt() {
    if (this.#isAborted) throw lost();
    const connection = (this.#connection = new AbortController());
    const silence = watch(this.#options.silence, connection);
    try {
      const response = await this.#ask(connection.signal);
      if (response.status !== 200) return await busyTime(response);
      this.id ??= response.headers.get("weir-stream");
      for await (const block of this.#blocks(response, silence)) {
        const event = await this.#take(block);
        if (!event) continue;
        this.#enter(event.type === "complete" ? "ended" : "open");
        yield event;
        if (event.type === "complete") return null;
      }
    } catch (error) {
      if (error instanceof WeirError) throw error;
      // A question that may have arrived is not asked twice: it would be answered, and paid, twice.
      if (this.id === null && !this.#options.token) throw lost();
    } finally {
      silence.end();
    }
    return 0;
  }

  #ask(signal) {
    const { token, request } = this.#options;
    const headers = { ...this.#headers, Accept: "text/event-stream" };
    const init = { signal, headers, cache: "no-store" };
    const place = `${this.id}.${this.sequence}`;
    if (this.sequence || (this.id && !token)) headers["Last-Event-ID"] = place;
    if (token) return fetch(this.#address(`/api/stream?token=${encodeURIComponent(token)}`), init);
    if (this.id) return fetch(this.#address(`/api/stream/${this.id}`), init);
    headers["Content-Type"] = "application/json";
    const seal = this.#unsealer?.offer;
    Object.assign(init, { method: "POST", body: JSON.stringify({ ...request, seal }) });
    return fetch(this.#address("/api/stream"), init);
  }

  #address(path) {
    return (this.#options.url ?? globalThis.location?.origin).replace(/\/+$/, "") + path;
  }

  async *#blocks(response, silence) {
    if (!response.headers.get("content-type")?.startsWith("text/event-stream")) {
      throw new WeirError("bad_request", "what answered is no gateway: it sent no event stream");
    }
    const parser = new EventParser();
    for await (const bytes of piecesOf(response.body)) {
      silence.note();
      const blocks = parser.push(bytes);
      this.#retry = parser.retry ?? this.#retry;
      yield* blocks;
    }
  }

  /** Opens a block; null for one that only concerns the connection. */
  async #take({ type, id, data }) {
    if (type === "heartbeat") return null;
    if (id === "gone") throw new WeirError("stream_gone", "the stream is not known any more");
    const [, stream, digits] = /^(.+)\.(\d{1,15})$/.exec(id) ?? [];
    if (type === "start" || type === "seal") return await this.#begin(type, digits, data);
    if (stream === undefined || stream !== this.id) throw tampered("an event of another stream came");
    const sequence = Number(digits);
    const step = sequence - this.sequence;
    if (step !== 1 && !(type === "gap" && step > 0)) {
      throw tampered(`event ${sequence} came where ${this.sequence + 1} was due`);
    }
    const text = this.#unsealer ? await this.#unsealer.open(data, type, sequence) : data;
    const content = parsed(text);
    if (type === "gap" && content.lost !== step) throw tampered("a gap is not as wide as it says");
    this.sequence = sequence;
    if (type !== "error") return { type, sequence, data: content };
    throw new WeirError(content.code, content.message, content.retryable);
  }

  async #begin(type, digits, data) {
    const told = parsed(data);
    const isStart = type === "start";
    if (this.id !== null && this.id !== told.stream) throw tampered("another stream came");
    if (isStart && (digits !== "1" || this.sequence > 1)) throw tampered("it began twice");
    if (Boolean(told.seal) !== Boolean(this.#unsealer)) {
      throw tampered(told.seal ? "the answer is sealed, unasked" : "the answer is not sealed");
    }
    await this.#unsealer?.begin(told, data);
    this.sealing = told.seal?.algorithm ?? null;
    this.id = told.stream;
    if (isStart) this.sequence = 1;
    return isStart ? { type, sequence: 1, data: told } : null;
  }

  #pause(milliseconds) {
    const time = Math.min(milliseconds, 30_000) * (0.75 + Math.random() / 2);
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, time);
      this.#wake = () => (clearTimeout(timer), resolve());
    });
  }
}

/** Milliseconds to wait where the gateway is busy; throws what else it answered. */
async function busyTime(response) {
  if (response.status === 204) throw new WeirError("stream_gone", "the stream has ended unheard");
  const isBusy = [429, 502, 503, 504].includes(response.status);
  if (isBusy) return 1_000 * (Number(response.headers.get("retry-after")) || 1);
  const problem = await response.json().catch(() => ({}));
  const reason = problem.detail ?? `the gateway answered with status ${response.status}`;
  throw new WeirError(problem.code ?? "bad_request", reason);
}

/** Gives up a connection that says nothing, also one that only pretends to be there. */
function watch(limit, connection) {
  const start = () => setTimeout(() => connection.abort(), limit);
  let timer = start();
  const end = () => clearTimeout(timer);
  return { end, note: () => (end(), (timer = start())) };
}

async function* piecesOf(body) {
  const reader = body.getReader();
  try {
    for (let read; !(read = await reader.read()).done; ) yield read.value;
  } finally {
    reader.cancel().catch(() => {}); // it failed already where this fails
  }
}

/** Reads `text/event-stream` piece by piece (WHATWG HTML, section 9.2.6). */
export class EventParser {
  #decoder = new TextDecoder();
  #rest = "";
  #data = [];
  #type = "";
  #id = "";
  retry = null; // the last time to wait that was told, in milliseconds

  /** Returns the events that are whole now: `{ type, id, data }`. */
  push(bytes) {
    const events = [];
    const text = this.#rest + this.#decoder.decode(bytes, { stream: true });
    let start = 0;
    for (const end of text.matchAll(/\r\n|\n|\r/g)) {
      // A carriage return at the very end may be half of a pair.
      if (end[0] === "\r" && end.index === text.length - 1) break;
      this.#line(text.slice(start, end.index), events);
      start = end.index + end[0].length;
    }
    this.#rest = text.slice(start);
    if (this.#rest.length > BUFFER_LIMIT) throw new WeirError("bad_request", "an event is too long");
    return events;
  }

  #line(line, events) {
    const [, name, value] = /^([^:]*):? ?(.*)$/s.exec(line);
    if (line === "") {
      const data = this.#data.join("\n");
      if (this.#data.length) events.push({ type: this.#type || "message", id: this.#id, data });
      this.#data = [];
      this.#type = "";
    } else if (name === "data") this.#data.push(value);
    else if (name === "event") this.#type = value;
    else if (name === "id" && !value.includes("\0")) this.#id = value;
    else if (name === "retry" && /^\d{1,9}$/.test(value)) this.retry = Number(value);
  }
}

/**
 * @param {Seal|true} seal
 * @returns {Promise<Offer>} for a token that is made before its stream is opened: `offer` goes into
 *   the body of POST /api/stream/token as `seal`, and the whole to the WeirStream of the token
 */
export async function makeOffer(seal) {
  const wish = seal === true ? {} : seal;
  const nonce = toBase64(subtle() && crypto.getRandomValues(new Uint8Array(32)));
  const offer = { mode: wish.mode ?? "hybrid", nonce, algorithms: [ALGORITHM] };
  if (wish.pad) offer.pad = wish.pad;
  if (wish.compress) offer.compress = true;
  if (offer.mode === "shared") {
    offer.keyId = wish.keyId;
    const key = typeof wish.key === "string" ? fromBase64(wish.key) : wish.key;
    return { offer, agree: async () => [key, new Uint8Array()] };
  }
  if (offer.mode === "password") return { offer, agree: (told) => passwordKey(wish.password, told) };
  const { publicKey, privateKey } = await freshPair();
  offer.curve = publicKey.algorithm.name === "X25519" ? "x25519" : "p-256";
  offer.publicKey = toBase64(await subtle().exportKey("raw", publicKey));
  return { offer, agree: (told) => agreedKey(publicKey.algorithm, privateKey, told) };
}

function subtle() {
  if (globalThis.crypto?.subtle) return crypto.subtle;
  const reason = "sealing needs crypto.subtle, which browsers offer on https: and localhost only";
  throw new WeirError("insecure_context", reason);
}

/** X25519 where the browser knows it, else P-256. */
function freshPair() {
  const make = (algorithm) => subtle().generateKey(algorithm, false, ["deriveBits"]);
  return make({ name: "X25519" }).catch(() => make({ name: "ECDH", namedCurve: "P-256" }));
}

async function agreedKey(algorithm, privateKey, { publicKey }) {
  const raw = fromBase64(publicKey);
  try {
    const peer = await subtle().importKey("raw", raw, algorithm, false, []);
    const how = { name: algorithm.name, public: peer };
    return [new Uint8Array(await subtle().deriveBits(how, privateKey, 256)), raw];
  } catch {
    throw tampered("the gateway's public key is none");
  }
}

let derived = { name: "", key: null }; // once for a password and salt: it takes a while

async function passwordKey(password, { passwordSalt, rounds }) {
  if (!(rounds >= 600_000 && rounds <= 10_000_000)) throw tampered("such rounds are not allowed");
  const name = JSON.stringify([password, passwordSalt, rounds]);
  const how = { name: "PBKDF2", hash: "SHA-256", salt: fromBase64(passwordSalt), iterations: rounds };
  if (derived.name !== name) derived = { name, key: derive(utf8(password), how, 32) };
  return [await derived.key, how.salt];
}

/** The client's side of a sealed stream, over any number of attachments. */
class Unsealer {
  #agree;
  #stream = "";
  #key = null;
  #next = null;
  #epoch = 0;

  constructor(made, secret = null) {
    this.offer = made?.offer;
    this.#agree = made?.agree;
    /** The secret of the first attachment. */
    this.secret = secret;
  }

  /** Takes the parameters of an attachment: the event's data, parsed and as they came. */
  async begin(told, data) {
    const { version, mode, curve, keyId, algorithm, attachment, salt } = told.seal;
    const offer = this.offer;
    if (version !== 1) throw tampered("the answer is sealed in another form");
    if (offer && (mode !== offer.mode || curve !== offer.curve || keyId !== offer.keyId)) {
      throw tampered("the gateway took another agreement");
    }
    if (algorithm !== ALGORITHM) throw tampered("the gateway took another cipher");
    if (!(attachment >= 0 && attachment < 65_536)) throw tampered("there is no such attachment");
    this.secret ??= await this.#firstSecret(told.seal);
    let secret = this.secret;
    for (let number = 0; number < attachment; number += 1) {
      secret = await hkdf(secret, "", utf8(`${LABEL} next attachment`), 32);
    }
    const info = join([LABEL, told.stream, algorithm, await sha256(utf8(data))].map(lp));
    this.#stream = told.stream;
    this.#epoch = 0;
    await this.#use(await hkdf(secret, fromBase64(salt), info, 64));
  }

  async #firstSecret(told) {
    const { mode, nonce, algorithms, curve, keyId, publicKey, compress, pad } = this.offer;
    const [agreed, contribution] = await this.#agree(told);
    const transcript = [
      LABEL, mode, fromBase64(nonce), algorithms.join(","), curve ?? keyId ?? "",
      fromBase64(publicKey ?? ""), compress ? "deflate" : "", `${pad ?? 0}`, contribution,
    ];
    return hkdf(agreed, await sha256(join(transcript.map(lp))), utf8(`${LABEL} secret`), 32);
  }

  async #use(keys) {
    const raw = keys.slice(0, 32);
    this.#key = await subtle().importKey("raw", raw, "AES-GCM", false, ["decrypt"]);
    this.#next = keys.slice(32);
  }

  /** Returns the data that the event would have without sealing. */
  async open(data, type, sequence) {
    const { sealed } = parsed(data);
    if (typeof sealed !== "string") throw tampered("an event came that is not sealed");
    if (!this.#key) throw tampered("an event came before the parameters");
    const payload = fromBase64(sealed);
    if (payload.length < 21) throw tampered("an event was cut");
    const epoch = new DataView(payload.buffer).getUint32(0);
    if (epoch === this.#epoch + 1) {
      await this.#use(await hkdf(this.#next, "", utf8(`${LABEL} next epoch`), 64));
      this.#epoch = epoch;
    } else if (epoch !== this.#epoch) {
      throw tampered(`an event of epoch ${epoch} came in epoch ${this.#epoch}`);
    }
    const number = join([bigEndian(sequence / 2 ** 32), bigEndian(sequence)]);
    const iv = join([bigEndian(0), number]);
    const place = [lp(this.#stream), number, bigEndian(epoch), utf8(type)];
    const how = { name: "AES-GCM", iv, additionalData: join(place) };
    const text = await subtle().decrypt(how, this.#key, payload.subarray(4)).catch(() => {
      throw tampered("an event was changed, or the keys are others");
    });
    return contentOf(new Uint8Array(text));
  }
}

/** The content before its type and padding. */
async function contentOf(text) {
  const end = text.findLastIndex((byte) => byte !== 0);
  const content = text.subarray(0, Math.max(0, end));
  if (text[end] === 1) return new TextDecoder().decode(content);
  if (text[end] !== 2) throw tampered("an event's content is of an unknown type");
  const [inflater, decoder] = [new DecompressionStream("deflate-raw"), new TextDecoder()];
  let inflated = "";
  for await (const bytes of piecesOf(new Blob([content]).stream().pipeThrough(inflater))) {
    inflated += decoder.decode(bytes, { stream: true });
    if (inflated.length > BUFFER_LIMIT) throw tampered("an event's content is too long");
  }
  return inflated + decoder.decode();
}

const utf8 = (text) => new TextEncoder().encode(text);
const join = (parts) => Uint8Array.from(parts.flatMap((part) => [...part]));
const bigEndian = (number) => [24, 16, 8, 0].map((shift) => (number >>> shift) & 255);

/** The count of the bytes in four bytes, and the bytes. */
function lp(value) {
  const bytes = typeof value === "string" ? utf8(value) : value;
  return join([bigEndian(bytes.length), bytes]);
}

const sha256 = async (bytes) => new Uint8Array(await subtle().digest("SHA-256", bytes));
const hkdf = (secret, salt, info, count) =>
  derive(secret, { name: "HKDF", hash: "SHA-256", salt: salt || new Uint8Array(), info }, count);

async function derive(secret, how, count) {
  const key = await subtle().importKey("raw", secret, how.name, false, ["deriveBits"]);
  return new Uint8Array(await subtle().deriveBits(how, key, count * 8));
}

function sound(make, complaint) {
  try {
    return make();
  } catch {
    throw tampered(complaint);
  }
}

const parsed = (text) => sound(() => Object(JSON.parse(text)), "an event's data is no JSON");
const toBase64 = (bytes) => btoa(String.fromCharCode(...new Uint8Array(bytes)));
const fromBase64 = (text) =>
  sound(() => Uint8Array.from(atob(text), (c) => c.charCodeAt(0)), "what should be base64 is not");
