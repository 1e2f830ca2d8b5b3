// The figures that follow the controls: each is a specification for `draw`.
import { measured, nearest, quantiles, valueAt, withVector } from "./answer.mjs";
import { formatNumber, formatValue } from "./format.mjs";
import { samples, success, trainingLoss, value } from "./laws.mjs";
import { optimum } from "./optimum.mjs";
import { strategyValue } from "./strategies.mjs";

/** @typedef {import("./answer.mjs").Answer} Answer @typedef {import("./answer.mjs").Data} Data @typedef {import("./chart.mjs").Spec} Spec */

export const COLOURS = { law: "var(--law)", rival: "var(--rival)", data: "var(--data)", guess: "var(--guess)" };
const NEAR = 0.01; // within one point of the best

/** n values from low to high, evenly in logarithms. @param {number} low @param {number} high @param {number} n */
export function geomspace(low, high, n) {
  return Array.from({ length: n }, (_, i) => low * (high / low) ** (i / (n - 1)));
}

/** @param {Answer} a */
function scale(a) {
  const metric = a.best?.metric ?? "pass_at_k";
  const name = metric === "loss" ? "loss (nats)" : metric === "pass_at_k" ? (a.strategy.name === "oracle" ? "pass@k" : "success") : "−log pass@k (nats)";
  return { metric, name, percent: metric === "pass_at_k" };
}

/** @param {Answer} a @param {Data} data */
export function isoflop(a, data) {
  const { name, metric, percent } = scale(a);
  const best = /** @type {import("./optimum.mjs").Allocation} */ (a.best);
  const train = /** @type {number} */ (a.budget.train);
  const low = Math.min(best.N, a.law.support.N?.[0] ?? best.N) / 3;
  const high = Math.max(best.N, a.rival?.N ?? best.N, a.law.support.N?.[1] ?? best.N) * 3;
  const curve = geomspace(low, high, 120).map((N) => ({ x: N, y: valueAt(a, N, a.cost.tokens(N, train)) }));
  const here = a.law.cells.filter((c) => Math.abs(Math.log((6 * c.N * c.D) / train)) < 0.35);
  const dots = here.map((c) => {
    const k = samples(a.law) ? a.cost.samples(c.N, /** @type {number} */ (a.budget.serve)) : 1;
    const y = k >= 1 && a.strategy.name === "oracle" ? measured(c, data.k, k) : NaN;
    return { x: c.N, y, label: `${c.run}: N ${formatNumber(c.N)}, D ${formatNumber(c.D)}, k ${formatNumber(k)}; measured ${formatValue(metric, y)}, predicted ${formatValue(metric, valueAt(a, c.N, c.D))}` };
  });
  const mark = (/** @type {string} */ label, /** @type {string} */ colour, /** @type {any} */ at) => ({
    kind: /** @type {const} */ ("mark"), label, colour, points: at && Number.isFinite(at.value) ? [{ x: at.N, y: at.value, label: `${label}: N ${formatNumber(at.N)}, ${formatValue(metric, at.value)}` }] : [],
  });
  return /** @type {Spec} */ ({
    title: "Size at this training budget", xLabel: "parameters N", yLabel: name, yPercent: percent,
    text: `${name} over N at ${formatNumber(train)} training FLOPs; the best is ${formatValue(metric, best.value)} at N ${formatNumber(best.N)}.`,
    series: [
      { kind: "line", label: a.law.label, colour: COLOURS.law, points: curve },
      { kind: "dots", label: "measured near this budget", colour: COLOURS.data, points: dots },
      mark("the plan", COLOURS.law, best), mark("Chinchilla's", COLOURS.rival, a.rival),
    ],
  });
}

/** @param {Answer} a @param {Data} data */
export function plane(a, data) {
  const best = /** @type {import("./optimum.mjs").Allocation} */ (a.best);
  const cells = a.law.cells;
  const spread = (/** @type {number[]} */ v) => /** @type {[number, number]} */ ([Math.min(...v) / 2, Math.max(...v) * 2]);
  const rivals = a.rival ? [a.rival] : [];
  const x = spread([best.N, ...rivals.map((r) => r.N), ...cells.map((c) => c.N), ...(a.law.support.N ?? [])]);
  const y = spread([best.D, ...rivals.map((r) => r.D), ...cells.map((c) => c.D), ...(a.law.support.D ?? [])]);
  const n = 44;
  const [w, h] = [(x[1] / x[0]) ** (0.5 / n), (y[1] / y[0]) ** (0.5 / n)];
  const train = /** @type {number} */ (a.budget.train);
  const able = geomspace(x[0] * w, x[1] / w, n).flatMap((N) => geomspace(y[0] * h, y[1] / h, n).map((D) => ({ x: N, y: D })));
  const close = (/** @type {number} */ v) => (best.metric === "pass_at_k" ? v >= best.value - NEAR : v <= best.value * (1 + NEAR));
  const near = able.filter((p) => 6 * p.x * p.y <= train * 1.05 && close(valueAt(a, p.x, p.y)));
  const { N = x, D = y } = a.law.support;
  const boxes = [[x[0], N[0], y[0], y[1]], [N[1], x[1], y[0], y[1]], [N[0], N[1], y[0], D[0]], [N[0], N[1], D[1], y[1]]].filter(([a0, a1, b0, b1]) => a1 > a0 && b1 > b0);
  return /** @type {Spec} */ ({
    title: "Parameters and tokens", xLabel: "parameters N", yLabel: "training tokens D", yLog: true, x, y,
    text: `Measured checkpoints, the plan at N ${formatNumber(best.N)}, D ${formatNumber(best.D)}, what comes within one point of it, and what lies beyond the data.`,
    series: [
      { kind: "hatch", label: "beyond what was measured", colour: "", points: boxes.map((b) => ({ x: b[0], y: b[2] })), high: boxes.map((b) => b[1]), low: boxes.map((b) => b[3]) },
      { kind: "cells", label: "within one point of the best", colour: COLOURS.law, points: near, size: [w, h] },
      { kind: "line", label: "this training budget", colour: COLOURS.rival, dash: true, points: geomspace(x[0], x[1], 2).map((size) => ({ x: size, y: a.cost.tokens(size, train) })) },
      { kind: "dots", label: "measured", colour: COLOURS.data, points: cells.map((c) => ({ x: c.N, y: c.D, label: `${c.run}: N ${formatNumber(c.N)}, D ${formatNumber(c.D)}, D/N ${formatNumber(c.D / c.N)}` })) },
      { kind: "mark", label: "the plan", colour: COLOURS.law, points: [{ x: best.N, y: best.D }] },
      { kind: "mark", label: "Chinchilla's", colour: COLOURS.rival, points: rivals.map((r) => ({ x: r.N, y: r.D })) },
    ],
  });
}

/** @param {Answer} a @param {Data} data */
export function overSamples(a, data) {
  if (!samples(a.law)) return null;
  const { name, metric, percent } = scale(a);
  const best = /** @type {import("./optimum.mjs").Allocation} */ (a.best);
  const most = Math.max(best.k * 4, data.k.at(-1) ?? 1, 16);
  const along = (/** @type {number} */ N, /** @type {number} */ D) => {
    const x = trainingLoss(a.law.training, N, D);
    const beta = success(a.law, x);
    return geomspace(1, most, 80).map((k) => ({ x: k, y: a.strategy.name === "oracle" || beta === null ? value(a.law, x, k) : strategyValue(a.strategy, beta, k) }));
  };
  const cell = nearest(a.law, best);
  const seen = cell && a.strategy.name === "oracle" ? data.k.map((k, i) => ({ x: k, y: cell.values[i] ?? NaN, label: `${cell.run}: k ${k}, ${formatValue(metric, cell.values[i] ?? NaN)}` })) : [];
  const guess = data.guess !== null && metric === "pass_at_k" ? data.k.map((k, i) => ({ x: k, y: /** @type {number[]} */ (data.guess)[i] })) : [];
  return /** @type {Spec} */ ({
    title: "Samples", xLabel: "samples per problem k", yLabel: name, yPercent: percent,
    text: `${name} of the plan's model over k, beside the nearest measured checkpoint${cell ? ` (${cell.run})` : ""}.`,
    series: [
      { kind: "line", label: "the plan's model", colour: COLOURS.law, points: along(best.N, best.D) },
      ...(cell ? [{ kind: "line", label: `forecast of ${cell.run}`, colour: COLOURS.data, dash: true, points: along(cell.N, cell.D) }] : []),
      { kind: "dots", label: cell ? `measured: ${cell.run}` : "measured", colour: COLOURS.data, points: seen },
      { kind: "line", label: "guessing", colour: COLOURS.guess, dash: true, points: guess },
      { kind: "mark", label: "the plan", colour: COLOURS.law, points: [{ x: best.k, y: best.value }] },
    ],
  });
}

/** @param {Answer} a @param {Data} data @param {number} now training budget */
export function overBudgets(a, data, now) {
  const { name, metric, percent } = scale(a);
  const range = a.law.support.train_flops ?? [now, now];
  const budgets = geomspace(Math.min(range[0], now) / 2, Math.max(range[1], now) * 8, 11);
  const plans = budgets.map((train) => optimum(a.law, a.cost, { ...a.budget, train }, a.limits, a.strategy));
  const some = a.law.draws.filter((_, i) => i % Math.max(1, Math.floor(a.law.draws.length / 60)) === 0).map((row) => withVector(a.law, row));
  const fan = plans.map((p) => {
    if (p === null || !some.length) return [NaN, NaN];
    return quantiles(some.map((law) => value(law, trainingLoss(law.training, p.N, p.D), samples(law) ? p.k : 1)), 0.05, 0.95);
  });
  const points = plans.map((p, i) => ({ x: budgets[i], y: p ? p.value : NaN }));
  return /** @type {Spec} */ ({
    title: "More training", xLabel: "training FLOPs", xFlops: true, yLabel: name, yPercent: percent,
    text: `${name} of the best plan over training budgets, with the 90 % range of the bootstrap.`,
    series: [
      ...(some.length && a.strategy.name === "oracle" ? [{ kind: "area", label: "90 % of the bootstrap", colour: COLOURS.law, points, low: fan.map((f) => f[0]), high: fan.map((f) => f[1]) }] : []),
      { kind: "line", label: "best plan", colour: COLOURS.law, points },
      { kind: "mark", label: "this budget", colour: COLOURS.law, points: a.best ? [{ x: now, y: a.best.value }] : [] },
    ],
  });
}

/** Cost of a solved problem over queries: training spread over them, and serving. @param {Answer} a @param {Data} data @param {import("./state.mjs").State} state */
export function perSolved(a, data, state) {
  if (state.mode !== "gpu" || a.best === null || !samples(a.law)) return null;
  const best = a.best;
  const chip = data.gpus[state.gpu];
  const hourly = state.price > 0 ? state.price : chip.dollars ?? 2;
  const dollarsOf = (/** @type {import("./optimum.mjs").Allocation} */ p) => (6 * p.N * p.D) / (chip.peak.bf16 * data.serving.train_utilisation * 3600) * hourly;
  const line = (/** @type {string} */ label, /** @type {string} */ colour, /** @type {import("./optimum.mjs").Allocation} */ p) => {
    const solved = p.metric === "pass_at_k" ? p.value : Math.exp(-p.value);
    const serve = a.cost.serve(p.N, Math.max(p.k, 1));
    return { kind: "line", label, colour, points: geomspace(1e3, 1e12, 60).map((q) => ({ x: q, y: (dollarsOf(p) / q + serve) / solved })) };
  };
  return /** @type {Spec} */ ({
    title: "Dollars per solved problem", xLabel: "queries over the model's life", yLabel: "dollars per solved problem", yLog: true,
    text: "Training spread over the queries, plus serving, per problem solved.",
    series: [line("the plan", COLOURS.law, best), ...(a.rival && a.rival.k >= 1 ? [line("Chinchilla's", COLOURS.rival, a.rival)] : [])],
  });
}
