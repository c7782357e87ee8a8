#include "model/random_checkpoint.h"

#include <algorithm>
#include <cstring>
#include <future>
#include <span>

#include "io/sharded_writer.h"
#include "model/parameters.h"
#include "numeric/normal.h"
#include "numeric/quantize.h"

namespace fathom::model {
namespace {

constexpr uint64_t kBatchBytes = uint64_t{32} << 20;  // generated while the batch before is written
constexpr uint64_t kChunkBytes = uint64_t{1} << 20;   // of one thread
constexpr int64_t kPiece = 4096;  // values between generation and rounding: stays in the L1 cache

// One tensor to write, and its scales when it has some.
struct Planned {
  ParameterKind kind;
  DType dtype;
  int64_t rows, cols;
  uint64_t stream;            // of random numbers, from the name
  size_t tensor, scales = 0;  // numbers in the writer

  bool quantized() const { return dtype == DType::e4m3; }
  uint64_t row_bytes() const { return static_cast<uint64_t>(cols) * size_of(dtype); }
  int64_t rows_a_chunk() const {
    if (quantized()) return kScaleBlock;
    return std::max<int64_t>(1, static_cast<int64_t>(kChunkBytes / std::max<uint64_t>(1, row_bytes())));
  }
};

// Rows of one tensor, made by one thread.
struct Chunk {
  const Planned* tensor;
  int64_t first_row, rows;
  size_t at, scales_at;  // in the batch
};

struct Batch {
  std::vector<Chunk> chunks;
  std::vector<std::byte> bytes;
  std::vector<float> scales;
};

DType stored_type(ParameterKind kind, CheckpointType type) {
  if (type == CheckpointType::f32 || kind == ParameterKind::router_bias) return DType::f32;
  return type == CheckpointType::fp8 && kind == ParameterKind::projection ? DType::e4m3 : DType::bf16;
}

// FNV-1a; Philox does the mixing.
uint64_t stream_of(std::string_view name) {
  uint64_t hash = 0xcbf29ce484222325;
  for (const char c : name) hash = (hash ^ static_cast<uint8_t>(c)) * 0x100000001b3;
  return hash;
}

// The tensor whose values a parameter has.
std::string_view source_of(const ParameterSpec& spec) {
  if (spec.kind != ParameterKind::shared_copy) return spec.name;
  return spec.name.ends_with("embed_tokens.weight") ? "model.embed_tokens.weight" : "lm_head.weight";
}

class RandomWeights {
 public:
  RandomWeights(const Config& config, const RandomCheckpointOptions& options)
      : options_(options),
        format_(config.scale_format),
        deviation_(static_cast<float>(config.initializer_range)) {
    Parameters parameters = empty_parameters(config);
    for_each_parameter(config, parameters, [&](const ParameterSpec& spec, Weight&) { plan(spec); });
  }

  std::vector<io::TensorDeclaration> take_declarations() { return std::move(declarations_); }

  void write(io::ShardedWriter& writer, ThreadPool& pool) {
    Batch batches[2];
    std::future<Status> writing;
    size_t turn = 0;
    while (next_batch(batches[turn])) {
      fill(batches[turn], pool);
      if (writing.valid()) writing.get().value();
      report(batches[1 - turn]);
      writing =
          std::async(std::launch::async, [&writer, &batch = batches[turn]] { return append(writer, batch); });
      turn = 1 - turn;
    }
    if (writing.valid()) writing.get().value();
    report(batches[1 - turn]);
  }

 private:
  void plan(const ParameterSpec& spec) {
    Planned p{.kind = spec.kind,
              .dtype = stored_type(spec.kind, options_.type),
              .rows = spec.rows,
              .cols = spec.cols,
              .stream = stream_of(source_of(spec)),
              .tensor = declarations_.size()};
    declarations_.push_back(
        {spec.name, p.dtype, spec.is_vector() ? Shape{spec.cols} : Shape{spec.rows, spec.cols}});
    if (p.quantized()) {
      p.scales = declarations_.size();
      declarations_.push_back(
          {spec.name + "_scale_inv", DType::f32, Shape{scale_blocks(spec.rows), scale_blocks(spec.cols)}});
    }
    planned_.push_back(p);
  }

  // The next chunks in order, about kBatchBytes of them; false at the end.
  bool next_batch(Batch& batch) {
    batch.chunks.clear();
    size_t bytes = 0, scales = 0;
    while (next_ < planned_.size() && bytes < kBatchBytes) {
      const Planned& p = planned_[next_];
      const int64_t rows = std::min(p.rows_a_chunk(), p.rows - next_row_);
      batch.chunks.push_back({&p, next_row_, rows, bytes, scales});
      bytes += static_cast<size_t>(rows) * p.row_bytes();
      bytes = (bytes + 63) / 64 * 64;
      if (p.quantized()) scales += static_cast<size_t>(scale_blocks(p.cols));
      next_row_ += rows;
      if (next_row_ == p.rows) ++next_, next_row_ = 0;
    }
    batch.bytes.resize(std::max(batch.bytes.size(), bytes));
    batch.scales.resize(std::max(batch.scales.size(), scales));
    return !batch.chunks.empty();
  }

  void fill(Batch& batch, ThreadPool& pool) const {
    pool.run(static_cast<int64_t>(batch.chunks.size()), [&](int64_t i, int thread) {
      const Chunk& chunk = batch.chunks[static_cast<size_t>(i)];
      std::byte* out = batch.bytes.data() + chunk.at;
      if (!chunk.tensor->quantized()) return fill_plain(chunk, out);
      constexpr size_t kBlockBytes = sizeof(float) * kScaleBlock * kScaleBlock;
      float* block = reinterpret_cast<float*>(pool.scratch(thread, kBlockBytes));
      fill_quantized(chunk, block, reinterpret_cast<e4m3*>(out), batch.scales.data() + chunk.scales_at);
    });
  }

  void fill_plain(const Chunk& chunk, std::byte* out) const {
    const Planned& p = *chunk.tensor;
    float values[kPiece];
    int64_t first = chunk.first_row * p.cols;
    for (int64_t left = chunk.rows * p.cols; left > 0;) {
      const int64_t count = std::min(left, kPiece);
      if (p.kind == ParameterKind::norm || p.kind == ParameterKind::router_bias)
        std::fill_n(values, count, p.kind == ParameterKind::norm ? 1.0f : 0.0f);
      else
        normal_.fill(options_.seed, p.stream, static_cast<uint64_t>(first), count, deviation_, values);
      if (p.dtype == DType::bf16)
        to_bf16_row(values, count, reinterpret_cast<bf16*>(out));
      else
        std::memcpy(out, values, static_cast<size_t>(count) * sizeof(float));
      out += static_cast<size_t>(count) * size_of(p.dtype);
      first += count, left -= count;
    }
  }

  // A row of blocks. `block` holds one as floats.
  void fill_quantized(const Chunk& chunk, float* block, e4m3* out, float* scales) const {
    const Planned& p = *chunk.tensor;
    for (int64_t col = 0; col < p.cols; col += kScaleBlock) {
      const int64_t cols = std::min(kScaleBlock, p.cols - col);
      for (int64_t r = 0; r < chunk.rows; ++r)
        normal_.fill(options_.seed, p.stream, static_cast<uint64_t>((chunk.first_row + r) * p.cols + col),
                     cols, deviation_, block + r * kScaleBlock);
      scales[col / kScaleBlock] =
          quantize_block(block, kScaleBlock, chunk.rows, cols, format_, out + col, p.cols);
    }
  }

  static Status append(io::ShardedWriter& writer, const Batch& batch) {
    for (const Chunk& chunk : batch.chunks) {
      const Planned& p = *chunk.tensor;
      const std::span data(batch.bytes.data() + chunk.at, static_cast<size_t>(chunk.rows) * p.row_bytes());
      if (Status s = writer.append(p.tensor, data); !s) return s;
      if (!p.quantized()) continue;
      const std::span scales(batch.scales.data() + chunk.scales_at,
                             static_cast<size_t>(scale_blocks(p.cols)));
      if (Status s = writer.append(p.scales, std::as_bytes(scales)); !s) return s;
    }
    return Ok{};
  }

  void report(const Batch& batch) const {
    if (!options_.on_written) return;
    uint64_t bytes = 0;
    for (const Chunk& chunk : batch.chunks) {
      bytes += static_cast<uint64_t>(chunk.rows) * chunk.tensor->row_bytes();
      if (chunk.tensor->quantized())
        bytes += static_cast<uint64_t>(scale_blocks(chunk.tensor->cols)) * sizeof(float);
    }
    if (bytes > 0) options_.on_written(bytes);
  }

  const RandomCheckpointOptions& options_;
  const ScaleFormat format_;
  const float deviation_;
  const NormalSource normal_;
  std::vector<Planned> planned_;
  std::vector<io::TensorDeclaration> declarations_;
  size_t next_ = 0;
  int64_t next_row_ = 0;
};

}  // namespace

uint64_t checkpoint_bytes(const Config& config, CheckpointType type) {
  Parameters parameters = empty_parameters(config);
  uint64_t total = 0;
  bool overflow = false;
  for_each_parameter(config, parameters, [&](const ParameterSpec& spec, Weight&) {
    const DType dtype = stored_type(spec.kind, type);
    // A configuration's largest matrix has 2^52 elements, so one tensor cannot overflow.
    uint64_t bytes = static_cast<uint64_t>(spec.rows * spec.cols) * size_of(dtype);
    if (dtype == DType::e4m3)
      bytes += static_cast<uint64_t>(scale_blocks(spec.rows) * scale_blocks(spec.cols)) * sizeof(float);
    overflow = __builtin_add_overflow(total, bytes, &total) || overflow;
  });
  return overflow ? UINT64_MAX : total;
}

void write_random_checkpoint(const Config& config, const std::string& directory,
                             const RandomCheckpointOptions& options, ThreadPool& pool) {
  if (checkpoint_bytes(config, options.type) > static_cast<uint64_t>(INT64_MAX))
    throw Exception(
        {"--config", {}, "describes a model of more than 2^63 bytes", "use sizes that fit a disk"});
  RandomWeights weights(config, options);
  io::ShardedWriter writer =
      io::ShardedWriter::create(directory, weights.take_declarations(),
                                {.max_shard_bytes = options.max_shard_bytes, .cancelled = options.cancelled})
          .value();
  for (const auto& [name, text] : options.files) writer.add_file(name, text).value();
  weights.write(writer, pool);
  writer.commit().value();
}

}  // namespace fathom::model
