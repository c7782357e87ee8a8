// What collective code is written against: a group of processes that exchange memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace fathom::dist {

// Every rank of a group makes the same calls in the same order. One thread at a time.
class Communicator {
 public:
  virtual ~Communicator() = default;

  virtual int rank() const = 0;
  virtual int size() const = 0;
  virtual void barrier() = 0;
  // Replaces `values` by the sum over ranks, added in rank order: the same bits on every rank and every run.
  virtual void all_reduce_sum(std::span<float> values) = 0;
  // Rank r's block goes to place r of every rank's `all`. REQUIRES: all.size() == own.size() * size().
  virtual void all_gather(std::span<const std::byte> own, std::span<std::byte> all) = 0;
  // Copies rank `root`'s bytes to all.
  virtual void broadcast(std::span<std::byte> bytes, int root) = 0;
};

// The group of one process.
std::unique_ptr<Communicator> make_local_communicator();

}  // namespace fathom::dist
