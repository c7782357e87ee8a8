// Models larger than memory: which weights stay and which are read from the disk when they are routed to.
#pragma once

#include <cstdint>

#include "base/thread_pool.h"
#include "model/model.h"

namespace fathom::model {

// Bytes of a model by how often a token touches them.
struct WeightBytes {
  int64_t dense = 0;          // every token: attention, norms, routers, dense and shared FFNs, head
  int64_t embedding = 0;      // one row a token
  int64_t experts = 0;        // all routed experts
  int64_t experts_token = 0;  // those that one token uses
  int64_t mtp = 0;            // MTP modules, whole

  int64_t total() const { return dense + embedding + experts + mtp; }
  int64_t touched() const { return dense + experts_token; }
};
WeightBytes weight_bytes(const Model& model);

// Decides once, from the memory this process may use, whether the experts fit. Thread-safe after construction.
class Residency {
 public:
  // `budget`: bytes that weights may take. `model` outlives it.
  Residency(const Model& model, uint64_t budget);
  Residency(const Residency&) = delete;
  Residency& operator=(const Residency&) = delete;
  ~Residency();

  // Whether experts are read from the disk as they are routed to.
  bool streams() const { return streams_; }
  uint64_t budget() const { return budget_; }

  // Keeps what every token touches in memory when experts compete with it for pages: locks it as it is first touched.
  // Does nothing when all fits. Returns the bytes now locked; 0 also when the system allows no locking.
  uint64_t keep_dense();

  // Asks the disk for an expert's weights at once, before any product waits for them. Only when streams().
  void want(const FfnParameters& expert) const;

 private:
  const Model& model_;
  uint64_t budget_;
  bool streams_;
  uint64_t locked_ = 0;
};

}  // namespace fathom::model
