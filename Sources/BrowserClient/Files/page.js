/**
 * Streams one answer into the page that `/` serves. What a provider sent is only ever set as text.
 */
import { WeirStream } from "/weir.js";

const element = (name) => document.getElementById(name);
const fields = Object.fromEntries(
  ["key", "model", "seal", "keyId", "sharedKey", "passwordText", "prompt"].map((name) => [
    name,
    element(name),
  ]),
);
let stream = null;

/** The models that the key may ask for. */
async function listModels() {
  const key = fields.key.value.trim();
  const headers = key ? { Authorization: `Bearer ${key}` } : {};
  const answer = await fetch("/v1/models", { headers, cache: "no-store" });
  if (fields.key.value.trim() !== key) return; // another one was typed meanwhile
  const names = answer.ok ? (await answer.json()).data.map((model) => model.id) : [];
  const hint = answer.status === 401 ? "enter a valid key first" : "there is no model";
  const chosen = fields.model.value;
  fields.model.replaceChildren(
    ...(names.length ? names : [hint]).map((name) => new Option(name, names.length ? name : "")),
  );
  if (names.includes(chosen)) fields.model.value = chosen;
  fields.model.disabled = names.length === 0;
}

function showModels() {
  listModels().catch(() => complain("The gateway cannot be reached."));
}

function sealing() {
  switch (fields.seal.value) {
    case "hybrid": return { mode: "hybrid" };
    case "shared":
      return { mode: "shared", keyId: fields.keyId.value, key: fields.sharedKey.value.trim() };
    case "password": return { mode: "password", password: fields.passwordText.value };
    default: return undefined;
  }
}

function complain(message) {
  element("problem").textContent = message;
  element("problem").hidden = message === "";
}

function showState(state) {
  element("state").textContent = state;
  element("state").dataset.state = state;
  const isRunning = ["connecting", "open", "reconnecting"].includes(state);
  element("answer").setAttribute("aria-busy", String(isRunning));
  element("ask").disabled = isRunning;
  element("stop").disabled = !isRunning;
  element("cut").disabled = state !== "open";
}

function showFigures(figures) {
  const rows = Object.entries(figures).filter(([, value]) => value !== null && value !== undefined);
  element("figures").replaceChildren(
    ...rows.map(([name, value]) => {
      const [row, term, detail] = ["div", "dt", "dd"].map((tag) => document.createElement(tag));
      term.textContent = name;
      detail.textContent = String(value);
      row.append(term, detail);
      return row;
    }),
  );
}

/** The pieces of tool calls, joined by their index. */
class ToolCalls {
  #calls = [];

  add({ index, name, arguments: piece }) {
    const call = (this.#calls[index] ??= { name: "", text: "" });
    call.name += name ?? "";
    call.text += piece ?? "";
    const items = this.#calls.filter(Boolean).map(({ name, text }) => {
      const item = document.createElement("li");
      item.textContent = `${name}(${text})`;
      return item;
    });
    element("tools").replaceChildren(...items);
    element("tools").hidden = false;
  }
}

async function ask() {
  complain("");
  for (const name of ["answer", "reasoning"]) element(name).textContent = "";
  for (const name of ["thoughts", "tools"]) element(name).hidden = true;
  const tools = new ToolCalls();
  const startedAt = performance.now();
  const seconds = () => `${((performance.now() - startedAt) / 1_000).toFixed(2)} s`;
  const figures = { Stream: null, Sealing: null, "First text": null, Events: 0, Characters: 0 };
  stream = new WeirStream({
    key: fields.key.value.trim(),
    request: {
      model: fields.model.value,
      purpose: "page",
      messages: [{ role: "user", content: fields.prompt.value }],
    },
    seal: sealing(),
    onState: (state, { reconnects }) => {
      showState(state);
      if (reconnects) figures.Reconnects = reconnects;
      showFigures(figures);
    },
  });
  for await (const { type, sequence, data } of stream) {
    figures.Events = sequence;
    if (type === "start") {
      Object.assign(figures, { Stream: data.stream, Sealing: stream.sealing ?? "none" });
    } else if (type === "chunk") {
      if (data.text) {
        figures["First text"] ??= seconds();
        element("answer").append(data.text);
        figures.Characters += data.text.length;
      }
      if (data.reasoning) {
        element("thoughts").hidden = false;
        element("reasoning").append(data.reasoning);
      }
      if (data.tool) tools.add(data.tool);
    } else if (type === "gap") {
      complain(`${data.lost} events were lost.`);
    } else {
      Object.assign(figures, {
        Finish: data.finish, Provider: data.provider, Duration: seconds(),
        "Input tokens": data.usage.input, "Output tokens": data.usage.output,
      });
    }
    showFigures(figures);
  }
}

element("question").addEventListener("submit", (event) => {
  event.preventDefault();
  if (!fields.model.value) return complain("Choose a model first.");
  ask().catch((error) => complain(error.code ? `${error.code}: ${error.message}` : String(error)));
});
element("stop").addEventListener("click", () => {
  stream?.cancel().catch(() => complain("The gateway could not be told."));
});
element("cut").addEventListener("click", () => stream?.reconnect());
fields.key.addEventListener("input", showModels);
fields.seal.addEventListener("change", () => {
  for (const name of ["shared", "password"]) element(name).hidden = fields.seal.value !== name;
});

// A link may carry the key behind its `#`, which no server sees; it is not left in the address.
const given = new URLSearchParams(location.hash.slice(1)).get("key");
if (given) {
  fields.key.value = given;
  history.replaceState(null, "", location.pathname);
}
showModels();
