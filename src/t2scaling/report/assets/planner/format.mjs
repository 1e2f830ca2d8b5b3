// Numbers as t2scaling.units writes them, and back.

const SUFFIX = /** @type {[number, string][]} */ ([[1e12, "T"], [1e9, "B"], [1e6, "M"], [1e3, "K"]]);
const READ = { "": 1, k: 1e3, m: 1e6, b: 1e9, g: 1e9, t: 1e12, p: 1e15 };

/** 1.23M, 45.6B; scientific from 1e15 on. @param {number} value @param {number} digits */
export function formatNumber(value, digits = 3) {
  if (!Number.isFinite(value)) return "—";
  const size = Math.abs(value);
  if (size !== 0 && (size >= 1e15 || size < 1e-3)) return formatFlops(value);
  const rounded = Number(value.toPrecision(digits));
  for (const [factor, suffix] of SUFFIX) {
    if (Math.abs(rounded) >= factor) return `${Number((rounded / factor).toPrecision(digits))}${suffix}`;
  }
  return `${rounded}`;
}

/** 2.56e19. @param {number} value */
export function formatFlops(value) {
  if (!Number.isFinite(value)) return "—";
  const [mantissa, exponent] = value.toExponential(2).split("e");
  return `${Number(mantissa)}e${Number(exponent)}`;
}

/** 26,930 or 19.6. @param {number} ratio */
export function formatRatio(ratio) {
  if (ratio >= 1e6) return formatNumber(ratio);
  return ratio >= 100 ? Math.round(ratio).toLocaleString("en-US") : `${Number(ratio.toPrecision(3))}`;
}

/** `1 sample`, `2.5 samples`, `1,354 samples`, `2.1M samples`. @param {number} k */
export function formatSamples(k) {
  const text = k >= 1e6 ? formatNumber(k) : k >= 10 || k === Math.round(k) ? Math.round(k).toLocaleString("en-US") : `${Number(k.toPrecision(3))}`;
  return text === "1" ? "1 sample" : `${text} samples`;
}

/** pass@k as a percentage, the rest in nats. @param {string} metric @param {number} value */
export function formatValue(metric, value) {
  if (!Number.isFinite(value)) return "—";
  if (metric !== "pass_at_k") return `${Number(value.toPrecision(4))} nats`;
  return value >= 0.9995 ? "over 99.9%" : `${Number((100 * value).toPrecision(3))}%`;
}

/** `1e22`, `7B`, `2T`, `1,000`; NaN for what is no number. @param {string} text */
export function parseNumber(text) {
  const plain = text.trim();
  const match = /^(\d{1,3}(?:,\d{3})+|\d+)?(\.\d+)?([eE][+-]?\d+)?\s*([A-Za-z]?)$/.exec(plain);
  if (!match || (match[1] === undefined && match[2] === undefined)) return NaN;
  const factor = READ[/** @type {keyof typeof READ} */ (match[4].toLowerCase())];
  return factor === undefined ? NaN : Number(`${(match[1] ?? "0").replaceAll(",", "")}${match[2] ?? ""}${match[3] ?? ""}`) * factor;
}
