// Cost models, as in t2scaling.costs: what training and k samples cost, and what a budget leaves for D and k.

/**
 * @typedef {{name: string, product: boolean, serveUnit: string,
 *   train: (N: number, D: number) => number, tokens: (N: number, budget: number) => number,
 *   serve: (N: number, k: number) => number, samples: (N: number, budget: number) => number}} Cost
 * @typedef {{width: number, depth: number, heads: number, kvHeads: number, headDim: number, dFF: number, vocab: number}} Shape
 */

const train = (/** @type {number} */ N, /** @type {number} */ D) => 6 * N * D;
const tokens = (/** @type {number} */ N, /** @type {number} */ budget) => budget / (6 * N);

/** The paper's: 2·N·k per token served. @returns {Cost} */
export function paperCost() {
  return {
    name: "paper", product: true, serveUnit: "FLOPs per token served", train, tokens,
    serve: (N, k) => 2 * N * k,
    samples: (N, budget) => budget / (2 * N),
  };
}

/** A typical shape of N parameters: constants from t2scaling.costs.shapes. @param {number} N @param {any} rule */
export function typicalShape(N, rule) {
  const depth = rule.depth_factor * N ** rule.depth_power;
  const square = (2 + 3 * rule.ff_ratio) * depth;
  const root = (/** @type {number} */ a, /** @type {number} */ b) => (2 * N) / (b + Math.sqrt(b * b + 4 * a * N));
  const narrow = root(square + 2 * depth, rule.vocab_size);
  const width = narrow <= rule.kv_width ? narrow : root(square, rule.vocab_size + 2 * rule.kv_width * depth);
  const kv = Math.min(width, rule.kv_width);
  return {
    width, depth, heads: width / rule.head_dim, kvHeads: kv / rule.head_dim, headDim: rule.head_dim,
    dFF: rule.ff_ratio * width, vocab: rule.vocab_size,
  };
}

/**
 * A query on GPUs; see t2scaling.costs.serving for the formula and the meaning of the settings.
 * @param {any} s settings, as `Serving.to_dict` writes them @param {any} chip peak, bandwidth, memory, link, dollars
 * @param {any} rule of the typical shape @returns {Cost}
 */
export function servingCost(s, chip, rule) {
  const c = s.constants;
  const perSecond = s.unit === "dollars" ? (s.dollars_per_hour ?? chip.dollars_per_hour) / 3600 : 1;
  const weightBytes = s.bytes.weights;
  const bandwidth = s.tp * chip.bandwidth;
  const peak = s.tp * chip.peak * c.eta_f;
  const P = s.prompt_tokens;
  const T = s.answer_tokens;

  /** The step's parts at B sequences in flight. @param {number} N @param {Shape} shape @param {number} kv @param {number} B */
  function step(N, shape, kv, B) {
    const stored = N * s.total_per_active;
    const read = s.total_per_active === 1 ? N : stored * -Math.expm1(B * Math.log1p(-N / stored));
    let perSequence = ((P + T / 2) * kv) / (bandwidth * c.eta_kv);
    let fixed = c.step + shape.depth * c.layer;
    if (s.tp > 1) {
      perSequence += (8 * shape.depth * shape.width) / chip.link;
      fixed += 2 * shape.depth * c.exchange;
    }
    return { read: (read * weightBytes) / (bandwidth * c.eta_w), multiply: (2 * N) / peak, perSequence, fixed };
  }

  /** Four lines in k whose largest is the seconds of a query; null where it does not fit. @param {number} N */
  function lines(N) {
    const shape = typicalShape(N, rule);
    const kv = 2 * shape.depth * shape.kvHeads * shape.headDim * s.bytes.cache;
    const held = s.memory_share * s.tp * chip.memory - (N * s.total_per_active + shape.vocab * shape.width) * weightBytes;
    const cache = Math.max(held, 0) / kv;
    let asked = s.batch === "max" ? s.most_sequences : s.batch;
    if (s.step_seconds !== null) {
      const at = step(N, shape, kv, Infinity);
      const left = s.step_seconds - at.fixed;
      const most = Math.min((left - at.read) / at.perSequence, left / (at.multiply + at.perSequence));
      asked = Math.min(most, s.most_sequences);
    }
    const B = Math.min(asked, cache / (P + T / 2));
    if (!(B >= 1)) return null;
    const { read, multiply, perSequence, fixed } = step(N, shape, kv, B);
    const seconds = (2 * N * P + 2 * shape.depth * shape.heads * shape.headDim * P * P) / peak;
    const [perSample, perQuery] = s.shared_prompt ? [0, seconds] : [seconds, 0];
    const kvPrompt = s.shared_reads && s.shared_prompt ? (P * kv) / (bandwidth * c.eta_kv) : 0;
    const byMemory = s.shared_prompt ? [P / cache, T / 2 / cache] : [0, (P + T / 2) / cache];
    return [[0, 1 / asked], byMemory].flatMap(([r0, r1]) =>
      [0, 1].map((reads) => [
        perQuery + T * (kvPrompt + (fixed + read * reads) * r0),
        perSample + T * (perSequence - kvPrompt + multiply * (1 - reads) + (fixed + read * reads) * r1),
      ]),
    );
  }

  return {
    name: "serving", product: false, serveUnit: `${s.unit === "dollars" ? "dollars" : "GPU-seconds"} per query`,
    train, tokens,
    serve: (N, k) => {
      const found = lines(N);
      return found === null ? Infinity : perSecond * s.tp * Math.max(...found.map(([start, slope]) => start + slope * k));
    },
    samples: (N, budget) => {
      const found = lines(N);
      if (found === null) return 0;
      const left = budget / perSecond / s.tp;
      return Math.max(Math.min(...found.map(([start, slope]) => (left - start) / slope)), 0);
    },
  };
}
