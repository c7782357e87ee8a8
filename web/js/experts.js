// Which experts every token of an answer used: recorded while it streams, counted for the view.

const kNone = 0xffff;

export class ExpertRecorder {
  // shape: the model's {layers: [layer ids], routed, top_k}
  constructor(shape) {
    this.shape_ = shape;
    this.per_token_ = shape.layers.length * shape.top_k;
    this.ids_ = new Uint16Array(this.per_token_ * 256);
    this.tokens_ = 0;
    this.pieces_ = [];
  }

  // `tokens`: a chunk's list over tokens of lists over layers of expert ids; `text` is the chunk's.
  add(text, thought, tokens) {
    if (!Array.isArray(tokens) || !tokens.length) return;
    this.pieces_.push({ text, thought, first: this.tokens_, count: tokens.length });
    for (const layers of tokens) {
      if ((this.tokens_ + 1) * this.per_token_ > this.ids_.length) this.grow_();
      let at = this.tokens_++ * this.per_token_;
      for (let layer = 0; layer < this.shape_.layers.length; ++layer) {
        for (let slot = 0; slot < this.shape_.top_k; ++slot) {
          const id = layers?.[layer]?.[slot];
          this.ids_[at++] = Number.isInteger(id) && id >= 0 && id < this.shape_.routed ? id : kNone;
        }
      }
    }
  }

  grow_() {
    const larger = new Uint16Array(this.ids_.length * 2);
    larger.set(this.ids_);
    this.ids_ = larger;
  }

  // What is stored: a plain object, or null when the server sent no experts.
  record(id, conversation) {
    if (!this.tokens_) return null;
    const { layers, routed, top_k } = this.shape_;
    return {
      id, conversation, layers, routed, top_k, tokens: this.tokens_, pieces: this.pieces_,
      ids: this.ids_.slice(0, this.tokens_ * this.per_token_),
    };
  }
}

// Uses of each expert in tokens [first, last): Uint32Array [layer][expert].
export function count_uses({ layers, routed, top_k, ids }, first, last) {
  const uses = new Uint32Array(layers.length * routed);
  const per_token = layers.length * top_k;
  for (let at = first * per_token; at < last * per_token; ++at) {
    const layer = Math.floor((at % per_token) / top_k);
    if (ids[at] !== kNone) ++uses[layer * routed + ids[at]];
  }
  return uses;
}

// One row a layer: {layer, used: number of experts, top: [{expert, count}] most used first}.
export function layer_rows(record, uses) {
  return record.layers.map((layer, index) => {
    const counts = uses.subarray(index * record.routed, (index + 1) * record.routed);
    const top = Array.from(counts, (count, expert) => ({ expert, count })).filter(({ count }) => count > 0);
    top.sort((a, b) => b.count - a.count || a.expert - b.expert);
    return { layer, used: top.length, top };
  });
}
