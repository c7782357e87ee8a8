#include "eval/runner.h"

#include <algorithm>
#include <numeric>

#include "base/check.h"

namespace fathom::eval {
namespace {

constexpr int64_t kChunk = 128;

template <class T>
void append_rows(std::vector<T>& out, Mat<const T> rows) {
  for (int64_t r = 0; r < rows.rows; ++r) out.insert(out.end(), rows.row(r), rows.row(r) + rows.cols);
}

}  // namespace

class SequenceRunner::Recorder final : public model::Observer {
 public:
  Recorder(SequenceRecord& record, bool keep_hidden) : record_(record), keep_hidden_(keep_hidden) {}
  void hidden(int64_t at, Mat<const float> rows) override {
    if (keep_hidden_) append_rows(record_.hidden[static_cast<size_t>(at)], rows);
  }
  void routed(int64_t layer, Mat<const float> logits, Mat<const int32_t> index, Mat<const float> weight) override {
    Routing& r = record_.routing[layer];
    append_rows(r.logits, logits);
    append_rows(r.index, index);
    append_rows(r.weight, weight);
  }

 private:
  SequenceRecord& record_;
  bool keep_hidden_;
};

size_t SequenceRunner::bytes_needed(const model::Model& model) {
  return 2 * model::Workspace::bytes_needed(model.config, kChunk);
}

SequenceRunner::SequenceRunner(const Context& ctx, const model::Model& model, int64_t max_tokens, model::Options options)
    : model_(model),
      pool_(model.config, ctx.mode, infer::LatentPool::blocks_for(max_tokens)),
      workspace_(model.config, std::min(kChunk, max_tokens)),
      forward_(ctx, model, workspace_, options),
      table_(static_cast<size_t>(pool_.blocks())),
      sequences_(static_cast<size_t>(workspace_.max_rows())) {
  for (int32_t& block : table_) block = pool_.acquire();
  positions_.resize(static_cast<size_t>(workspace_.max_rows()));
}

model::Step SequenceRunner::step(std::span<const int32_t> tokens, int64_t first) {
  const int64_t rows = static_cast<int64_t>(tokens.size());
  FATHOM_CHECK(infer::LatentPool::blocks_for(first + rows) <= pool_.blocks());
  std::iota(positions_.begin(), positions_.begin() + rows, static_cast<int32_t>(first));
  return {.tokens = tokens,
          .positions = std::span(positions_).first(tokens.size()),
          .rows = {.rows = rows,
                   .sequence = sequences_.data(),
                   .position = positions_.data(),
                   .tables = {table_.data(), 1, static_cast<int64_t>(table_.size())}},
          .cache = pool_.layers()};
}

// Calls chunk(first, count) over [0, rows).
template <class Chunk>
void SequenceRunner::in_chunks(int64_t rows, Chunk chunk) {
  for (int64_t first = 0; first < rows; first += workspace_.max_rows())
    chunk(first, std::min(workspace_.max_rows(), rows - first));
}

SequenceRecord SequenceRunner::run(std::span<const int32_t> tokens, bool keep_hidden) {
  SequenceRecord record;
  record.hidden.resize(static_cast<size_t>(model_.config.num_hidden_layers) + 1);
  Recorder recorder(record, keep_hidden);
  in_chunks(static_cast<int64_t>(tokens.size()), [&](int64_t first, int64_t count) {
    const auto part = tokens.subspan(static_cast<size_t>(first), static_cast<size_t>(count));
    append_rows<float>(record.final_hidden, forward_.layers(step(part, first), &recorder));
  });
  return record;
}

std::vector<float> SequenceRunner::logits(const SequenceRecord& record) {
  const int64_t width = model_.config.hidden_size, vocab = model_.config.vocab_size;
  const int64_t rows = static_cast<int64_t>(record.final_hidden.size()) / width;
  std::vector<float> out(static_cast<size_t>(rows * vocab)), normed(static_cast<size_t>(kChunk * width));
  in_chunks(rows, [&](int64_t first, int64_t count) {
    const Mat<float> x{normed.data(), count, width};
    forward_.final_norm({record.final_hidden.data() + first * width, count, width}, x);
    forward_.head(x, {out.data() + first * vocab, count, vocab});
  });
  return out;
}

std::vector<float> SequenceRunner::mtp_logits(std::span<const int32_t> tokens, SequenceRecord& record, int64_t k,
                                              bool prenorm) {
  const int64_t width = model_.config.hidden_size, vocab = model_.config.vocab_size;
  std::vector<float> previous = record.final_hidden, next;
  std::vector<float> normed(static_cast<size_t>(kChunk * width)), out;
  int64_t rows = static_cast<int64_t>(tokens.size());
  for (int64_t module = 0; module <= k; ++module) {
    --rows;
    next.clear();
    record.routing.erase(model_.config.num_hidden_layers + module);
    Recorder recorder(record, false);
    in_chunks(rows, [&](int64_t first, int64_t count) {
      const Mat<const float> hidden{previous.data() + first * width, count, width};
      const Mat<float> x{normed.data(), count, width};
      if (module == 0) forward_.final_norm(hidden, x);
      else forward_.mtp_norm(module - 1, hidden, x);
      const auto part = tokens.subspan(static_cast<size_t>(first + module + 1), static_cast<size_t>(count));
      const Mat<float> after = forward_.mtp(module, step(part, first), prenorm ? hidden : x, &recorder);
      append_rows<float>(next, after);
      if (module < k) return;
      forward_.mtp_norm(k, after, x);
      out.resize(static_cast<size_t>((first + count) * vocab));
      forward_.mtp_head(k, x, {out.data() + first * vocab, count, vocab});
    });
    previous = next;
  }
  return out;
}

std::vector<int32_t> SequenceRunner::greedy(std::span<const int32_t> prompt, int64_t count) {
  const int64_t width = model_.config.hidden_size, vocab = model_.config.vocab_size;
  std::vector<float> normed(static_cast<size_t>(width)), logits(static_cast<size_t>(vocab));
  std::vector<int32_t> tokens(prompt.begin(), prompt.end());
  int64_t done = 0;
  while (static_cast<int64_t>(tokens.size()) < static_cast<int64_t>(prompt.size()) + count) {
    const int64_t rows = std::min(static_cast<int64_t>(tokens.size()) - done, workspace_.max_rows());
    const auto part = std::span<const int32_t>(tokens).subspan(static_cast<size_t>(done), static_cast<size_t>(rows));
    const Mat<float> hidden = forward_.layers(step(part, done));
    done += rows;
    if (done < static_cast<int64_t>(tokens.size())) continue;
    const Mat<float> x{normed.data(), 1, width};
    forward_.final_norm(hidden.rows_from(rows - 1, 1), x);
    forward_.head(x, {logits.data(), 1, vocab});
    tokens.push_back(static_cast<int32_t>(std::max_element(logits.begin(), logits.end()) - logits.begin()));
  }
  return {tokens.begin() + static_cast<std::ptrdiff_t>(prompt.size()), tokens.end()};
}

}  // namespace fathom::eval
