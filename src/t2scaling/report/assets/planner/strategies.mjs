// What k samples buy, over success that is Beta(a, b) over questions: the oracle, all right, and verifiers.
import { logBetaFail, logExpit, logGamma, normalCdf, normalQuantile } from "./special.mjs";

/** @typedef {{name: string, tpr?: number, fpr?: number, auc?: number}} Strategy */
/** @typedef {{a: number, b: number}} Beta @typedef {Beta | {p: number} | {parts: (Beta | {p: number})[], weights: number[]}} Success */

const STEP = 0.25;
const REACH = 37;
const LEAST = -45; // e^-45 adds nothing to a sum of chances
/** Log-odds far enough down for k = 10^12, with log p, log(1 − p) and p. */
const NODES = Array.from({ length: (2 * REACH + 28) / STEP + 1 }, (_, i) => {
  const x = i * STEP - REACH - 28;
  return { logP: logExpit(x), logQ: logExpit(-x), p: Math.exp(logExpit(x)) };
});

/**
 * E[g(p)] for p ~ Beta(a, b) and g with g(0) = 0: the trapezoid rule along log(p/(1 − p)), exact to rounding for
 * functions that are smooth there. g(1)·p, whose mean is known, is taken off, so that both ends vanish.
 * @param {Beta} beta @param {(p: number) => number} g @param {number} k the scale on which g rises is 1/k
 */
export function expect(beta, g, k) {
  const { a, b } = beta;
  const top = g(1);
  const norm = logGamma(a) + logGamma(b) - logGamma(a + b);
  let sum = 0;
  const first = Math.max(Math.floor((28 - Math.log(Math.max(k, 1))) / STEP), 0);
  for (let i = first; i < NODES.length; i++) {
    const { logP, logQ, p } = NODES[i];
    const log = a * logP + b * logQ - norm;
    if (log > LEAST) sum += Math.exp(log) * (g(p) - top * p);
  }
  return sum * STEP + (top * a) / (a + b);
}

/** Value at k. @param {Strategy} strategy @param {Success} beta @param {number} k @returns {number} */
export function strategyValue(strategy, beta, k) {
  if ("parts" in beta) return beta.parts.reduce((sum, part, i) => sum + beta.weights[i] * strategyValue(strategy, part, k), 0);
  if ("p" in beta) return ofOne(strategy, beta.p, k);
  switch (strategy.name) {
    case "oracle":
      return -Math.expm1(logBetaFail(beta.a, beta.b, k));
    case "all":
      return Math.exp(logBetaFail(beta.b, beta.a, k));
    default:
      if (!(beta.a > 0) || !(beta.b > 0)) return beta.a > 0 ? 1 : 0;
      return expect(beta, strategy.auc === undefined ? accepted(strategy, k) : ranked(strategy, k), k);
  }
}

/** Value where every question succeeds with p. @param {Strategy} strategy @param {number} p @param {number} k */
function ofOne(strategy, p, k) {
  if (strategy.name === "oracle") return -Math.expm1(k * Math.log1p(-p));
  if (strategy.name === "all") return p ** k;
  return strategy.auc === undefined ? accepted(strategy, k)(p) : ranked(strategy, k)(p);
}

/** Whether more samples never hurt. @param {Strategy} strategy */
export function rising(strategy) {
  return strategy.name !== "all";
}

/** Of accepted samples one is handed on, or any where none is. @param {Strategy} strategy @param {number} k */
function accepted(strategy, k) {
  const tpr = /** @type {number} */ (strategy.tpr);
  const fpr = /** @type {number} */ (strategy.fpr);
  return (/** @type {number} */ p) => {
    const a = p * tpr + (1 - p) * fpr;
    const found = a > 0 ? (-Math.expm1(k * Math.log1p(-a)) * p * tpr) / a : 0;
    const missed = a < 1 ? Math.exp((k - 1) * Math.log1p(-a)) * p * (1 - tpr) : 0;
    return found + missed;
  };
}

/** The best score of k, right and wrong ones normal and d apart. @param {Strategy} strategy @param {number} k */
function ranked(strategy, k) {
  const d = Math.SQRT2 * normalQuantile(/** @type {number} */ (strategy.auc));
  const nodes = Array.from({ length: 181 }, (_, i) => d - 9 + i * 0.1);
  const weights = nodes.map((s) => (Math.exp(-((s - d) ** 2) / 2) / Math.sqrt(2 * Math.PI)) * 0.1);
  const right = nodes.map((s) => normalCdf(d - s));
  const wrong = nodes.map((s) => normalCdf(-s));
  return (/** @type {number} */ p) => {
    let total = 0;
    for (let i = 0; i < nodes.length; i++) {
      const above = Math.min(p * right[i] + (1 - p) * wrong[i], 1 - 1e-16);
      total += weights[i] * Math.exp((k - 1) * Math.log1p(-above));
    }
    return k * p * total;
  };
}
