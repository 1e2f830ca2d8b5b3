// The laws, as in t2scaling.laws: every law acts on (N, D) through x = E + A·N^−alpha + B·D^−beta, and a plan makes
// `score(x, log k)` small.
import { expit, logBetaFail } from "./special.mjs";

/**
 * @typedef {{E: number, A: number, alpha: number, B: number, beta: number}} Training
 * @typedef {{name: string, training: Training | Training[], theta?: number[], G?: number, gamma?: number, target?: string,
 *   parts?: Law[], weights?: number[]}} Law a mix of tasks has parts, whose weights sum to 1, and a training law of each
 */

const LOG_NU = Math.log(1e6);

/** Σ weight·of(part, i). @param {Law} mix @param {(part: Law, i: number) => number} of */
function mean(mix, of) {
  return /** @type {Law[]} */ (mix.parts).reduce((sum, part, i) => sum + /** @type {number[]} */ (mix.weights)[i] * of(part, i), 0);
}

/** x at (N, D); one per task for a mix. @param {Training | Training[]} law @param {number} N @param {number} D @returns {any} */
export function trainingLoss(law, N, D) {
  if (Array.isArray(law)) return law.map((one) => trainingLoss(one, N, D));
  return law.E + law.A * N ** -law.alpha + law.B * D ** -law.beta;
}

/** (a, b) of the Beta distribution of success along y. @param {number[]} theta @param {number} y */
function betaShape(theta, y) {
  const mean = theta[2] * expit(-theta[1] * (y - theta[0]));
  const logNu = Math.min(Math.max(theta[3] + theta[4] * y, -LOG_NU), LOG_NU);
  const nu = Math.exp(logNu);
  return { a: mean * nu, b: (1 - mean) * nu };
}

/** The number along which success lies: the loss, or γ·log x. @param {Law} law @param {number} x */
function ability(law, x) {
  return law.name === "bottleneck" ? /** @type {number} */ (law.gamma) * Math.log(x) : x;
}

/** Whether the law knows samples. @param {Law} law */
export function samples(law) {
  return (law.parts?.[0] ?? law).name !== "chinchilla";
}

/**
 * The distribution of success over questions at x: Beta(a, b), p for all, or those of a mix; null where the law knows none.
 * @param {Law} law @param {any} x @returns {import("./strategies.mjs").Success | null}
 */
export function success(law, x) {
  if (law.parts) {
    const parts = law.parts.map((part, i) => success(part, x[i]));
    return parts.some((one) => one === null) ? null : { parts: /** @type {any} */ (parts), weights: /** @type {number[]} */ (law.weights) };
  }
  const theta = /** @type {number[]} */ (law.theta);
  if (law.name === "naive") return { p: theta[2] * expit(-theta[1] * (x - theta[0])) };
  return law.name === "accuracy" || law.name === "bottleneck" ? betaShape(theta, ability(law, x)) : null;
}

/** What a plan makes small. @param {Law} law @param {any} x @param {number} logK @returns {number} */
export function score(law, x, logK) {
  if (law.parts) {
    if (metric(law) !== "pass_at_k") return mean(law, (part, i) => score(part, x[i], logK));
    const scores = law.parts.map((part, i) => score(part, x[i], logK));
    const top = Math.max(...scores);
    return Number.isFinite(top) ? top + Math.log(mean(law, (_, i) => Math.exp(scores[i] - top))) : top;
  }
  switch (law.name) {
    case "chinchilla":
      return x;
    case "loss":
      return x + /** @type {number} */ (law.G) * Math.expm1(-(/** @type {number} */ (law.gamma)) * logK);
    case "naive":
      return Math.exp(logK) * Math.log1p(-(/** @type {{p: number}} */ (success(law, x)).p));
    default: {
      const shape = /** @type {{a: number, b: number}} */ (success(law, x));
      const value = logBetaFail(shape.a, shape.b, Math.exp(logK));
      return Number.isNaN(value) ? 0 : value;
    }
  }
}

/** The law's own metric. @param {Law} law @returns {"loss" | "neg_log_pass_at_k" | "pass_at_k"} */
export function metric(law) {
  if (law.parts) return metric(law.parts[0]);
  return law.name === "chinchilla" ? "loss" : law.name === "loss" ? "neg_log_pass_at_k" : "pass_at_k";
}

/** The value of the law's own metric. @param {Law} law @param {any} x @param {number} k @returns {number} */
export function value(law, x, k) {
  if (law.parts) return mean(law, (part, i) => value(part, x[i], k));
  if (law.name === "chinchilla") return x;
  const s = score(law, x, Math.log(k));
  return law.name === "loss" ? s : -Math.expm1(s);
}

/** Mean pass@k, NaN where the law cannot say it. @param {Law} law @param {any} x @param {number} k */
export function passAtK(law, x, k) {
  if (law.parts) return metric(law) === "pass_at_k" ? value(law, x, k) : NaN;
  if (law.name === "chinchilla") return NaN;
  if (law.name !== "loss") return value(law, x, k);
  return law.target === "neg_log_mean" ? Math.exp(-score(law, x, Math.log(k))) : NaN;
}
