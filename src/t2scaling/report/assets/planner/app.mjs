// The page's planner: controls, the answer, and the figures that follow them.
import { answer, beyond, distance, drawn, lawOf, measured, nearest, sentence, statusOf } from "./answer.mjs";
import { draw, saveButtons } from "./chart.mjs";
import { isoflop, overBudgets, overSamples, perSolved, plane } from "./figures.mjs";
import { formatFlops, formatNumber, formatValue, parseNumber } from "./format.mjs";
import { allocate } from "./optimum.mjs";
import { fromFragment, readWeights, shown, toCommand, toFragment } from "./state.mjs";

/** @typedef {import("./state.mjs").State} State @typedef {import("./answer.mjs").Data} Data @typedef {keyof State} Key */

const SLIDERS = /** @type {{key: Key, label: string, reach: number, modes: string[]}[]} */ ([
  { key: "train", label: "Training budget (FLOPs)", reach: 1e4, modes: ["tokens", "gpu"] },
  { key: "serve", label: "Serving budget (FLOPs per token)", reach: 1e4, modes: ["tokens"] },
  { key: "total", label: "Budget for training and serving (FLOPs)", reach: 1e4, modes: ["life"] },
  { key: "served", label: "Answer tokens served", reach: 1e4, modes: ["life", "tokens"] },
  { key: "queries", label: "Queries over the model's life", reach: 1e5, modes: ["gpu"] },
  { key: "query", label: "Serving budget (dollars per query)", reach: 1e4, modes: ["gpu"] },
  { key: "prompt", label: "Prompt tokens", reach: 100, modes: ["gpu"] },
  { key: "answer", label: "Answer tokens", reach: 100, modes: ["gpu"] },
]);

/** @param {string} id */
const byId = (id) => /** @type {HTMLElement} */ (document.getElementById(id));

export function start() {
  const root = document.getElementById("planner");
  const text = document.getElementById("planner-data")?.textContent;
  if (!root || !text) return;
  const data = /** @type {Data} */ (JSON.parse(text));
  data.laws.forEach(named);
  let state = fromFragment(location.hash, data.start);
  const laws = data.laws.length + (data.tasks.length > 1 ? 1 : 0);
  state.law = Math.min(Math.floor(state.law), laws - 1);
  if (!(state.gpu in data.gpus)) state.gpu = data.start.gpu;
  let later = 0;

  /** @param {Partial<State>} change */
  const set = (change) => {
    state = { ...state, ...change };
    history.replaceState(null, "", `#${toFragment(state, data.start)}`);
    redraw();
  };
  const redraw = () => {
    const begun = performance.now();
    reflect(state, data);
    show(state, data);
    root.dataset.milliseconds = (performance.now() - begun).toFixed(1);
    clearTimeout(later);
    later = window.setTimeout(() => showInterval(state, data), 150);
  };
  controls(state, data, set);
  redraw();
  root.hidden = false;
  window.addEventListener("hashchange", () => {
    state = fromFragment(location.hash, data.start);
    redraw();
  });
}

/** θ, G and γ out of the law's parameters, where the script looks for them. @param {any} law */
function named(law) {
  const p = law.parameters;
  law.theta = ["theta0", "theta1", "theta2", "theta3", "theta4"].map((name) => p[name]).filter((v) => v !== undefined);
  [law.G, law.gamma] = [p.G, p.gamma];
}

/** Wire every control once. @param {State} first @param {Data} data @param {(change: Partial<State>) => void} set */
function controls(first, data, set) {
  for (const { key, reach } of SLIDERS) {
    const slider = /** @type {HTMLInputElement} */ (byId(`p-${key}`));
    const box = /** @type {HTMLInputElement} */ (byId(`p-${key}-box`));
    const middle = Math.log10(/** @type {number} */ (data.start[key]));
    [slider.min, slider.max, slider.step] = [`${middle - Math.log10(reach)}`, `${middle + Math.log10(reach)}`, "0.01"];
    slider.addEventListener("input", () => set({ [key]: Number((10 ** Number(slider.value)).toPrecision(3)) }));
    box.addEventListener("change", () => {
      const value = parseNumber(box.value);
      box.setAttribute("aria-invalid", `${!(value > 0)}`);
      if (value > 0) set({ [key]: value });
    });
  }
  for (const key of /** @type {Key[]} */ (["law", "mode", "gpu", "precision", "strategy", "batch"])) {
    const select = /** @type {HTMLSelectElement} */ (byId(`p-${key}`));
    select.addEventListener("change", () => set({ [key]: key === "law" ? Number(select.value) : select.value }));
  }
  for (const key of /** @type {Key[]} */ (["tpr", "fpr", "auc", "maxTokens", "price", "sizes", "weights"])) {
    const box = /** @type {HTMLInputElement} */ (byId(`p-${key}`));
    box.addEventListener("change", () => {
      const value = key === "sizes" || key === "weights" ? box.value : box.value.trim() === "" ? 0 : parseNumber(box.value);
      const bad = typeof value === "number" && (!(value >= 0) || (["tpr", "fpr", "auc"].includes(key) && value > 1));
      box.setAttribute("aria-invalid", `${bad}`);
      if (!bad) set({ [key]: value });
    });
  }
  const whole = /** @type {HTMLInputElement} */ (byId("p-integerK"));
  whole.addEventListener("change", () => set({ integerK: whole.checked }));
  for (const button of document.querySelectorAll("[data-preset]")) {
    button.addEventListener("click", () => set(JSON.parse(/** @type {HTMLElement} */ (button).dataset.preset ?? "{}")));
  }
  byId("p-reset").addEventListener("click", () => set({ ...data.start }));
  byId("p-copy").addEventListener("click", () => navigator.clipboard?.writeText(byId("p-command").textContent ?? ""));
}

/** Write the settings into the controls. @param {State} state @param {Data} data */
function reflect(state, data) {
  const support = lawOf(state, data).support;
  for (const { key, label, modes } of SLIDERS) {
    const value = /** @type {number} */ (state[key]);
    const slider = /** @type {HTMLInputElement} */ (byId(`p-${key}`));
    slider.value = `${Math.log10(value)}`;
    slider.setAttribute("aria-valuetext", `${label}: ${shown(key, value)}`);
    /** @type {HTMLInputElement} */ (byId(`p-${key}-box`)).value = shown(key, value);
    byId(`p-${key}-row`).hidden = !modes.includes(state.mode);
  }
  const range = support.train_flops;
  byId("p-train-note").textContent = range ? `measured: ${formatFlops(range[0])} to ${formatFlops(range[1])}` : "";
  for (const key of /** @type {Key[]} */ (["law", "mode", "gpu", "precision", "strategy", "batch"])) {
    /** @type {HTMLSelectElement} */ (byId(`p-${key}`)).value = `${state[key]}`;
  }
  for (const node of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-when]"))) {
    const [key, value] = (node.dataset.when ?? "").split("=");
    node.hidden = `${state[/** @type {Key} */ (key)]}` !== value;
  }
  const law = data.laws[state.law];
  /** @type {HTMLInputElement} */ (byId("p-weights")).value = readWeights(state.weights, data.tasks.length).join(", ");
  byId("p-command").textContent = toCommand(state, law ? [law.file] : data.tasks.map((i) => data.laws[i].file));
}

/** The answer and the figures. @param {State} state @param {Data} data */
function show(state, data) {
  const a = answer(state, data);
  const law = a.law;
  const far = a.best === null ? Infinity : distance(law, a.best);
  const trusted = far <= law.trusted;
  const outside = a.best === null ? [] : beyond(law, a.best);
  const root = byId("planner");
  root.dataset.plan = JSON.stringify({ best: a.best, rival: a.rival, inside: a.inside, status: statusOf(a), sentence: sentence(a) });
  byId("p-status").textContent = statusOf(a);
  byId("p-status").dataset.status = trusted ? (outside.length ? "outside" : "inside") : "far";
  byId("p-sentence").textContent = sentence(a);
  list("p-notes", [
    ...(law.heldOut === null ? [] : [`Held out, this law was off by ${formatNumber(100 * law.heldOut, 2)}% (relative error).`]),
    ...outside.map((text) => `${text}: extrapolation.`),
    ...neighbour(a, data),
    ...(a.strategy.name === "oracle" ? [] : [bound(a)]),
    ...(state.strategy !== "oracle" && a.strategy.name === "oracle" ? ["This law knows no distribution of success: the oracle is shown."] : []),
  ]);
  const specs = a.best === null ? [] : [isoflop(a, data), plane(a, data), overSamples(a, data), overBudgets(a, state), perSolved(a, data, state)];
  byId("p-figures").replaceChildren(...specs.filter((spec) => spec !== null).map((spec, i) => figure(spec, `planner-${i + 1}`)));
}

/** What was measured near the plan. @param {import("./answer.mjs").Answer} a @param {Data} data */
function neighbour(a, data) {
  const cell = a.best && nearest(a.law, a.best);
  if (!a.best || !cell || a.strategy.name !== "oracle") return [];
  const k = a.best.metric === "loss" ? 1 : a.best.k;
  const seen = measured(cell, data.k, k);
  const says = allocate(a.law, cell.N, cell.D, k, NaN).value;
  if (!Number.isFinite(seen)) return [];
  return [`Nearest checkpoint measured: ${cell.run} (N ${formatNumber(cell.N)}, D ${formatNumber(cell.D)}) reached ${formatValue(a.best.metric, seen)} at k = ${formatNumber(k)}; the law says ${formatValue(a.best.metric, says)}.`];
}

/** The oracle beside another strategy. @param {import("./answer.mjs").Answer} a */
function bound(a) {
  return a.best === null ? "" : `An oracle would reach ${formatValue("pass_at_k", a.best.passAtK)} with the same samples: the bound.`;
}

/** The interval over the bootstrap's draws, when the hand rests. @param {State} state @param {Data} data */
function showInterval(state, data) {
  const a = answer(state, data);
  const found = a.best && a.law.draws.length ? drawn(a) : null;
  const span = (/** @type {number[]} */ [low, high], /** @type {(v: number) => string} */ write) => `${write(low)} to ${write(high)}`;
  byId("p-interval").textContent = found === null || a.best === null ? "" :
    `90 % of the bootstrap (sampling noise only): N ${span(found.N, formatNumber)}, D ${span(found.D, formatNumber)}, k ${span(found.k, formatNumber)}, ${span(found.value, (v) => formatValue(/** @type {any} */ (a.best).metric, v))}.`;
}

/** @param {string} id @param {string[]} lines */
function list(id, lines) {
  byId(id).replaceChildren(...lines.filter(Boolean).map((text) => {
    const item = document.createElement("li");
    item.textContent = text;
    return item;
  }));
}

/** A chart with its legend and its buttons. @param {import("./chart.mjs").Spec} spec @param {string} name */
function figure(spec, name) {
  const box = document.createElement("figure");
  const head = document.createElement("h3");
  head.textContent = spec.title;
  const svg = draw(spec);
  const legend = document.createElement("ul");
  legend.className = "legend";
  for (const s of spec.series.filter((s) => s.points.length)) {
    const item = document.createElement("li");
    const key = document.createElement("i");
    key.className = s.kind === "line" && s.dash ? "dashes" : s.kind;
    key.style.setProperty("--key", s.colour || "var(--muted)");
    item.append(key, ` ${s.label}`);
    legend.append(item);
  }
  const note = document.createElement("p");
  note.className = "muted";
  note.textContent = spec.note ?? "";
  box.append(head, svg, legend, ...(spec.note ? [note] : []), saveButtons(spec, svg, name));
  return box;
}
