// Figures of an answer: measured here, completed by what the server says in its last chunk.

export class Stopwatch {
  constructor() {
    this.start_ = performance.now();
    this.first_ = null;
    this.content_ = null;
    this.pieces_ = 0;
  }

  // A piece of the answer arrived: `kind` is "reasoning", "content" or "tool".
  piece(kind, tokens) {
    const now = performance.now();
    this.first_ ??= now;
    if (kind !== "reasoning") this.content_ ??= now;
    this.pieces_ += tokens;
  }

  // Milliseconds from the first thought to the first word of the answer, or to now.
  thinking_ms() {
    return this.first_ === null ? 0 : (this.content_ ?? performance.now()) - this.first_;
  }

  stats() {
    const now = performance.now();
    const stats = { total_ms: now - this.start_, thinking_ms: this.thinking_ms() };
    if (this.first_ !== null) {
      stats.first_ms = this.first_ - this.start_;
      if (this.pieces_ > 1) stats.rate = ((this.pieces_ - 1) * 1000) / Math.max(1, now - this.first_);
    }
    return stats;
  }
}

// Puts the numbers of the chunk with usage into `stats`; a later value replaces an earlier one.
export function add_server_stats(stats, chunk) {
  const put = (name, value) => {
    if (Number.isFinite(value) && value >= 0) stats[name] = value;
  };
  const { usage } = chunk;
  if (usage) {
    put("prompt_tokens", usage.prompt_tokens);
    put("tokens", usage.completion_tokens);
    put("cached", usage.prompt_cache_hit_tokens);
    put("thinking_tokens", usage.completion_tokens_details?.reasoning_tokens);
  }
  const decode_s = chunk.fathom?.timing?.decode_s;
  put("prefill_s", chunk.fathom?.timing?.prefill_s);
  if (decode_s > 0 && stats.tokens > 1) put("rate", (stats.tokens - 1) / decode_s);
  put("drafted", chunk.fathom?.mtp?.drafted);
  put("accepted", chunk.fathom?.mtp?.accepted);
}

const seconds = (ms) => `${(ms / 1000).toFixed(ms < 9950 ? 2 : 1)} s`;

export function duration(ms) {
  const whole = Math.max(1, Math.round(ms / 1000));
  if (whole < 60) return `${whole} second${whole === 1 ? "" : "s"}`;
  return `${Math.floor(whole / 60)} min ${whole % 60} s`;
}

// [{text, title}]: the line below an answer.
export function stat_items(stats) {
  const items = [];
  const add = (text, title) => items.push({ text, title });
  if (stats.tokens !== undefined) {
    const thoughts =
        stats.thinking_tokens > 0 ? `, ${stats.thinking_tokens.toLocaleString("en")} of them thoughts` : "";
    add(`${stats.tokens.toLocaleString("en")} tokens`, `Length of the answer${thoughts}`);
  }
  if (stats.rate !== undefined) add(`${stats.rate.toFixed(1)} tokens/s`, "Speed after the first token");
  if (stats.first_ms !== undefined)
    add(`first token ${seconds(stats.first_ms)}`, "From sending to the first token");
  if (stats.prompt_tokens > 0 && stats.cached !== undefined) {
    const share = Math.round((100 * stats.cached) / stats.prompt_tokens);
    add(`cache ${share} %`, `${stats.cached} of ${stats.prompt_tokens} prompt tokens came from the cache`);
  }
  if (stats.drafted > 0) {
    const share = Math.round((100 * stats.accepted) / stats.drafted);
    add(`drafts ${share} %`,
        `Multi-token prediction: ${stats.accepted} of ${stats.drafted} drafted tokens accepted`);
  }
  return items;
}

export const context_used = (stats) => (stats.prompt_tokens || 0) + (stats.tokens || 0);
