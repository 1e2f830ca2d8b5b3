// What the page is set to: read from the controls' table, kept in the address's fragment, written as a command.
import { formatFlops, formatNumber, parseNumber } from "./format.mjs";

/**
 * @typedef {{law: number, weights: string, train: number, mode: "tokens" | "gpu" | "life", serve: number, total: number, served: number, gpu: string, precision: string, prompt: number,
 *   answer: number, batch: string, price: number, query: number, queries: number, strategy: string, tpr: number, fpr: number,
 *   auc: number, sizes: string, maxTokens: number, integerK: boolean}} State
 */

/** The settings that differ from the page's own, as a fragment. @param {State} state @param {State} start */
export function toFragment(state, start) {
  const changed = Object.entries(state).filter(([key, value]) => value !== start[/** @type {keyof State} */ (key)]);
  return new URLSearchParams(changed.map(([key, value]) => [key, `${value}`])).toString();
}

/** The settings that a fragment names, over the page's own; what cannot be read is left. @param {string} fragment @param {State} start @returns {State} */
export function fromFragment(fragment, start) {
  const state = /** @type {any} */ ({ ...start });
  for (const [key, text] of new URLSearchParams(fragment.replace(/^#/, ""))) {
    if (!(key in start)) continue;
    const kind = typeof start[/** @type {keyof State} */ (key)];
    const value = kind === "number" ? Number(text) : kind === "boolean" ? text === "true" : text.slice(0, 200);
    if (kind !== "number" || (Number.isFinite(value) && /** @type {number} */ (value) >= 0)) state[key] = value;
  }
  return state;
}

/** Sizes written as `100M, 1B`; empty where there is none to read. @param {string} text */
export function readSizes(text) {
  const sizes = text.split(/[;\s]+|,(?=\s)|,(?!\d{3}\b)/).filter(Boolean).map(parseNumber);
  return sizes.every((size) => size > 0) ? sizes : [];
}

/** Weights written as `2, 1`; equal ones where there are none to read. @param {string} text @param {number} count */
export function readWeights(text, count) {
  const found = text.split(/[;,\s]+/).filter(Boolean).map(Number);
  return found.length === count && found.every((w) => w > 0 && Number.isFinite(w)) ? found : Array(count).fill(1);
}

/** The same plan as a command. @param {State} state @param {string[]} files more than one for a mix of tasks */
export function toCommand(state, files) {
  const words = ["t2 plan", ...files.map((file) => (/[^\w./-]/.test(file) ? `'${file.replaceAll("'", "'\\''")}'` : file))];
  if (files.length > 1) words.push(`--weights ${readWeights(state.weights, files.length).join(",")}`);
  if (state.mode === "life") words.push(`--total-flops ${exact(state.total)} --tokens-served ${exact(state.served)}`);
  else words.push(`--train-flops ${exact(state.train)}`);
  if (state.mode === "tokens") words.push(`--inference-flops ${exact(state.serve)}`);
  if (state.mode === "gpu") {
    words.push(`--gpu ${state.gpu} --precision ${state.precision} --prompt-tokens ${state.prompt} --answer-tokens ${state.answer}`);
    words.push(`--batch ${state.batch} --query-dollars ${exact(state.query)}`);
    if (state.price > 0) words.push(`--price ${exact(state.price)}`);
  }
  const strategy = strategyOf(state);
  if (strategy.name !== "oracle") words.push(`--strategy ${strategyText(strategy)}`);
  if (readSizes(state.sizes).length) words.push(`--sizes ${readSizes(state.sizes).map(exact).join(",")}`);
  if (state.maxTokens > 0) words.push(`--max-tokens ${exact(state.maxTokens)}`);
  if (state.integerK) words.push("--integer-k");
  return words.join(" ");
}

/** Shortest text of the same number. @param {number} value */
function exact(value) {
  const short = formatFlops(value);
  return Number(short) === value ? short : `${value}`;
}

/** @param {State} state @returns {import("./strategies.mjs").Strategy} */
export function strategyOf(state) {
  if (state.strategy === "verifier") return { name: "verifier", tpr: state.tpr, fpr: Math.min(state.fpr, state.tpr) };
  if (state.strategy === "ranked") return { name: "verifier", auc: state.auc };
  return { name: state.strategy };
}

/** @param {import("./strategies.mjs").Strategy} s */
function strategyText(s) {
  return s.name !== "verifier" ? s.name : s.auc !== undefined ? `verifier:auc=${s.auc}` : `verifier:tpr=${s.tpr},fpr=${s.fpr}`;
}

/** Numbers of a control for people. @param {string} key @param {number} value */
export function shown(key, value) {
  return key === "train" || key === "serve" || key === "total" ? formatFlops(value) : formatNumber(value, 4);
}
