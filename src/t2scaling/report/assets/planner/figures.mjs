// The figures that follow the controls: each is a specification for `draw`.
import { measured, nearest, quantiles, valueAt, withVector } from "./answer.mjs";
import { formatNumber, formatValue } from "./format.mjs";
import { samples, success, trainingLoss, value } from "./laws.mjs";
import { afforded, optimum } from "./optimum.mjs";
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
  const { train, total } = a.budget;
  const low = Math.min(best.N, a.law.support.N?.[0] ?? best.N) / 3;
  const high = Math.max(best.N, a.rival?.N ?? best.N, a.law.support.N?.[1] ?? best.N) * 3;
  const along = (/** @type {number} */ N) =>
    train === undefined ? optimum(a.law, a.cost, a.budget, { ...a.limits, sizes: [N] }, a.strategy)?.value ?? NaN : valueAt(a, N, a.cost.tokens(N, train));
  const curve = geomspace(low, high, train === undefined ? 40 : 120).map((N) => ({ x: N, y: along(N) }));
  const here = a.law.cells.filter((c) => train !== undefined && Math.abs(Math.log((6 * c.N * c.D) / train)) < 0.35);
  const dots = here.map((c) => {
    const k = samples(a.law) ? afforded(a.cost, a.budget, c.N, c.D) : 1;
    const y = k >= 1 && a.strategy.name === "oracle" ? measured(c, data.k, k) : NaN;
    return { x: c.N, y, label: `${c.run}: N ${formatNumber(c.N)}, D ${formatNumber(c.D)}, k ${formatNumber(k)}; measured ${formatValue(metric, y)}, predicted ${formatValue(metric, valueAt(a, c.N, c.D))}` };
  });
  const mark = (/** @type {string} */ label, /** @type {string} */ colour, /** @type {any} */ at) => ({
    kind: /** @type {const} */ ("mark"), label, colour, points: at && Number.isFinite(at.value) ? [{ x: at.N, y: at.value, label: `${label}: N ${formatNumber(at.N)}, ${formatValue(metric, at.value)}` }] : [],
  });
  return /** @type {Spec} */ ({
    title: train === undefined ? "Size at this budget" : "Size at this training budget", xLabel: "parameters N", yLabel: name, yPercent: percent,
    text: `${name} over N at ${formatNumber(train ?? total ?? NaN)} ${train === undefined ? "FLOPs for training and serving" : "training FLOPs"}; the best is ${formatValue(metric, best.value)} at N ${formatNumber(best.N)}.`,
    series: [
      { kind: "line", label: a.law.label, colour: COLOURS.law, points: curve },
      { kind: "dots", label: "measured near this training budget", colour: COLOURS.data, points: dots },
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
  const quick = a.strategy.name === "oracle" || a.strategy.name === "all";
  const n = quick ? 44 : 22; // a verifier's value is a sum over questions
  const [w, h] = [(x[1] / x[0]) ** (0.5 / n), (y[1] / y[0]) ** (0.5 / n)];
  const train = /** @type {number} */ (a.budget.train ?? a.budget.total);
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
      { kind: "line", label: a.budget.train === undefined ? "all of it spent on training" : "this training budget", colour: COLOURS.rival, dash: true, points: geomspace(x[0], x[1], 2).map((size) => ({ x: size, y: a.cost.tokens(size, train) })) },
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
  const votes = cell?.majority && metric === "pass_at_k" ? data.k.map((k, i) => ({ x: k, y: cell.majority?.[i] ?? NaN, label: `${cell.run}: majority of ${k}, ${formatValue(metric, cell.majority?.[i] ?? NaN)}` })) : [];
  const guess = data.guess !== null && metric === "pass_at_k" ? data.k.map((k, i) => ({ x: k, y: /** @type {number[]} */ (data.guess)[i] })) : [];
  return /** @type {Spec} */ ({
    title: "Samples", xLabel: "samples per problem k", yLabel: name, yPercent: percent,
    text: `${name} of the plan's model over k, beside the nearest measured checkpoint${cell ? ` (${cell.run})` : ""}.`,
    series: [
      { kind: "line", label: "the plan's model", colour: COLOURS.law, points: along(best.N, best.D) },
      ...(cell ? [{ kind: "line", label: `forecast of ${cell.run}`, colour: COLOURS.data, dash: true, points: along(cell.N, cell.D) }] : []),
      { kind: "dots", label: cell ? `measured: ${cell.run}` : "measured", colour: COLOURS.data, points: seen },
      { kind: "mark", label: "measured: majority vote", colour: COLOURS.rival, points: votes.filter((p) => Number.isFinite(p.y)) },
      { kind: "line", label: "guessing", colour: COLOURS.guess, dash: true, points: guess },
      { kind: "mark", label: "the plan", colour: COLOURS.law, points: [{ x: best.k, y: best.value }] },
    ],
  });
}

/** None for one budget for all, whose plans take too long to find at every move. @param {Answer} a @param {import("./state.mjs").State} state */
export function overBudgets(a, state) {
  if (state.mode === "life") return null;
  const now = state.train;
  const { name, metric, percent } = scale(a);
  const range = a.law.support.train_flops ?? [now, now];
  const budgets = geomspace(Math.min(range[0], now) / 2, Math.max(range[1], now) * 8, a.strategy.name === "verifier" ? 7 : 11);
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

/**
 * Cost of a solved problem over what is served (queries in dollars, or tokens in FLOPs): training spread over it, and
 * serving; with the break-even against Chinchilla's.
 * @param {Answer} a @param {Data} data @param {import("./state.mjs").State} state
 */
export function perSolved(a, data, state) {
  if (a.best === null || !samples(a.law)) return null;
  const gpu = state.mode === "gpu";
  const chip = data.gpus[state.gpu];
  const hourly = state.price > 0 ? state.price : chip.dollars ?? 2;
  const perFlop = gpu ? hourly / (chip.peak.bf16 * data.serving.train_utilisation * 3600) : 1;
  const now = gpu ? state.queries : state.served;
  const costs = (/** @type {import("./optimum.mjs").Allocation} */ p) => {
    const solved = p.metric === "pass_at_k" ? p.value : Math.exp(-p.value);
    return { once: (perFlop * a.cost.train(p.N, p.D)) / solved, each: a.cost.serve(p.N, Math.max(p.k, 1)) / solved };
  };
  const ours = costs(a.best);
  const theirs = a.rival && a.rival.k >= 1 ? costs(a.rival) : null;
  const even = theirs ? (ours.once - theirs.once) / (theirs.each - ours.each) : NaN;
  const at = (/** @type {{once: number, each: number}} */ c, /** @type {number} */ q) => c.once / q + c.each;
  const [low, high] = [Math.min(1e3, now), Math.max(1e12, now)];
  const line = (/** @type {string} */ label, /** @type {string} */ colour, /** @type {{once: number, each: number}} */ c) =>
    ({ kind: "line", label, colour, points: geomspace(low, high, 60).map((q) => ({ x: q, y: at(c, q) })) });
  const unit = gpu ? "dollars per solved problem" : "FLOPs per token of a solved problem";
  const what = gpu ? "queries" : "tokens";
  const cheaper = !theirs ? "" : even > low && even < high ? ` They cost the same at ${formatNumber(even)} ${what}.` :
    ` The ${at(ours, now) < at(theirs, now) ? "plan" : "Chinchilla model"} is cheaper throughout.`;
  const mark = { x: now, y: at(ours, now), label: `${formatNumber(at(ours, now))} ${unit} at ${formatNumber(now)} ${what}` };
  return /** @type {Spec} */ ({
    title: gpu ? "Dollars per solved problem" : "FLOPs per solved problem", xLabel: `${gpu ? "queries" : "answer tokens served"} over the model's life`, yLabel: unit, yLog: true,
    text: `Training spread over what is served, plus serving, per problem solved: ${mark.label}.${cheaper}`, note: cheaper.trim(),
    series: [
      line("the plan", COLOURS.law, ours), ...(theirs ? [line("Chinchilla's", COLOURS.rival, theirs)] : []),
      { kind: "dots", label: "break-even", colour: COLOURS.data, points: even > low && even < high ? [{ x: even, y: at(ours, even), label: `break-even at ${formatNumber(even)} ${what}` }] : [] },
      { kind: "mark", label: "the plan at this traffic", colour: COLOURS.law, points: [mark] },
    ],
  });
}
