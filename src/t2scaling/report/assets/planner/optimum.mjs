// The plan: N, D and k of least score under two budgets or one, as t2scaling.allocate finds it.
import { metric, passAtK, samples, score, success, trainingLoss, value } from "./laws.mjs";
import { last, minimise } from "./search.mjs";
import { rising, strategyValue } from "./strategies.mjs";

/**
 * @typedef {import("./laws.mjs").Law} Law
 * @typedef {import("./costs.mjs").Cost} Cost
 * @typedef {import("./strategies.mjs").Strategy} Strategy
 * @typedef {{sizes?: number[], nRange?: [number, number], maxTokens?: number, integerK?: boolean, maxSamples?: number,
 *   minTokens?: number, ratio?: [number, number], maxFlops?: number}} Limits
 * @typedef {{train?: number, serve?: number, total?: number, served?: number}} Budget
 *   train and serve, or total and served (served weighed by what serving is worth in training units)
 * @typedef {{N: number, D: number, k: number, value: number, passAtK: number, metric: string, score: number}} Allocation
 */

export const LEAST_PARAMS = 1000;
const MOST_LOG_N = Math.log(1e18);
const NEIGHBOURS = 3;
const SLACK = 1 - 1e-12; // k = exp(log k) may pass what is affordable by a rounding

/** What a budget leaves. @param {Cost} cost @param {Budget} budget @param {Limits} limits */
function problem(cost, budget, limits) {
  const maxSamples = limits.maxSamples ?? Infinity;
  const [lowRatio, highRatio] = limits.ratio ?? [0, Infinity];
  const mostTokens = (/** @type {number} */ N) =>
    Math.min(limits.maxTokens ?? Infinity, highRatio * N, cost.tokens(N, limits.maxFlops ?? Infinity));
  const leastTokens = (/** @type {number} */ N) => Math.max(limits.minTokens ?? 1, lowRatio * N) * SLACK;
  if (budget.total === undefined) {
    const { train, serve } = /** @type {{train: number, serve: number}} */ (budget);
    const tokens = (/** @type {number} */ N) => Math.min(cost.tokens(N, train), mostTokens(N));
    const most = (/** @type {number} */ N) => Math.min(serve === Infinity ? Infinity : cost.samples(N, serve), maxSamples);
    return { shared: false, most, tokens, affords: (/** @type {number} */ N, /** @type {number} */ k) => most(N) >= k * SLACK && tokens(N) >= leastTokens(N) };
  }
  const { total, served } = /** @type {{total: number, served: number}} */ (budget);
  const tokens = (/** @type {number} */ N, /** @type {number} */ k) =>
    Math.min(cost.tokens(N, Math.max(total - cost.serve(N, k) * served, 0)), mostTokens(N));
  const most = (/** @type {number} */ N) =>
    Math.min(cost.samples(N, Math.max(total - cost.train(N, 1), 0) / served) * (1 - 1e-9), maxSamples);
  return {
    shared: true, most, tokens,
    affords: (/** @type {number} */ N, /** @type {number} */ k) => tokens(N, k) >= leastTokens(N) && k * SLACK <= maxSamples,
  };
}

/** What is minimised. @param {Law} law @param {Strategy} strategy @param {number} N @param {number} D @param {number} logK */
function badness(law, strategy, N, D, logK) {
  const x = trainingLoss(law.training, N, D);
  if (strategy.name === "oracle" || !samples(law)) return score(law, x, logK);
  const beta = success(law, x);
  return beta === null ? NaN : -strategyValue(strategy, beta, Math.exp(logK));
}

/**
 * The best allocation, or null where not one sample of the smallest model can be afforded.
 * @param {Law} law @param {Cost} cost @param {Budget} budget @param {Limits} limits @param {Strategy} strategy
 * @returns {Allocation | null}
 */
export function optimum(law, cost, budget, limits = {}, strategy = { name: "oracle" }) {
  const [least, greatest] = limits.nRange ?? [LEAST_PARAMS, Infinity];
  if (limits.sizes?.length) {
    const low = least > LEAST_PARAMS ? least : 0;
    const menu = limits.sizes.filter((size) => size >= low && size <= greatest);
    return better(menu.map((size) => optimum(law, cost, budget, { ...limits, sizes: [], nRange: [size, size] }, strategy)));
  }
  const at = problem(cost, budget, limits);
  const lo = Math.log(Math.max(least, (limits.minTokens ?? 0) / (limits.ratio?.[1] ?? Infinity)));
  const far = Math.min(Math.log(greatest), MOST_LOG_N);
  const split = (at.shared || !rising(strategy)) && samples(law);

  const sizes = (/** @type {number} */ k) =>
    at.affords(Math.exp(lo), k) ? last((x) => at.affords(Math.exp(x), k), lo, far) : null;
  const scoreAt = (/** @type {number} */ x, /** @type {number} */ logK) => {
    const N = Math.exp(x);
    const k = Math.exp(logK);
    return at.affords(N, k) ? badness(law, strategy, N, at.tokens(N, k), logK) : Infinity;
  };
  const bestSamples = (/** @type {number} */ x) => {
    if (!samples(law)) return 0;
    const most = Math.log(Math.max(at.most(Math.exp(x)), 1));
    return split ? minimise((logK) => scoreAt(x, logK), 0, most, 48) : most;
  };
  const allocation = (/** @type {number} */ x, /** @type {number} */ k) =>
    allocate(law, Math.exp(x), at.tokens(Math.exp(x), k), k, scoreAt(x, Math.log(k)), strategy);

  const end = sizes(1);
  if (end === null) return null;
  // The end is where k reaches 1: k falls below it by rounding there, and is one sample all the same.
  const x = minimise((x) => scoreAt(x, Math.min(bestSamples(x), Math.log(Math.max(at.most(Math.exp(x)), 1)))), lo, end);
  const real = Math.exp(bestSamples(x));
  if (!limits.integerK || !samples(law)) return allocation(x, real);
  const near = Math.floor(real * (1 + 1e-12));
  const top = Math.floor(Math.max(at.most(Math.exp(lo)), 1) * (1 + 1e-12));
  const whole = [...Array(2 * NEIGHBOURS - 1).keys()].map((i) => Math.min(Math.max(near + i + 1 - NEIGHBOURS, 1), top));
  return better(
    [...new Set(whole)].map((k) => {
      const last = sizes(k);
      return last === null ? null : allocation(minimise((x) => scoreAt(x, Math.log(k)), lo, last), k);
    }),
  );
}

/** The one of least score. @param {(Allocation | null)[]} found */
function better(found) {
  const able = /** @type {Allocation[]} */ (found.filter((one) => one !== null && Number.isFinite(one.score)));
  return able.length ? able.reduce((p, q) => (q.score < p.score ? q : p)) : null;
}

/**
 * An allocation with what the law expects of it: NaN at k < 1.
 * @param {Law} law @param {number} N @param {number} D @param {number} k @param {number} badness @param {Strategy} strategy
 * @returns {Allocation}
 */
export function allocate(law, N, D, k, badness, strategy = { name: "oracle" }) {
  const x = trainingLoss(law.training, N, D);
  const able = k >= 1;
  const beta = success(law, x);
  const under = strategy.name !== "oracle" && beta !== null && able ? strategyValue(strategy, beta, k) : NaN;
  return {
    N, D, k, metric: metric(law), score: badness,
    value: !able ? NaN : strategy.name === "oracle" ? value(law, x, samples(law) ? k : 1) : under,
    passAtK: able ? passAtK(law, x, k) : NaN,
  };
}

/** The limits that keep a plan inside what was measured too. @param {Limits} limits @param {Record<string, [number, number]>} support */
export function within(limits, support) {
  const [low, high] = limits.nRange ?? [0, Infinity];
  const [lowN, highN] = support.N ?? [LEAST_PARAMS, Infinity];
  return {
    ...limits,
    nRange: /** @type {[number, number]} */ ([Math.max(low, lowN), Math.min(high, highN)]),
    minTokens: support.D?.[0] ?? 1,
    maxTokens: Math.min(limits.maxTokens ?? Infinity, support.D?.[1] ?? Infinity),
    maxSamples: Math.min(limits.maxSamples ?? Infinity, support.k?.[1] ?? Infinity),
    ratio: support.tokens_per_param ?? /** @type {[number, number]} */ ([0, Infinity]),
    maxFlops: support.train_flops?.[1] ?? Infinity,
  };
}

/**
 * Chinchilla's: least k = 1 loss under the training budget alone, at the k that this size affords. Of one budget for all
 * it is given the share that suits it best.
 * @param {Law} law @param {Cost} cost @param {Budget} budget @param {Limits} limits @param {Strategy} strategy
 */
export function chinchilla(law, cost, budget, limits = {}, strategy = { name: "oracle" }) {
  if (budget.total === undefined) return trained(law, cost, /** @type {number} */ (budget.train), budget, limits, strategy);
  const total = budget.total;
  const real = { ...limits, integerK: false };
  const at = (/** @type {number} */ logShare, /** @type {Limits} */ within = limits) =>
    trained(law, cost, Math.exp(logShare) * total, budget, within, strategy);
  const worse = (/** @type {number} */ logShare, /** @type {Limits} */ within = real) => {
    const one = at(logShare, within);
    return one === null || !(one.k >= 1) ? Infinity : score(law, trainingLoss(law.training, one.N, one.D), samples(law) ? Math.log(one.k) : 0);
  };
  const [lo, hi] = [Math.log(1e-12), Math.log1p(-1e-12)];
  let share = minimise(worse, lo, hi, 400);
  if (limits.integerK && samples(law)) {
    // Whole samples are best where nothing is left of the budget: at the largest shares that leave so many.
    const whole = Math.floor((at(share, real)?.k ?? NaN) * (1 + 1e-12));
    const [fewer, more] = [whole, whole + 1].map((k) => last((x) => (at(x)?.k ?? 0) >= k, lo, hi));
    share = worse(more, limits) < worse(fewer, limits) ? more : fewer;
  }
  return Number.isFinite(worse(share, limits)) ? at(share) : null;
}

/** The samples that size N trained on D affords. @param {Cost} cost @param {Budget} budget @param {number} N @param {number} D */
export function afforded(cost, budget, N, D) {
  if (budget.total === undefined) return cost.samples(N, /** @type {number} */ (budget.serve));
  return cost.samples(N, Math.max(budget.total - cost.train(N, D), 0) / /** @type {number} */ (budget.served));
}

/**
 * Compute-optimal for a training budget, with the k that is left for it.
 * @param {Law} law @param {Cost} cost @param {number} train @param {Budget} budget @param {Limits} limits @param {Strategy} strategy
 */
function trained(law, cost, train, budget, limits, strategy) {
  const best = optimum(firstLaw(law), cost, { train, serve: Infinity }, { ...limits, integerK: false });
  if (best === null) return null;
  let k = Math.min(afforded(cost, budget, best.N, best.D), limits.maxSamples ?? Infinity);
  if (!samples(law)) k = Math.min(k, 1);
  else if (limits.integerK && k >= 1) k = Math.floor(k * (1 + 1e-12));
  return allocate(law, best.N, best.D, k, NaN, strategy);
}

/** The k = 1 law. @param {Law} law @returns {Law} */
function firstLaw(law) {
  return { name: "chinchilla", training: law.training, weights: law.weights, parts: law.parts?.map(firstLaw) };
}
