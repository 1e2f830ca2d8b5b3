// Plans read from standard input as JSON, answers written as JSON: the page's modules, run without a page.
import { readFileSync } from "node:fs";

const folder = new URL("../../src/t2scaling/report/assets/planner/", import.meta.url);
const load = (name) => import(new URL(`${name}.mjs`, folder));
const [{ optimum, chinchilla }, costs, special, strategies, format, state] = await Promise.all(
  ["optimum", "costs", "special", "strategies", "format", "state"].map(load),
);

const costOf = (c) => (c.name === "serving" ? costs.servingCost(c.settings, c.chip, c.rule) : costs.paperCost());
const work = {
  plan: ({ law, cost, budget, limits, strategy }) => ({
    best: optimum(law, costOf(cost), budget, limits, strategy),
    rival: chinchilla(law, costOf(cost), budget, limits, strategy),
  }),
  special: ({ name, args }) => args.map((row) => special[name](...row)),
  strategy: ({ strategy, a, b, k }) => strategies.strategyValue(strategy, { a, b }, k),
  format: ({ name, args }) => args.map((value) => format[name](value)),
  command: ({ state: settings, files }) => state.toCommand(settings, files),
  fragment: ({ state: settings, start }) => state.fromFragment(state.toFragment(settings, start), start),
};
const asked = JSON.parse(readFileSync(0, "utf8"), (_, value) => (value === "Infinity" ? Infinity : value));
process.stdout.write(JSON.stringify(asked.map((one) => work[one.kind](one))));
