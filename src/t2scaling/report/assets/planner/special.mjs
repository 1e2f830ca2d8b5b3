// Special functions, to double precision where a plan depends on their digits. Formulae as in t2scaling.passk and
// t2scaling.laws.solvers.beta: what would cancel is combined by hand.

/** log(part/(part + rest)), whichever of the two is small. @param {number} part @param {number} rest */
export function logRatio(part, rest) {
  const whole = part + rest;
  return rest < part ? Math.log1p(-rest / whole) : Math.log(part / whole);
}

/** S(x) = log Γ(x) − (x − 1/2) log x + x − log(2π)/2 for x > 0. @param {number} x */
export function stirlingRest(x) {
  let lift = 0;
  while (x < 10) {
    lift += (x + 0.5) * Math.log1p(1 / x) - 1;
    x += 1;
  }
  const square = 1 / (x * x);
  let series = 1 / 1188 - square * (691 / 360360 - square / 156);
  series = 1 / 12 - square * (1 / 360 - square * (1 / 1260 - square * (1 / 1680 - square * series)));
  return lift + series / x;
}

/** log Γ(x) for x > 0. @param {number} x */
export function logGamma(x) {
  return (x - 0.5) * Math.log(x) - x + 0.5 * Math.log(2 * Math.PI) + stirlingRest(x);
}

/** log E[(1 − p)^k] for p ~ Beta(a, b). @param {number} a @param {number} b @param {number} k */
export function logBetaFail(a, b, k) {
  if (a === 0 || k === 0) return 0;
  if (b === 0) return -Infinity;
  const x = b + a + k;
  const byA = logRatio(b + k, a);
  const byK = logRatio(b + a, k);
  const both = logRatio(b * x, a * k);
  const bulk = (b - 0.5) * both - k * byA - a * byK;
  const rest = stirlingRest(x) - stirlingRest(b + k) - stirlingRest(b + a) + stirlingRest(b);
  return -Math.max(bulk + rest, 0);
}

/** 1/(1 + e^−x). @param {number} x */
export function expit(x) {
  return x < 0 ? Math.exp(x) / (1 + Math.exp(x)) : 1 / (1 + Math.exp(-x));
}

/** log(1/(1 + e^−x)), to full precision at both ends. @param {number} x */
export function logExpit(x) {
  return x < 0 ? x - Math.log1p(Math.exp(x)) : -Math.log1p(Math.exp(-x));
}

/** Φ(x): a series near 0, a continued fraction in the tail. @param {number} x @returns {number} */
export function normalCdf(x) {
  if (x > 0) return 1 - normalCdf(-x);
  const density = Math.exp(-x * x / 2) / Math.sqrt(2 * Math.PI);
  if (x > -3) {
    let term = x;
    let sum = x;
    for (let n = 3; Math.abs(term) > 1e-17 * Math.abs(sum) && n < 200; n += 2) {
      term *= x * x / n;
      sum += term;
    }
    return 0.5 + density * sum;
  }
  let fraction = -x;
  for (let n = 60; n > 0; n--) fraction = -x + n / fraction;
  return density / fraction;
}

/** Φ⁻¹(q) by bisection and Newton steps. @param {number} q */
export function normalQuantile(q) {
  let low = -40;
  let high = 40;
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2;
    if (normalCdf(middle) < q) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}
