// The laws, as in t2scaling.laws: every law acts on (N, D) through x = E + A·N^−alpha + B·D^−beta, and a plan makes
// `score(x, log k)` small.
import { expit, logBetaFail } from "./special.mjs";

/**
 * @typedef {{E: number, A: number, alpha: number, B: number, beta: number}} Training
 * @typedef {{name: string, training: Training, theta?: number[], G?: number, gamma?: number, target?: string}} Law
 */

const LOG_NU = Math.log(1e6);

/** x at (N, D). @param {Training} law @param {number} N @param {number} D */
export function trainingLoss(law, N, D) {
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
  return law.name !== "chinchilla";
}

/**
 * The distribution of success over questions at x: Beta(a, b), or p for all; null where the law knows none.
 * @param {Law} law @param {number} x @returns {import("./strategies.mjs").Success | null}
 */
export function success(law, x) {
  const theta = /** @type {number[]} */ (law.theta);
  if (law.name === "naive") return { p: theta[2] * expit(-theta[1] * (x - theta[0])) };
  return law.name === "accuracy" || law.name === "bottleneck" ? betaShape(theta, ability(law, x)) : null;
}

/** What a plan makes small. @param {Law} law @param {number} x @param {number} logK */
export function score(law, x, logK) {
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

/** The law's own metric. @param {Law} law */
export function metric(law) {
  return law.name === "chinchilla" ? "loss" : law.name === "loss" ? "neg_log_pass_at_k" : "pass_at_k";
}

/** The value of the law's own metric. @param {Law} law @param {number} x @param {number} k */
export function value(law, x, k) {
  if (law.name === "chinchilla") return x;
  const s = score(law, x, Math.log(k));
  return law.name === "loss" ? s : -Math.expm1(s);
}

/** Mean pass@k, NaN where the law cannot say it. @param {Law} law @param {number} x @param {number} k */
export function passAtK(law, x, k) {
  if (law.name === "chinchilla") return NaN;
  if (law.name !== "loss") return value(law, x, k);
  return law.target === "neg_log_mean" ? Math.exp(-score(law, x, Math.log(k))) : NaN;
}
