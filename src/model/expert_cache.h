// Routed experts of a model larger than memory: a bounded set of them in memory, the others read as they are
// chosen.
//
// Reads go past the page cache in large pieces from several threads, so that the disk is busy while experts
// that are already here are computed, and nothing else is pushed out of memory. What was used longest ago
// makes room.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <span>
#include <thread>
#include <vector>

#include "base/direct_file.h"
#include "model/model.h"
#include "model/workspace.h"
#include "tensor/buffer.h"

namespace fathom::model {

// One layer at a time, from one thread:
//   begin(layer, ...); do { use(next()); } while (!done());
// After the first step it allocates nothing.
class ExpertCache {
 public:
  // As many experts as fit `bytes`, at least one token's. `model`'s mapping outlives it; the Model may be
  // moved. Throws Exception when a file cannot be opened.
  ExpertCache(const Model& model, size_t bytes);
  ~ExpertCache();
  ExpertCache(const ExpertCache&) = delete;
  ExpertCache& operator=(const ExpertCache&) = delete;

  // Bytes of memory that one expert takes in the cache; 0 for a model without experts.
  static size_t expert_bytes(const Model& model);
  // Experts that a cache of `bytes` holds.
  static int64_t capacity_of(const Model& model, size_t bytes);

  int64_t capacity() const { return static_cast<int64_t>(slots_.size()); }

  // Asks the disk for every expert that rows chose and that is not here. `offset` [E + 1]: expert e was
  // chosen when offset[e + 1] > offset[e]. Ends what an unfinished layer had left.
  void begin(std::span<const FfnParameters> experts, int64_t layer, std::span<const int32_t> offset);
  // Experts whose weights are in memory until the next call of anything: first those that were here already,
  // perhaps none; then, waiting for at least one, those that have arrived. Throws Exception when the disk
  // fails.
  std::span<const ChosenExpert> next();
  bool done() const { return handed_out_ == wanted_; }

 private:
  struct Part {
    uint64_t offset = 0;  // in the file, aligned
    size_t bytes = 0;     // aligned
    std::byte* to = nullptr;
    const DirectFile* file = nullptr;  // null: nothing to read
  };
  struct Slot {
    std::byte* memory = nullptr;
    int64_t key = -1;  // layer * E + expert; -1: empty
    int32_t expert = 0;
    FfnParameters weights;
    Part parts[3];
    int32_t pieces = 0, claimed = 0, arrived = 0;
    bool failed = false;
    int32_t older = -1, newer = -1;  // in the order of use, while not in use
  };
  struct MappedRange {
    const std::byte* begin;
    const std::byte* end;
    size_t file;
  };

  void settle();
  void start_reads();
  void place(Slot& slot, const FfnParameters& expert);
  Part place_part(const Weight& from, Weight& to, std::byte*& memory) const;
  void unlink(int32_t slot);
  void append_newest(int32_t slot);
  void hand_out(int32_t slot);
  void read_pieces();
  Status read_piece(const Slot& slot, int32_t piece) const;

  int64_t experts_;
  std::vector<MappedRange> mapped_;  // by address
  std::vector<DirectFile> files_;
  Buffer memory_;
  std::vector<Slot> slots_;
  std::vector<int32_t> slot_of_;  // by key; -1: not here
  int32_t oldest_ = -1, newest_ = -1;

  std::span<const FfnParameters> layer_experts_;
  int64_t layer_ = 0, wanted_ = 0, handed_out_ = 0;
  std::vector<int32_t> missing_;  // experts of the layer without a slot yet, next_missing_ on
  size_t next_missing_ = 0;
  std::vector<int32_t> in_use_;  // slots of the last next()
  std::vector<ChosenExpert> group_;
  bool first_ = false;

  std::mutex mutex_;  // guards what follows, and what says how far slots being read are
  std::condition_variable work_, arrival_;
  std::vector<int32_t> queue_;  // slots being read, in order; a ring
  size_t queue_begin_ = 0, queue_size_ = 0;
  std::vector<int32_t> arrived_;
  int64_t reading_ = 0;  // pieces that threads are at
  std::optional<Error> failure_;
  bool stop_ = false;
  std::vector<std::thread> readers_;
};

}  // namespace fathom::model
