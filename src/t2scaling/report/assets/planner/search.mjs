// Minima of a function of one variable that may have several valleys.

const GOLDEN = (Math.sqrt(5) - 1) / 2;
const VALLEYS = 3;

/** NaN as infinity. @param {number} x */
const finite = (x) => (Number.isNaN(x) ? Infinity : x);

/**
 * The x in [lo, hi] of least f: a scan, the deepest valleys refined, and the best polished.
 * @param {(x: number) => number} f @param {number} lo @param {number} hi @param {number} points
 */
export function minimise(f, lo, hi, points = 96) {
  if (!(hi > lo)) return lo;
  const span = (hi - lo) / (points - 1);
  const values = Array.from({ length: points }, (_, i) => finite(f(lo + i * span)));
  const valleys = values
    .map((value, i) => ({ value, i }))
    .filter(({ value, i }) => Number.isFinite(value) && value <= (values[i - 1] ?? Infinity) && value <= (values[i + 1] ?? Infinity))
    .sort((p, q) => p.value - q.value)
    .slice(0, VALLEYS);
  let best = { x: lo, value: finite(f(lo)) };
  for (const { i } of valleys) {
    const left = Math.max(lo, lo + (i - 1) * span);
    const right = Math.min(hi, lo + (i + 1) * span);
    for (const x of [lo + i * span, polished(f, golden(f, left, right), left, right)]) {
      const value = finite(f(x));
      if (value < best.value) best = { x, value };
    }
  }
  return best.x;
}

/** Golden section in one valley. @param {(x: number) => number} f @param {number} lo @param {number} hi */
export function golden(f, lo, hi) {
  let [a, b] = [lo, hi];
  let x1 = b - GOLDEN * (b - a);
  let x2 = a + GOLDEN * (b - a);
  let [f1, f2] = [finite(f(x1)), finite(f(x2))];
  for (let i = 0; i < 50; i++) {
    if (f1 <= f2) {
      [b, x2, f2] = [x2, x1, f1];
      x1 = b - GOLDEN * (b - a);
      f1 = finite(f(x1));
    } else {
      [a, x1, f1] = [x1, x2, f2];
      x2 = a + GOLDEN * (b - a);
      f2 = finite(f(x2));
    }
  }
  return f1 <= f2 ? x1 : x2;
}

/**
 * Near a minimum a function is flat to rounding, where its differences over a wider step still tell left from right:
 * the vertex of a parabola through three points.
 * @param {(x: number) => number} f @param {number} x @param {number} lo @param {number} hi
 */
function polished(f, x, lo, hi) {
  const h = Math.min(1e-3, (hi - lo) / 8);
  if (x - h < lo || x + h > hi) return x;
  const [down, at, up] = [f(x - h), f(x), f(x + h)];
  const bend = up - 2 * at + down;
  if (!(bend > 0)) return x;
  const moved = x - (h * (up - down)) / (2 * bend);
  return Math.abs(moved - x) < h && finite(f(moved)) <= at + 1e-13 * Math.abs(at) ? moved : x;
}

/** The greatest x in [lo, hi] where `holds`, True up to some point. @param {(x: number) => boolean} holds @param {number} lo @param {number} hi */
export function last(holds, lo, hi) {
  if (holds(hi)) return hi;
  let [good, bad] = [lo, hi];
  for (let i = 0; i < 70; i++) {
    const middle = (good + bad) / 2;
    if (holds(middle)) good = middle;
    else bad = middle;
  }
  return good;
}
