// From the page's settings to the answer: plan, Chinchilla's, status, neighbours.
import { paperCost, servingCost } from "./costs.mjs";
import { formatNumber, formatRatio, formatSamples, formatValue } from "./format.mjs";
import { samples, success, trainingLoss, value } from "./laws.mjs";
import { LEAST_PARAMS, afforded, chinchilla, optimum, within } from "./optimum.mjs";
import { readSizes, readWeights, strategyOf } from "./state.mjs";
import { strategyValue } from "./strategies.mjs";

/**
 * @typedef {import("./state.mjs").State} State
 * @typedef {import("./optimum.mjs").Allocation} Allocation
 * @typedef {import("./laws.mjs").Law & {label: string, task: string, file: string, draws: number[][], support: Record<string, [number, number]>,
 *   trusted: number, heldOut: number | null, refused: string, cells: Cell[]}} FittedLaw
 * @typedef {{run: string, N: number, D: number, values: (number | null)[], majority?: (number | null)[]}} Cell pass@k, or
 *   −log pass@k, at the grid of k, and the vote of k samples where answers were counted
 * @typedef {{laws: FittedLaw[], tasks: number[], k: number[], guess: number[] | null, gpus: Record<string, any>, rule: any, constants: any,
 *   serving: any, start: State}} Data
 * @typedef {{law: FittedLaw, lost: boolean, best: Allocation | null, rival: Allocation | null, inside: Allocation | null, cost: import("./costs.mjs").Cost,
 *   budget: import("./optimum.mjs").Budget, limits: import("./optimum.mjs").Limits, strategy: import("./strategies.mjs").Strategy}} Answer
 */

const SLACK_OUTSIDE = 5e-3; // of a range's ends, as in t2scaling.laws.support

/** The cost model that the settings name. @param {State} state @param {Data} data */
export function costOf(state, data) {
  if (state.mode !== "gpu") return paperCost();
  const chip = data.gpus[state.gpu];
  const precision = chip.peak[state.precision] ? state.precision : "bf16";
  const settings = {
    ...data.serving, constants: data.constants, unit: "dollars", prompt_tokens: state.prompt, answer_tokens: state.answer,
    batch: state.batch === "max" ? "max" : Math.max(Number(state.batch) || 1, 1),
    dollars_per_hour: state.price > 0 ? state.price : chip.dollars ?? 2,
    bytes: { weights: data.serving.precisions[precision], cache: data.serving.precisions.bf16 },
  };
  return servingCost(settings, { ...chip, peak: chip.peak[precision] }, data.rule);
}

/** The law that the settings name: one of the page's, or beyond them the mix of tasks. @param {State} state @param {Data} data @returns {FittedLaw} */
export function lawOf(state, data) {
  if (state.law < data.laws.length) return data.laws[state.law];
  const parts = data.tasks.map((i) => data.laws[i]);
  const weights = readWeights(state.weights, parts.length);
  const share = weights.map((w) => w / weights.reduce((sum, one) => sum + one));
  const axes = Object.keys(parts[0].support).filter((axis) => parts.every((part) => part.support[axis]));
  const support = Object.fromEntries(axes.map((axis) => [axis, /** @type {[number, number]} */ ([
    Math.max(...parts.map((part) => part.support[axis][0])), Math.min(...parts.map((part) => part.support[axis][1])),
  ])]));
  return {
    name: "mix", label: `${parts[0].label}, mix of tasks`, task: "mix", file: parts.map((part) => part.file).join(" "), parts, weights: share,
    training: parts.map((part) => /** @type {import("./laws.mjs").Training} */ (part.training)), draws: [], support,
    trusted: parts[0].trusted, heldOut: null, cells: mixedCells(parts, share),
    refused: parts.find((part) => part.refused)?.refused ?? "",
  };
}

/** Runs that every task has, with the weighted mean of what was measured. @param {FittedLaw[]} parts @param {number[]} weights */
function mixedCells(parts, weights) {
  const others = parts.map((part) => new Map(part.cells.map((cell) => [cell.run, cell])));
  return parts[0].cells.flatMap((cell) => {
    const all = others.map((runs) => runs.get(cell.run));
    if (all.some((one) => !one)) return [];
    const values = cell.values.map((_, k) => all.reduce((sum, one, i) => sum + weights[i] * (one?.values[k] ?? NaN), 0));
    return [{ ...cell, majority: undefined, values }];
  });
}

/** Plan under the settings. @param {State} state @param {Data} data @returns {Answer} */
export function answer(state, data) {
  const law = lawOf(state, data);
  const cost = costOf(state, data);
  const budget = state.mode === "life" ? { total: state.total, served: state.served } :
    { train: state.train, serve: state.mode === "tokens" ? state.serve : state.query };
  const limits = {
    sizes: readSizes(state.sizes), integerK: state.integerK, ...(state.maxTokens > 0 ? { maxTokens: state.maxTokens } : {}),
  };
  const wanted = strategyOf(state);
  const strategy = success(law, 1) === null ? { name: "oracle" } : wanted;
  const found = optimum(law, cost, budget, limits, strategy);
  const lost = found !== null && limits.sizes.length === 0 && found.N <= LEAST_PARAMS * (1 + 1e-6); // it ran to the least size there is
  const best = lost || law.refused ? null : found;
  const inside = law.support.N && law.support.D ? optimum(law, cost, budget, within(limits, law.support), strategy) : null;
  return { law, lost, best, rival: chinchilla(law, cost, budget, limits, strategy), inside, cost, budget, limits, strategy };
}

/** How far beyond what was measured, as the largest log distance over N, D, N·D and D/N. @param {FittedLaw} law @param {Allocation} at */
export function distance(law, at) {
  const axes = { N: at.N, D: at.D, tokens_per_param: at.D / at.N, train_flops: 6 * at.N * at.D };
  return Math.max(
    ...Object.entries(axes).map(([name, v]) => {
      const range = law.support[name];
      return range ? Math.max(Math.log(v / range[1]), Math.log(range[0] / v), 0) : 0;
    }),
  );
}

/** Sentences on each axis that leaves the measured range. @param {FittedLaw} law @param {Allocation} at */
export function beyond(law, at) {
  const axes = /** @type {[string, string, number][]} */ ([
    ["N", "N", at.N], ["D", "D", at.D], ["tokens_per_param", "D/N", at.D / at.N], ["k", "k", samples(law) ? at.k : NaN],
    ["train_flops", "C", 6 * at.N * at.D],
  ]);
  return axes.flatMap(([key, name, v]) => {
    const range = law.support[key];
    if (!range || !(v > range[1] * (1 + SLACK_OUTSIDE) || v < range[0] * (1 - SLACK_OUTSIDE))) return [];
    const factor = v > range[1] ? v / range[1] : range[0] / v;
    const side = v > range[1] ? "above the largest" : "below the smallest";
    return [`${name} = ${formatNumber(v)} is ${Number(factor.toPrecision(2))}× ${side} measured (${formatNumber(v > range[1] ? range[1] : range[0])})`];
  });
}

/** How the plan stands, in the words of `t2 plan`. @param {Answer} a */
export function statusOf(a) {
  const { best, law, limits, budget } = a;
  if (best === null) return a.lost && !law.refused ? "no optimum" : "no plan";
  if (beyond(law, best).length) return "outside the data";
  const menu = limits.sizes?.length ? limits.sizes : limits.nRange ?? [];
  const atEnd = menu.length > 0 && (best.N <= Math.min(...menu) * (1 + 1e-9) || best.N >= Math.max(...menu) * (1 - 1e-9));
  const capped = limits.maxTokens !== undefined && best.D >= limits.maxTokens * (1 - 1e-9);
  const single = samples(law) && best.k < 1 + 1e-9 && budget.total === undefined;
  return atEnd || capped || single ? "at a limit" : "optimum";
}

/** What to train and draw, and what is expected; without a full stop. @param {Answer} a @param {Allocation} at */
function recommendation(a, at) {
  const draw = at.metric === "loss" ? "" : ` and draw ${formatSamples(at.k)} per problem`;
  return `Train ${formatNumber(at.N)} parameters on ${formatNumber(at.D)} tokens (${formatRatio(at.D / at.N)} tokens per parameter)${draw}, for ${expected(a, at)}`;
}

/** @param {string} text */
const lowered = (text) => text[0].toLowerCase() + text.slice(1);

/** @param {Answer} a @param {Allocation} at */
function expected(a, at) {
  const what = at.metric === "pass_at_k" ? (a.strategy.name === "oracle" ? "pass@k" : "success") : at.metric === "loss" ? "a loss" : "−log pass@k";
  const text = `${what} of ${formatValue(at.metric, at.value)}`;
  if (at.metric !== "neg_log_pass_at_k") return text;
  const rate = `pass@k of ${formatValue("pass_at_k", Math.exp(-at.value))}`;
  return a.law.target === "neg_log_mean" ? rate : `a geometric mean ${rate} (${text})`;
}

/** The sentence, as `t2 plan` says it. @param {Answer} a */
export function sentence(a) {
  const { best, rival } = a;
  const inside = a.inside === null ? "" : ` Within what was measured: ${lowered(recommendation(a, a.inside))}.`;
  if (a.law.refused) return `Nothing can be planned with this fit. ${a.law.refused}`;
  if (a.lost) return `No plan: by this law ever smaller models do better under this budget.${inside}`;
  if (best === null) return "This budget cannot pay for one sample of the smallest model allowed.";
  const far = distance(a.law, best);
  if (far > a.law.trusted) {
    const times = far < Math.log(100) ? `${Number(Math.exp(far).toPrecision(2))}` : Math.round(Math.exp(far)).toLocaleString("en-US");
    return `No plan: the law's optimum (${formatNumber(best.N)} parameters on ${formatNumber(best.D)} tokens) lies ${times}× beyond what was measured, farther than its forecasts have been tried.${inside}`;
  }
  const out = statusOf(a) === "outside the data";
  const text = headline(a, best, rival);
  return out ? `By extrapolation: ${lowered(text)}${inside}` : text;
}

/** @param {Answer} a @param {Allocation} best @param {Allocation | null} rival */
function headline(a, best, rival) {
  const trained = (/** @type {Allocation} */ at) => `${formatNumber(at.N)} parameters on ${formatNumber(at.D)} tokens`;
  const says = recommendation(a, best);
  if (rival === null || best.metric === "loss") return `${says}.`;
  if (!(rival.k >= 1)) return `${says}; Chinchilla's ${trained(rival)} could not afford one sample (${Number(rival.k.toPrecision(2))}).`;
  return `${says}; Chinchilla's ${trained(rival)} afford ${formatSamples(rival.k)}, for ${expected(a, rival)}.`;
}

/** The value at (N, D) with the k that N affords; NaN where not one. @param {Answer} a @param {number} N @param {number} D */
export function valueAt(a, N, D) {
  const k = samples(a.law) ? afforded(a.cost, a.budget, N, D) : 1;
  if (!(k >= 1)) return NaN;
  const x = trainingLoss(a.law.training, N, D);
  const beta = success(a.law, x);
  return a.strategy.name === "oracle" || beta === null ? value(a.law, x, k) : strategyValue(a.strategy, beta, k);
}

/** The 90 % range of N, D, k and value over the draws of the law. @param {Answer} a */
export function drawn(a) {
  const laws = a.law.draws.map((row) => withVector(a.law, row));
  const plans = laws.map((law) => optimum(law, a.cost, a.budget, a.limits, a.strategy)).filter((p) => p !== null);
  const range = (/** @type {(p: Allocation) => number} */ of) => quantiles(/** @type {Allocation[]} */ (plans).map(of), 0.05, 0.95);
  return plans.length < 10 ? null : { N: range((p) => p.N), D: range((p) => p.D), k: range((p) => p.k), value: range((p) => p.value) };
}

/** The law with a draw's parameters, in the order of its formula. @param {FittedLaw} law @param {number[]} row @returns {FittedLaw} */
export function withVector(law, row) {
  if (law.name === "bottleneck") {
    const [A, alpha, B, beta, gamma, ...theta] = row;
    return { ...law, training: { E: 0, A, alpha, B, beta }, gamma, theta };
  }
  const [E, A, alpha, B, beta, ...rest] = row;
  const training = { E, A, alpha, B, beta };
  // The loss law is searched by its k = 1 law, whose floor is E + G.
  return law.name === "loss" ? { ...law, training: { ...training, E: E + rest[0] }, G: rest[0], gamma: rest[1] } : { ...law, training, theta: rest };
}

/** @param {number[]} values @param {number[]} at */
export function quantiles(values, ...at) {
  const sorted = values.filter(Number.isFinite).sort((p, q) => p - q);
  return at.map((q) => {
    const place = q * (sorted.length - 1);
    const low = Math.floor(place);
    return sorted[low] + (place - low) * ((sorted[low + 1] ?? sorted[low]) - sorted[low]);
  });
}

/** The measured cell nearest to a plan in log N and log D. @param {FittedLaw} law @param {Allocation} at */
export function nearest(law, at) {
  const apart = (/** @type {Cell} */ c) => Math.log(c.N / at.N) ** 2 + Math.log(c.D / at.D) ** 2;
  return law.cells.length ? law.cells.reduce((p, q) => (apart(q) < apart(p) ? q : p)) : null;
}

/** A cell's measured value at k, between the grid's values in log k; NaN beyond them. @param {Cell} cell @param {number[]} grid @param {number} k */
export function measured(cell, grid, k) {
  const i = grid.findIndex((g) => g >= k * (1 - 1e-12));
  if (i < 0) return NaN;
  const [low, high] = [cell.values[Math.max(i - 1, 0)] ?? NaN, cell.values[i] ?? NaN];
  const share = i === 0 ? 1 : Math.log(k / grid[i - 1]) / Math.log(grid[i] / grid[i - 1]);
  return low + share * (high - low);
}

