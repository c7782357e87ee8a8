// Models larger than memory: which weights stay and which are read from the disk when they are routed to.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

#include "model/expert_cache.h"
#include "model/model.h"

namespace fathom::model {

// Bytes of a model by how often a token touches them.
struct WeightBytes {
  int64_t dense =
      0;  // every token: attention, norms, routers, dense and shared FFNs, head; scales of all experts
  int64_t embedding = 0;      // one row a token
  int64_t experts = 0;        // all routed experts
  int64_t expert_scales = 0;  // of those, block scales, which always stay in memory
  int64_t experts_token = 0;  // those that one token uses
  int64_t mtp = 0;            // MTP modules, whole

  int64_t total() const { return dense + embedding + experts + mtp; }
  int64_t touched() const { return dense + experts_token; }
};
WeightBytes weight_bytes(const Model& model);

// What stays in memory when weights may take `budget` bytes.
struct ResidencyPlan {
  bool streams = false;         // experts are read as they are routed to
  uint64_t cache_bytes = 0;     // for experts, when streams
  int64_t experts_kept = 0;     // that fit in them
  double kept_share = 1;        // of all experts
  double disk_bytes_token = 0;  // read for a token when all experts are chosen equally often
  bool dense_fits = true;       // what every token touches stays
};
ResidencyPlan plan_residency(const Model& model, uint64_t budget);

// Keeps what every token touches in memory and, when not everything fits, owns the cache of experts.
class Residency {
 public:
  // `budget`: bytes that weights may take. `model`'s mapping outlives it; the Model may be moved. Throws
  // Exception.
  Residency(const Model& model, uint64_t budget);
  Residency(const Residency&) = delete;
  Residency& operator=(const Residency&) = delete;
  ~Residency();

  const ResidencyPlan& plan() const { return plan_; }
  bool streams() const { return plan_.streams; }
  // Where experts come from; null: all fit, and they are used where they are mapped.
  ExpertCache* experts() const { return experts_.get(); }

  // Reads what every token touches in a thread of its own, in the order of a step; with streams() also keeps
  // it locked in memory, as far as the system lets this process. Returns at once.
  void warm();

 private:
  struct Range {
    const std::byte* data;
    size_t bytes;
  };
  void warm_up();

  ResidencyPlan plan_;
  std::vector<Range> dense_;   // in order of a step
  std::vector<Range> scales_;  // of experts
  std::unique_ptr<ExpertCache> experts_;
  std::atomic<bool> stop_{false};
  std::thread warmer_;
};

}  // namespace fathom::model
