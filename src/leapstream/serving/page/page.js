// The page of leapstream's server. It builds everything with textContent: names of models and columns may hold anything.
"use strict";

const PAUSE = 2000; // milliseconds between two looks at the statistics
const KEPT = 61; // looks that are kept: two minutes
const MOST_FIELDS = 60; // a record of more columns is edited as JSON
const state = { token: null, models: new Map(), looks: [], chosen: null };

const $ = (id) => document.getElementById(id);

/** A request to the server, relative to this page; an error has the server's message, and `details`. */
async function ask(path, options = {}) {
  const headers = { ...options.headers };
  if (state.token !== null) headers.Authorization = `Bearer ${state.token}`;
  const answer = await fetch(new URL(path, document.baseURI), { ...options, headers, cache: "no-store", credentials: "omit" });
  const text = await answer.text();
  if (answer.ok) return text;
  const error = new Error(`The server answered with status ${answer.status}.`);
  try {
    error.details = JSON.parse(text).error;
    error.message = error.details.message;
  } catch { /* the answer of a proxy */ }
  error.status = answer.status;
  throw error;
}

/** JSON with whole numbers that JavaScript cannot hold as their digits. */
function parsed(text) {
  return JSON.parse(text, (key, value, context) =>
    typeof value === "number" && Number.isInteger(value) && !Number.isSafeInteger(value) && context?.source
      ? context.source : value);
}

function element(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null || value === false) continue;
    if (name === "class") made.className = value;
    else if (name in made && typeof value !== "string") made[name] = value;
    else made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
}

function svg(tag, attributes = {}, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

// ---- models and their numbers -------------------------------------------------------------------------------------------

async function look() {
  try {
    const [listed, counted] = await Promise.all([ask("v1/models"), ask("v1/statistics")]);
    state.looks.push({ at: performance.now(), ...JSON.parse(counted) });
    if (state.looks.length > KEPT) state.looks.shift();
    const models = JSON.parse(listed).models;
    state.models = new Map(models.map((model) => [model.name, model]));
    $("token").hidden = true;
    $("models").hidden = false;
    say(`Connected, ${models.length} ${models.length === 1 ? "model" : "models"}`, "good");
    showList();
    choose();
  } catch (error) {
    if (error.status === 401) {
      askForToken();
      return;
    }
    say(error.status === undefined ? "The server does not answer" : error.message, "bad");
  }
  later();
}

let timer = null;
function later() {
  clearTimeout(timer);
  if (!document.hidden) timer = setTimeout(look, PAUSE);
}

/** Tell the state of the server; a screen reader hears it when it changes. */
function say(text, kind) {
  const shown = $("state");
  if (shown.textContent !== text) shown.textContent = text;
  shown.className = kind;
}

function askForToken() {
  const wrong = state.token !== null;
  state.token = null;
  say("The server asks for a token", "bad");
  $("models").hidden = $("detail").hidden = true;
  $("token").hidden = false;
  $("token-error").textContent = wrong ? "The server does not accept this token." : "";
  $("token-value").setAttribute("aria-invalid", String(wrong));
  $("token-value").focus();
}

function numbersOf(look, name) {
  return look?.models[name] ?? { requests: 0, rows: 0, seconds: 0, failures: {}, counts: look.bounds.map(() => 0).concat(0) };
}

/** The newest look, and the one of so many seconds before. */
function span(seconds) {
  const newest = state.looks.at(-1);
  const before = state.looks.findLast((look) => newest.at - look.at >= seconds * 1000 - PAUSE / 2) ?? state.looks[0];
  return [before, newest];
}

function rate(name) {
  const [before, newest] = span(10);
  const seconds = (newest.at - before.at) / 1000;
  return seconds > 0 ? Math.max(0, numbersOf(newest, name).requests - numbersOf(before, name).requests) / seconds : 0;
}

/** The seconds that a share of the requests of the last minute took at most, as far as the histogram tells. */
function quantile(name, share) {
  const [before, newest] = span(60);
  const old = numbersOf(before, name).counts;
  const counts = numbersOf(newest, name).counts.map((count, i) => Math.max(0, count - old[i]));
  let rest = share * counts.reduce((a, b) => a + b, 0);
  if (rest === 0) return null;
  for (const [i, count] of counts.entries()) {
    if (rest <= count) {
      const from = i === 0 ? 0 : newest.bounds[i - 1];
      const to = newest.bounds[i] ?? from;
      return from + (to - from) * (count ? rest / count : 0);
    }
    rest -= count;
  }
  return newest.bounds.at(-1);
}

const few = new Intl.NumberFormat("en", { maximumSignificantDigits: 3 });
const whole = new Intl.NumberFormat("en");

function duration(seconds) {
  if (seconds === null) return "–";
  if (seconds < 0.001) return `${few.format(seconds * 1e6)} µs`;
  return seconds < 1 ? `${few.format(seconds * 1e3)} ms` : `${few.format(seconds)} s`;
}

const failedOf = (numbers) => Object.values(numbers.failures).reduce((a, b) => a + b, 0);

function spark(name) {
  const rates = state.looks.slice(1).map((look, i) => {
    const before = state.looks[i];
    return Math.max(0, numbersOf(look, name).requests - numbersOf(before, name).requests) / ((look.at - before.at) / 1000);
  });
  const most = Math.max(...rates, 1e-9);
  const x = (i) => (120 - 2 * (rates.length - 1 - i)).toFixed(1);
  const points = rates.map((r, i) => `${x(i)} ${(25 - 22 * (r / most)).toFixed(1)}`).join(" L");
  const drawn = svg("svg", { class: "spark", viewBox: "0 0 120 26", role: "img", "aria-label": `At most ${few.format(Math.max(...rates, 0))} requests a second` });
  if (rates.length > 1) {
    drawn.append(svg("path", { class: "area", d: `M${x(0)} 25 L${points} L120 25 Z` }), svg("path", { d: `M${points}` }));
  }
  return drawn;
}

function showList() {
  const rows = [...state.models.values()].map((model) => {
    const numbers = numbersOf(state.looks.at(-1), model.name);
    const cells = [
      few.format(rate(model.name)), spark(model.name), duration(quantile(model.name, 0.5)), duration(quantile(model.name, 0.99)),
      whole.format(numbers.requests), whole.format(numbers.rows), whole.format(failedOf(numbers)),
    ];
    return { model, cells };
  });
  const names = rows.map(({ model }) => model.name).join("\n");
  const list = $("list");
  // A table that is made again would lose the focus; its numbers are written into the cells that are there.
  if (list.dataset.names !== names) {
    list.dataset.names = names;
    list.replaceChildren(...rows.map(({ model, cells }) => element("tr", {},
      element("th", { scope: "row" }, element("a", { href: `#${encodeURIComponent(model.name)}` }, model.name)),
      element("td", { class: "version" }),
      ...cells.map((cell) => element("td", { class: cell instanceof Node ? "" : "number" })))));
  }
  rows.forEach(({ model, cells }, i) => {
    const [, version, ...others] = list.rows[i].cells;
    version.textContent = versionsOf(model);
    others.forEach((cell, j) => cell.replaceChildren(cells[j]));
  });
  $("none").hidden = rows.length > 0;
}

// ---- one model ----------------------------------------------------------------------------------------------------------

/** Show the model that the address names, or the first one; again when its version changes. */
function choose() {
  let wanted = null;
  try { wanted = decodeURIComponent(location.hash.slice(1)); } catch { /* an address that somebody wrote */ }
  const model = state.models.get(wanted) ?? state.models.values().next().value;
  for (const row of $("list").rows) {
    const link = row.querySelector("a");
    const isChosen = model !== undefined && link.textContent === model.name;
    row.className = isChosen ? "chosen" : "";
    if (isChosen) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
  }
  if (model === undefined) {
    $("detail").hidden = true;
    state.chosen = null;
    return;
  }
  showFailures(model);
  showVersions(model);
  showDrift(model);
  const key = `${model.name}\n${versionsOf(model)}`;
  if (state.chosen !== key) {
    state.chosen = key;
    show(model, key);
  }
  $("detail").hidden = false;
}

async function show(model, key) {
  $("name").textContent = model.name;
  $("facts").textContent = `${model.split ? "versions" : "version"} ${versionsOf(model)}, loaded ${new Date(model.loaded).toLocaleString()}`;
  document.title = `${model.name} – leapstream`;
  for (const side of ["inputs", "outputs"]) {
    $(side).replaceChildren(...Object.entries(model[side]).map(([name, type]) =>
      element("tr", {}, element("th", { scope: "row" }, name), element("td", { class: "type" }, type))));
  }
  $("answer").replaceChildren(element("p", { class: "muted" }, "Score a record to see its answer."));
  complain(null);
  // Until the schema is there, the form is that of no model.
  $("fields").replaceChildren();
  const button = $("form").querySelector("button");
  button.disabled = true;
  const path = `v1/models/${encodeURIComponent(model.name)}`;
  try {
    const [schema, pipeline] = (await Promise.all([ask(`${path}/schema`), ask(`${path}/pipeline`)])).map((t) => JSON.parse(t));
    if (state.chosen !== key) return;
    showForm(model, schema);
    button.disabled = false;
    showPipeline(model, pipeline.nodes);
  } catch (error) {
    if (state.chosen === key) state.chosen = null; // the next look tries again
    $("form-error").textContent = error.message;
  }
}

/** The version of a model, or those that are live together: "7 (90 %), 8 (10 %), 9 (shadow)". */
function versionsOf(model) {
  return model.split === undefined ? model.version : sharesOf(model).map(([version, share]) => `${version} (${share})`).join(", ");
}

function sharesOf(model) {
  const weights = Object.entries(model.split.versions);
  const total = weights.reduce((sum, [, weight]) => sum + weight, 0);
  return [...weights.map(([version, weight]) => [version, `${few.format(100 * weight / total)} %`]),
    ...model.split.shadow.map((version) => [version, "shadow"])];
}

/** The numbers of the versions that are live together. */
function showVersions(model) {
  $("split").hidden = model.split === undefined;
  if (model.split === undefined) return;
  const counted = numbersOf(state.looks.at(-1), model.name).versions ?? {};
  $("versions").replaceChildren(...sharesOf(model).map(([version, share]) => {
    const numbers = { requests: 0, rows: 0, failed: 0, seconds: 0, shadow: undefined, ...counted[version] };
    const { shadow } = numbers;
    const cells = share === "shadow"
      ? ["–", whole.format(shadow?.rows ?? 0), whole.format(shadow?.failures ?? 0),
        duration(shadow?.rows ? shadow.seconds / shadow.rows : null), whole.format(shadow?.differing_rows ?? 0)]
      : [whole.format(numbers.requests), whole.format(numbers.rows), whole.format(numbers.failed),
        duration(numbers.requests ? numbers.seconds / numbers.requests : null), "–"];
    return element("tr", {}, element("th", { scope: "row" }, version),
      ...[share, ...cells].map((cell) => element("td", { class: "number" }, cell)));
  }));
}

const DRIFT_PAUSE = 10000; // milliseconds between two looks at the drift

/** The drift of a model's columns, those that have drifted most first. */
async function showDrift(model) {
  if (!model.profile) {
    $("drift").hidden = true;
    return;
  }
  const now = performance.now();
  if (state.drift?.name === model.name && now - state.drift.at < DRIFT_PAUSE) return;
  state.drift = { name: model.name, at: now };
  let versions;
  try {
    ({ versions } = JSON.parse(await ask(`v1/models/${encodeURIComponent(model.name)}/drift`)));
  } catch {
    return; // the next look tries again
  }
  if (state.drift.name !== model.name) return;
  // With several versions, that of the most rows.
  const windows = versions.map(({ version, current, last }) => ({ version, window: last ?? current })).filter(({ window }) => window);
  const chosen = windows.sort((a, b) => b.window.rows - a.window.rows)[0];
  $("drift").hidden = chosen === undefined;
  if (chosen === undefined) return;
  const { version, window } = chosen;
  $("drift-facts").textContent = `Version ${version}, ${whole.format(window.rows)} rows from ${new Date(window.start).toLocaleString()} to ${new Date(window.end).toLocaleString()}`;
  const percent = (share) => `${few.format(100 * share)} %`;
  $("drifts").replaceChildren(...window.columns.sort((a, b) => (b.psi ?? -1) - (a.psi ?? -1)).map((column) =>
    element("tr", {}, element("th", { scope: "row" }, column.name), element("td", {}, column.side),
      element("td", { class: "number" }, column.psi === null ? "–" : few.format(column.psi)),
      element("td", { class: "number" }, percent(column.missing_rate)),
      element("td", { class: "number" }, percent(column.missing_rate_in_training)))));
}

function showFailures(model) {
  const failures = Object.entries(numbersOf(state.looks.at(-1), model.name).failures);
  $("failures").hidden = failures.length === 0;
  $("kinds").replaceChildren(...failures.map(([kind, count]) =>
    element("tr", {}, element("th", { scope: "row" }, kind), element("td", { class: "number" }, whole.format(count)))));
}

// ---- the form -----------------------------------------------------------------------------------------------------------

const typesOf = (schema) => [schema.type].flat();

function showForm(model, schema) {
  const columns = Object.entries(schema.properties);
  const example = schema.examples?.[0];
  const long = columns.length > MOST_FIELDS;
  $("fields").replaceChildren(...(long ? [] : columns.map(([name, of], i) => fieldFor(name, of, model.inputs[name], i, example?.[name]))));
  $("as-json").checked = long;
  $("as-json").disabled = long;
  $("json").value = example === undefined ? "{}" : JSON.stringify(example, null, 1);
  $("json").removeAttribute("aria-invalid");
  showMode();
}

/** A labelled control for a column; `read` gives the JSON of its value, or throws. */
function fieldFor(name, schema, type, number, example) {
  const types = typesOf(schema);
  const nullable = types.includes("null");
  const id = `field-${number}`;
  const shared = { id, name: id, "aria-describedby": `${id}-hint` };
  let control;
  let read;
  if (types.includes("boolean")) {
    control = element("select", shared, element("option", { value: "true" }, "true"), element("option", { value: "false" }, "false"));
    read = () => control.value;
  } else if (types.includes("integer") || types.includes("number")) {
    const isWhole = types.includes("integer");
    control = element("input", { ...shared, type: "text", inputmode: isWhole ? "numeric" : "decimal", autocomplete: "off", value: String(example ?? "") });
    read = () => numberOf(control.value.trim(), isWhole);
  } else if (types.includes("string")) {
    control = element("input", { ...shared, type: "text", autocomplete: "off", spellcheck: "false", value: example ?? "" });
    read = () => JSON.stringify(control.value);
  } else {
    control = element("textarea", { ...shared, rows: "2", spellcheck: "false" });
    control.value = JSON.stringify(example ?? (types.includes("object") ? {} : []));
    read = () => jsonOf(control.value);
  }
  const below = element("span", { class: "hint" }, element("span", { id: `${id}-hint` }, type));
  const field = element("div", { class: control.tagName === "TEXTAREA" ? "field wide" : "field" }, element("label", { for: id }, name), control, below);
  let missing = null;
  if (nullable) {
    missing = element("input", { type: "checkbox" });
    missing.addEventListener("change", () => { control.disabled = missing.checked; });
    below.append(element("label", { class: "check" }, missing, element("span", { class: "hidden" }, `${name} is `), "missing"));
  }
  field.column = { name, control, read: () => (missing?.checked ? "null" : read()) };
  return field;
}

function numberOf(text, isWhole) {
  if (isWhole && /^[+-]?\d+$/.test(text)) return BigInt(text.replace(/^\+/, "")).toString();
  if (!isWhole && text !== "" && Number.isFinite(Number(text))) {
    return /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/.test(text) ? text : String(Number(text));
  }
  throw new Error(text === "" ? "a number is missing" : `“${text}” is not a ${isWhole ? "whole number" : "number"}`);
}

function jsonOf(text) {
  try {
    JSON.parse(text);
  } catch (error) {
    throw new Error(`this is not JSON: ${error.message}`);
  }
  return text.trim();
}

/** The JSON of the record, as the form has it, with white space between columns; an error tells the control. */
function record(space = "") {
  if ($("as-json").checked) {
    try {
      return jsonOf($("json").value);
    } catch (error) {
      error.control = $("json");
      throw error;
    }
  }
  const parts = [...$("fields").children].map(({ column }) => {
    try {
      return `${JSON.stringify(column.name)}: ${column.read()}`;
    } catch (error) {
      error.message = `${column.name}: ${error.message}.`;
      error.control = column.control;
      throw error;
    }
  });
  return `{${space}${parts.join(`,${space || " "}`)}${space}}`;
}

function showMode() {
  $("fields").hidden = $("as-json").checked;
  $("json-field").hidden = !$("as-json").checked;
  showCode();
}

$("as-json").addEventListener("change", () => {
  if ($("as-json").checked) {
    $("as-json").checked = false;
    try {
      $("json").value = record("\n");
    } catch { /* the text of before stays */ }
    $("as-json").checked = true;
  }
  complain(null);
  showMode();
});

$("form").addEventListener("input", () => { complain(null); showCode(); });

/** Show an error at the form, and at the control that has it. */
function complain(error) {
  for (const control of $("form").querySelectorAll("[aria-invalid]")) {
    control.removeAttribute("aria-invalid");
    const hint = `${control.id}-hint`;
    control.setAttribute("aria-describedby", $(hint) ? hint : "form-error");
  }
  $("form-error").textContent = error === null ? "" : error.message;
  const control = error?.control;
  if (!control) return;
  control.setAttribute("aria-invalid", "true");
  control.setAttribute("aria-describedby", "form-error");
  control.focus();
}

$("form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const key = state.chosen;
  const button = event.submitter ?? $("form").querySelector("button");
  let body;
  try {
    body = record();
  } catch (error) {
    complain(error);
    return;
  }
  complain(null);
  button.disabled = true;
  const started = performance.now();
  try {
    const text = await ask(predictPath(), { method: "POST", body, headers: { "Content-Type": "application/json" } });
    if (state.chosen === key) showAnswer(text, performance.now() - started);
  } catch (error) {
    if (error.status === 401) askForToken();
    if (error.status === undefined) error.message = "The server does not answer.";
    const failed = [...$("fields").children].find(({ column }) => column.name === error.details?.column);
    error.control = $("as-json").checked ? undefined : failed?.column.control;
    $("answer").replaceChildren(element("p", { class: "muted" }, "The record failed."));
    complain(error);
  } finally {
    button.disabled = false;
  }
});

function showAnswer(text, took) {
  const answer = parsed(text);
  const parts = answer === null
    ? [element("p", {}, "The model drops this record.")]
    : [element("table", {}, element("thead", { class: "hidden" }, element("tr", {}, element("th", { scope: "col" }, "Column"), element("th", { scope: "col" }, "Value"))),
      element("tbody", {}, ...Object.entries(answer).map(([name, value]) =>
        element("tr", {}, element("th", { scope: "row" }, name), element("td", { class: "value" }, shown(value))))))];
  $("answer").replaceChildren(...parts, element("p", { class: "took" }, `${few.format(took)} ms, with the way to the server and back`));
}

function shown(value) {
  const text = typeof value === "string" ? value : JSON.stringify(value)?.replaceAll(",", ", ");
  return text.length > 2000 ? `${text.slice(0, 2000)}…` : text;
}

// ---- the request as code ------------------------------------------------------------------------------------------------

const predictPath = () => `v1/models/${encodeURIComponent(state.chosen.split("\n")[0])}:predict`;

function showCode() {
  let body;
  try { body = record(); } catch { return; }
  // A long record has a line for each column.
  if (body.length > 56 && !$("as-json").checked) body = record("\n  ").replace(/\n {2}\}$/, "\n}");
  const url = new URL(predictPath(), document.baseURI).href;
  const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;
  const secret = state.token === null ? [] : ['-H "Authorization: Bearer $LEAPSTREAM_TOKEN"'];
  $("curl").textContent = [`curl ${quoted(url)}`, "-H 'Content-Type: application/json'", ...secret, `-d ${quoted(body)}`].join(" \\\n  ");
  const headers = ['"Content-Type": "application/json"'];
  if (state.token !== null) headers.push('"Authorization": "Bearer " + os.environ["LEAPSTREAM_TOKEN"]');
  $("python").textContent = [
    "import json",
    ...(state.token === null ? [] : ["import os"]),
    "from urllib.request import Request, urlopen",
    "",
    `record = ${asPython(body)}`,
    `url = ${JSON.stringify(url)}`,
    `headers = {${headers.join(", ")}}`,
    "request = Request(url, json.dumps(record).encode(), headers)",
    "print(json.load(urlopen(request)))",
  ].join("\n");
}

const WORDS = { true: "True", false: "False", null: "None" };

/** The JSON of a record as a Python literal. */
function asPython(json) {
  return json.replaceAll(/"(?:[^"\\]|\\.)*"|true|false|null/g, (part) => WORDS[part] ?? JSON.stringify(JSON.parse(part)));
}

for (const button of document.querySelectorAll("[data-copy]")) {
  button.addEventListener("click", async () => {
    const code = $(button.dataset.copy);
    try {
      await navigator.clipboard.writeText(code.textContent);
      $("copied").textContent = "Copied.";
    } catch {
      // Without TLS there is no clipboard: the reader copies the selection.
      getSelection().selectAllChildren(code);
      $("copied").textContent = "Selected; copy it with the keyboard.";
    }
    setTimeout(() => { $("copied").textContent = ""; }, 3000);
  });
}

// ---- the pipeline -------------------------------------------------------------------------------------------------------

const MOST_STEPS = 150; // more make a picture that nobody reads
const BOX = { width: 168, gap: 40, between: 14 };

function showPipeline(model, nodes) {
  $("steps").replaceChildren(...nodes.map((node) => element("tr", {}, element("th", { scope: "row" }, node.name),
    element("td", { class: "type" }, node.op), element("td", {}, node.inputs.join(", ")), element("td", {}, node.outputs.join(", ")))));
  $("diagram").replaceChildren(nodes.length > MOST_STEPS
    ? element("p", { class: "muted" }, `${nodes.length} steps are too many for a picture.`)
    : drawn(layout(model, nodes), nodes.length));
}

/** Boxes in layers from inputs to outputs; inputs that the same steps read are one box. */
function layout(model, nodes) {
  const boxes = [];
  const add = (kind, lines, title, layer) => {
    const box = { kind, lines, title, layer, height: lines.length > 1 ? 46 : 30, next: [], before: [] };
    boxes.push(box);
    return box;
  };
  const link = (from, to) => {
    if (from.next.includes(to)) return;
    from.next.push(to);
    to.before.push(from);
  };
  const steps = nodes.map((node) => add("step", [node.op, node.name], `${node.name} (${node.op}): ${node.inputs.join(", ")} → ${node.outputs.join(", ")}`, 1));
  const writer = new Map(nodes.flatMap((node, i) => node.outputs.map((column) => [column, steps[i]])));
  const groups = new Map();
  for (const column of Object.keys(model.inputs)) {
    const readers = nodes.flatMap((node, i) => (node.inputs.includes(column) ? [i] : []));
    const key = readers.join();
    groups.set(key, { readers, columns: [...(groups.get(key)?.columns ?? []), column] });
  }
  for (const { readers, columns } of groups.values()) {
    const lines = columns.length > 3 ? [`${columns.length} columns`, columns.join(", ")] : columns.length > 1 ? [columns.join(", ")] : columns;
    const box = add("column", lines, columns.join(", "), 0);
    readers.forEach((i) => link(box, steps[i]));
  }
  nodes.forEach((node, i) => node.inputs.forEach((column) => writer.has(column) && link(writer.get(column), steps[i])));
  // Nodes come in the order in which they run, so that one pass finds the longest ways.
  for (const step of steps) step.layer = Math.max(1, ...step.before.map((box) => box.layer + 1));
  for (const column of Object.keys(model.outputs)) {
    if (!writer.has(column)) continue;
    const from = writer.get(column);
    link(from, add("column", [column], column, from.layer + 1));
  }
  const last = Math.max(...boxes.map((box) => box.layer));
  for (const box of boxes) {
    if (box.kind === "column" && box.layer > 0) box.layer = last;
    if (box.layer === 0 && box.next.length) box.layer = Math.max(0, Math.min(...box.next.map((next) => next.layer)) - 1);
  }
  return placed(boxes, last);
}

/** Give each box its place. An edge over several layers has a point in each, around which boxes are laid. */
function placed(boxes, last) {
  const layers = Array.from({ length: last + 1 }, () => []);
  for (const box of boxes) layers[box.layer].push(box);
  const edges = [];
  for (const from of boxes) {
    for (const to of from.next) {
      const way = [from];
      for (let layer = from.layer + 1; layer < to.layer; layer += 1) {
        const point = { kind: "point", layer, height: 4, next: [], before: [] };
        layers[layer].push(point);
        way.push(point);
      }
      way.push(to);
      edges.push(way);
    }
  }
  const neighbours = new Map([...boxes, ...edges.flat()].map((box) => [box, { left: [], right: [] }]));
  for (const way of edges) {
    way.slice(1).forEach((to, i) => {
      neighbours.get(way[i]).right.push(to);
      neighbours.get(to).left.push(way[i]);
    });
  }
  const stack = (layer) => {
    let y = 0;
    for (const box of layer) {
      box.y = y;
      y += box.height + BOX.between;
    }
    return y - BOX.between;
  };
  const middle = (box) => box.y + box.height / 2;
  layers.forEach(stack);
  const sort = (layer, side) => {
    const weight = new Map(layer.map((box) => {
      const others = neighbours.get(box)[side];
      return [box, others.length ? others.reduce((sum, other) => sum + middle(other), 0) / others.length : middle(box)];
    }));
    layer.sort((a, b) => weight.get(a) - weight.get(b));
    stack(layer);
  };
  for (let sweep = 0; sweep < 4; sweep += 1) {
    layers.slice(1).forEach((layer) => sort(layer, "left"));
    layers.slice(0, -1).reverse().forEach((layer) => sort(layer, "right"));
  }
  const heights = layers.map(stack);
  const height = Math.max(...heights, 0);
  layers.forEach((layer, i) => layer.forEach((box) => {
    box.x = i * (BOX.width + BOX.gap);
    box.y += (height - heights[i]) / 2;
  }));
  return { boxes, edges, width: layers.length * (BOX.width + BOX.gap) - BOX.gap, height };
}

function drawn({ boxes, edges, width, height }, count) {
  const around = 6;
  const picture = svg("svg", {
    role: "img", "aria-label": `${count} ${count === 1 ? "step" : "steps"} from the inputs to the outputs; the table below lists them.`,
    viewBox: `${-around} ${-around} ${width + 2 * around} ${height + 2 * around}`,
  });
  // It shrinks to what is there, down to a size that can be read.
  picture.style.maxWidth = `${width + 2 * around}px`;
  picture.style.minWidth = `${0.72 * width}px`;
  picture.append(svg("defs", {}, svg("marker", { id: "arrow", viewBox: "0 0 8 8", refX: 8, refY: 4, markerWidth: 7, markerHeight: 7, orient: "auto" }, svg("path", { d: "M0 0 L8 4 L0 8 Z" }))));
  const middle = (box) => box.y + box.height / 2;
  for (const way of edges) {
    let d = `M${way[0].x + BOX.width} ${middle(way[0])}`;
    way.slice(1).forEach((to, i) => {
      const from = way[i];
      const start = from.x + BOX.width;
      const half = BOX.gap / 2;
      d += ` C${start + half} ${middle(from)} ${to.x - half} ${middle(to)} ${to.x} ${middle(to)}`;
      if (to.kind === "point") d += ` L${to.x + BOX.width} ${middle(to)}`;
    });
    picture.append(svg("path", { class: "edge", d, "marker-end": "url(#arrow)" }));
  }
  for (const box of boxes) {
    const group = svg("g", { class: box.kind, transform: `translate(${box.x} ${box.y})` }, svg("title", {}, box.title),
      svg("rect", { width: BOX.width, height: box.height, rx: box.kind === "step" ? 6 : 15 }));
    box.lines.forEach((line, i) => {
      const of = i === 0 && box.kind === "step" ? "op" : i > 0 ? "small" : "";
      group.append(svg("text", { x: BOX.width / 2, y: i === 0 ? (box.lines.length > 1 ? 20 : 19) : 36, "text-anchor": "middle", class: of }, cut(line)));
    });
    picture.append(group);
  }
  return picture;
}

const cut = (text) => (text.length > 25 ? `${text.slice(0, 24)}…` : text);

// ---- begin --------------------------------------------------------------------------------------------------------------

$("token").addEventListener("submit", (event) => {
  event.preventDefault();
  state.token = $("token-value").value;
  $("token-value").value = "";
  look();
});
addEventListener("hashchange", () => { choose(); $("detail").focus(); });
document.addEventListener("visibilitychange", () => (document.hidden ? clearTimeout(timer) : $("token").hidden && look()));
$("openapi").addEventListener("click", async (event) => {
  if (state.token === null) return;
  // A link has no token.
  event.preventDefault();
  const text = await ask("openapi.json");
  open(URL.createObjectURL(new Blob([text], { type: "application/json" })));
});
look();
