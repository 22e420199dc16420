// Runs scenarios with Weir's client and says what came of each; in a page and in node.

/** @returns {Promise<object[]>} an outcome for each scenario */
export async function runAll(weir, relay, key, scenarios) {
  // One that hides a part of the browser waits for the others.
  const others = scenarios.filter((scenario) => !scenario.curve);
  const started = new Map(others.map((one) => [one, run(weir, relay, key, one)]));
  await Promise.all(started.values());
  return Promise.all(scenarios.map((one) => started.get(one) ?? run(weir, relay, key, one)));
}

async function run(weir, relay, key, scenario) {
  const outcome = { name: scenario.name, text: "", states: [], gaps: 0, code: null };
  const url = `${relay}/${scenario.way ?? "as-is"}`;
  const request = { model: scenario.model, messages: [{ role: "user", content: "Hello" }] };
  const options = {
    url, key, request, seal: scenario.seal, silence: 20_000,
    onState: (state) => outcome.states.push(state),
  };
  if (scenario.resume) Object.assign(options, { resume: scenario.resume, request: undefined });
  try {
    if (scenario.curve === "p-256") hideX25519();
    if (scenario.token) Object.assign(options, await token(weir, url, key, request, scenario.seal));
    if (scenario.asksTwice) await read(new weir.WeirStream(options), { text: "" });
    const stream = new weir.WeirStream(options);
    await read(stream, outcome, scenario.goesOnElsewhere);
    outcome.sealing = stream.sealing;
    outcome.reconnects = stream.reconnects;
    if (scenario.goesOnElsewhere) {
      const ticket = JSON.parse(JSON.stringify(stream.ticket()));
      await read(new weir.WeirStream({ url, key, resume: ticket }), outcome);
    }
  } catch (error) {
    outcome.code = error.code ?? error.name;
    outcome.message = error.message;
  }
  return outcome;
}

async function read(stream, outcome, untilEvent = Infinity) {
  for await (const { type, sequence, data } of stream) {
    if (type === "chunk") outcome.text += data.text ?? "";
    if (type === "gap") outcome.gaps += data.lost;
    if (type === "complete") outcome.finish = data.finish;
    if (sequence >= untilEvent) return;
  }
}

/** A token for an offer that was made before. */
async function token(weir, url, key, request, seal) {
  const offer = await weir.makeOffer(seal);
  const answer = await fetch(`${url}/api/stream/token`, {
    method: "POST",
    headers: { Authorization: `Bearer ${key}`, "Content-Type": "application/json" },
    body: JSON.stringify({ ...request, seal: offer.offer }),
  });
  const { token } = await answer.json();
  return { token, offer, seal: undefined, key: undefined, request: undefined };
}

let original = null;

function hideX25519() {
  original ??= crypto.subtle.generateKey;
  crypto.subtle.generateKey = (algorithm, ...rest) =>
    algorithm.name === "X25519"
      ? Promise.reject(new DOMException("unknown", "NotSupportedError"))
      : original.call(crypto.subtle, algorithm, ...rest);
}
