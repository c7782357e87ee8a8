// What a screen reader hears while an answer streams: batches, not every token.
import { by_id } from "./dom.js";

const kInterval = 4000;  // milliseconds between two batches
const kMaxBatch = 600;   // characters; the rest of a batch can be read in the message itself

let waiting = [];
let timer = 0;
let last = 0;

function flush() {
  timer = 0;
  last = Date.now();
  const text = waiting.join(" ").replace(/\s+/g, " ").trim();
  waiting = [];
  if (text) by_id("live").textContent = text.length > kMaxBatch ? `${text.slice(0, kMaxBatch)} …` : text;
}

export function announce(text) {
  waiting.push(text);
  if (!timer) timer = setTimeout(flush, Math.max(150, last + kInterval - Date.now()));
}
