// Line charts as SVG: two scales, lines, areas, dots and marks, with text alternatives, hover, and saving.
import { formatFlops, formatNumber } from "./format.mjs";

/**
 * @typedef {{x: number, y: number, label?: string}} Point
 * @typedef {{kind: "line" | "dots" | "area" | "mark" | "hatch" | "cells", label: string, colour: string, dash?: boolean,
 *   points: Point[], low?: number[], high?: number[], size?: [number, number]}} Series
 * @typedef {{title: string, text: string, note?: string, xLabel: string, yLabel: string, xLog?: boolean, xFlops?: boolean, yLog?: boolean, yPercent?: boolean,
 *   x?: [number, number], y?: [number, number], series: Series[]}} Spec
 */

const WIDTH = 520;
const HEIGHT = 320;
const EDGE = { left: 62, right: 14, top: 14, bottom: 46 };
const NS = "http://www.w3.org/2000/svg";

/** @param {string} name @param {Record<string, string | number>} attributes @param {string} [text] */
function element(name, attributes, text) {
  const node = document.createElementNS(NS, name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, `${value}`);
  if (text !== undefined) node.textContent = text;
  return node;
}

/** Where data lie on one axis. @param {number[]} values @param {boolean} log */
function extent(values, log) {
  const able = values.filter((v) => Number.isFinite(v) && (!log || v > 0));
  if (!able.length) return /** @type {[number, number]} */ (log ? [1, 10] : [0, 1]);
  const [low, high] = [Math.min(...able), Math.max(...able)];
  if (log) return /** @type {[number, number]} */ ([low / 1.15, high * 1.15]);
  const pad = (high - low || Math.abs(high) || 1) * 0.06;
  return /** @type {[number, number]} */ ([low - pad, high + pad]);
}

/** Ticks at round numbers. @param {[number, number]} range @param {boolean} log */
export function ticks([low, high], log) {
  if (log) {
    const decades = Math.log10(high / low);
    const found = [];
    const steps = decades > 2.5 ? [1] : decades > 1 ? [1, 3] : [1, 2, 5];
    const every = Math.max(1, Math.ceil(decades / 6));
    for (let e = Math.floor(Math.log10(low)); e <= Math.ceil(Math.log10(high)); e++) {
      for (const step of steps) {
        const value = step * 10 ** e;
        if (value >= low && value <= high && (steps.length > 1 || e % every === 0)) found.push(value);
      }
    }
    return found;
  }
  const rough = (high - low) / 5;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((m) => m * power).find((m) => m >= rough) ?? power * 10;
  const found = [];
  for (let v = Math.ceil(low / step) * step; v <= high + step * 1e-9; v += step) found.push(Number(v.toPrecision(12)));
  return found;
}

/** Draw a chart. @param {Spec} spec @returns {SVGSVGElement} */
export function draw(spec) {
  const xLog = spec.xLog ?? true;
  const yLog = spec.yLog ?? false;
  const all = spec.series.filter((s) => s.kind !== "hatch");
  const xs = spec.x ?? extent(all.flatMap((s) => s.points.map((p) => p.x)), xLog);
  const ys = spec.y ?? extent(all.flatMap((s) => [...s.points.map((p) => p.y), ...(s.low ?? []), ...(s.high ?? [])]), yLog);
  const place = (/** @type {number} */ v, /** @type {[number, number]} */ [low, high], /** @type {boolean} */ log) =>
    log ? Math.log(v / low) / Math.log(high / low) : (v - low) / (high - low);
  const X = (/** @type {number} */ v) => EDGE.left + place(v, xs, xLog) * (WIDTH - EDGE.left - EDGE.right);
  const Y = (/** @type {number} */ v) => HEIGHT - EDGE.bottom - place(v, ys, yLog) * (HEIGHT - EDGE.top - EDGE.bottom);
  const svg = /** @type {SVGSVGElement} */ (element("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", xmlns: NS, class: "chart" }));
  svg.append(element("title", {}, spec.title), element("desc", {}, spec.text));
  const written = (/** @type {number} */ v) => (spec.yPercent ? `${Number((100 * v).toPrecision(3))}%` : formatNumber(v));
  for (const v of ticks(xs, xLog)) {
    svg.append(element("line", { x1: X(v), x2: X(v), y1: EDGE.top, y2: HEIGHT - EDGE.bottom, class: "grid" }));
    svg.append(element("text", { x: X(v), y: HEIGHT - EDGE.bottom + 16, "text-anchor": "middle" }, spec.xFlops ? formatFlops(v) : formatNumber(v)));
  }
  for (const v of ticks(ys, yLog)) {
    svg.append(element("line", { x1: EDGE.left, x2: WIDTH - EDGE.right, y1: Y(v), y2: Y(v), class: "grid" }));
    svg.append(element("text", { x: EDGE.left - 6, y: Y(v) + 4, "text-anchor": "end" }, written(v)));
  }
  svg.append(element("text", { x: (EDGE.left + WIDTH - EDGE.right) / 2, y: HEIGHT - 8, "text-anchor": "middle" }, spec.xLabel));
  const middle = (EDGE.top + HEIGHT - EDGE.bottom) / 2;
  svg.append(element("text", { x: 14, y: middle, "text-anchor": "middle", transform: `rotate(-90 14 ${middle})` }, spec.yLabel));
  const inside = element("svg", {
    x: EDGE.left, y: EDGE.top, width: WIDTH - EDGE.left - EDGE.right, height: HEIGHT - EDGE.top - EDGE.bottom,
    viewBox: `${EDGE.left} ${EDGE.top} ${WIDTH - EDGE.left - EDGE.right} ${HEIGHT - EDGE.top - EDGE.bottom}`,
  });
  for (const s of spec.series) inside.append(...shapes(s, X, Y));
  svg.append(inside);
  return svg;
}

/** @param {Series} s @param {(v: number) => number} X @param {(v: number) => number} Y */
function shapes(s, X, Y) {
  const seen = s.points.map((p, i) => ({ ...p, i })).filter((p) => Number.isFinite(p.x) && Number.isFinite(p.y));
  const hint = (/** @type {Element} */ node, /** @type {string} */ text) => {
    node.append(element("title", {}, text));
    return node;
  };
  switch (s.kind) {
    case "line": {
      const path = seen.map((p, i) => `${i ? "L" : "M"}${X(p.x).toFixed(2)} ${Y(p.y).toFixed(2)}`).join("");
      return [hint(element("path", { d: path, fill: "none", stroke: s.colour, "stroke-width": 2, ...(s.dash ? { "stroke-dasharray": "6 4" } : {}) }), s.label)];
    }
    case "area": {
      const up = seen.map((p) => `${X(p.x).toFixed(2)} ${Y(/** @type {number[]} */ (s.high)[p.i]).toFixed(2)}`);
      const down = seen.map((p) => `${X(p.x).toFixed(2)} ${Y(/** @type {number[]} */ (s.low)[p.i]).toFixed(2)}`).reverse();
      return up.length ? [hint(element("path", { d: `M${[...up, ...down].join("L")}Z`, fill: s.colour, opacity: 0.18 }), s.label)] : [];
    }
    case "cells": {
      const [w, h] = /** @type {[number, number]} */ (s.size);
      return seen.map((p) =>
        element("rect", { x: X(p.x / w), y: Y(p.y * h), width: X(p.x * w) - X(p.x / w), height: Y(p.y / h) - Y(p.y * h), fill: s.colour, opacity: 0.25 }),
      );
    }
    case "hatch":
      return seen.map((p, i) => hint(element("rect", { ...rectangle(s, i, X, Y), class: "beyond" }), s.label));
    case "mark":
      return seen.map((p) => hint(element("path", { d: `M${X(p.x)} ${Y(p.y) - 8}l7 13h-14z`, fill: s.colour, class: "mark" }), p.label ?? s.label));
    default:
      return seen.map((p) => hint(element("circle", { cx: X(p.x), cy: Y(p.y), r: 3.6, fill: s.colour, class: "dot" }), p.label ?? s.label));
  }
}

/** A rectangle between a point and its (low, high). @param {Series} s @param {number} i @param {(v: number) => number} X @param {(v: number) => number} Y */
function rectangle(s, i, X, Y) {
  const [x0, x1] = [s.points[i].x, /** @type {number[]} */ (s.high)[i]];
  const [y0, y1] = [s.points[i].y, /** @type {number[]} */ (s.low)[i]];
  return { x: X(x0), y: Y(y1), width: Math.max(X(x1) - X(x0), 0), height: Math.max(Y(y0) - Y(y1), 0) };
}

/** The data of a chart as CSV. @param {Spec} spec */
export function toCsv(spec) {
  const quoted = (/** @type {unknown} */ v) => `"${`${v ?? ""}`.replaceAll('"', '""')}"`;
  const rows = spec.series
    .filter((s) => s.kind !== "hatch" && s.kind !== "cells")
    .flatMap((s) => s.points.map((p, i) => [quoted(s.label), p.x, p.y, s.low?.[i] ?? "", s.high?.[i] ?? "", quoted(p.label)].join(",")));
  return ["series,x,y,low,high,note", ...rows].join("\n") + "\n";
}

/** Save a text or picture under a name. @param {string} name @param {string} url */
function download(name, url) {
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
}

/** The chart with the page's colours written in. @param {SVGSVGElement} svg */
function standalone(svg) {
  const copy = /** @type {SVGSVGElement} */ (svg.cloneNode(true));
  const style = getComputedStyle(document.documentElement);
  const colour = (/** @type {string} */ name) => style.getPropertyValue(name).trim();
  copy.setAttribute("width", `${WIDTH}`);
  copy.setAttribute("height", `${HEIGHT}`);
  copy.prepend(element("rect", { width: WIDTH, height: HEIGHT, fill: colour("--card") }));
  for (const node of copy.querySelectorAll("text")) node.setAttribute("style", `font:12px sans-serif;fill:${colour("--ink")}`);
  for (const node of copy.querySelectorAll(".grid")) node.setAttribute("stroke", colour("--grid"));
  for (const node of copy.querySelectorAll("[fill^='var'], [stroke^='var']")) {
    for (const name of ["fill", "stroke"]) {
      const value = node.getAttribute(name);
      if (value?.startsWith("var(")) node.setAttribute(name, colour(value.slice(4, -1)));
    }
  }
  return new XMLSerializer().serializeToString(copy);
}

/** Buttons that save a chart. @param {Spec} spec @param {SVGSVGElement} svg @param {string} name */
export function saveButtons(spec, svg, name) {
  const bar = document.createElement("p");
  bar.className = "save";
  const kinds = /** @type {[string, () => void][]} */ ([
    ["SVG", () => download(`${name}.svg`, `data:image/svg+xml;charset=utf-8,${encodeURIComponent(standalone(svg))}`)],
    ["PNG", () => savePng(svg, name)],
    ["CSV", () => download(`${name}.csv`, `data:text/csv;charset=utf-8,${encodeURIComponent(toCsv(spec))}`)],
  ]);
  for (const [kind, save] of kinds) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = kind;
    button.setAttribute("aria-label", `Save ${spec.title} as ${kind}`);
    button.addEventListener("click", save);
    bar.append(button);
  }
  return bar;
}

/** @param {SVGSVGElement} svg @param {string} name */
function savePng(svg, name) {
  const image = new Image();
  image.onload = () => {
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [2 * WIDTH, 2 * HEIGHT];
    canvas.getContext("2d")?.drawImage(image, 0, 0, canvas.width, canvas.height);
    download(`${name}.png`, canvas.toDataURL("image/png"));
  };
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(standalone(svg))}`;
}
