// Blocks of the latent cache on disk, so that a prompt which was computed before a restart need not be
// computed again.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <set>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "infer/block_key.h"

namespace fathom::infer {

class SqliteConnection;

struct BlockStoreOptions {
  std::string directory;                    // made if missing, for this user alone
  uint64_t max_bytes = uint64_t{16} << 30;  // of everything in it; at least BlockStore::kLeastBytes
  Digest model{};                           // of everything beside the tokens that a block's bytes depend on
  size_t block_bytes = 0;
};

struct BlockStoreStats {
  uint64_t loaded = 0, saved = 0;
  uint64_t missed = 0;   // asked for and not there
  uint64_t evicted = 0;  // deleted to make room
  uint64_t bytes = 0;    // of the database, blocks of all models
  uint64_t damaged = 0;  // blocks whose checksum was wrong: forgotten
  uint64_t dropped = 0;  // blocks that the disk did not take, or not in time
};

// An SQLite database holds index and blocks. It survives kill -9; one that is damaged is replaced by an empty
// one, for it can only cost time. Blocks of other models or precisions are never found, and make room when it
// is needed. The block used longest ago goes first. load() from one thread, the rest from any; saving happens
// on a thread of its own and holds up nobody. Nothing but construction throws: a failing disk costs hits, not
// answers.
class BlockStore {
 public:
  static constexpr uint64_t kLeastBytes = uint64_t{64} << 20;

  // Throws Exception naming the directory or --cache-disk.
  explicit BlockStore(BlockStoreOptions options);
  // Writes what waits.
  ~BlockStore();
  BlockStore(const BlockStore&) = delete;
  BlockStore& operator=(const BlockStore&) = delete;

  // What a chain of digests begins with.
  const Digest& root() const { return options_.model; }
  size_t block_bytes() const { return options_.block_bytes; }

  // Fills `bytes`, block_bytes() of them, with the block of this key, if it is there and undamaged.
  bool load(const Digest& key, std::span<std::byte> bytes);
  bool has(const Digest& key) const;
  // Whether saving is worth the copy: it is not there, and the queue has room.
  bool wants(const Digest& key) const;
  void save(const Digest& key, std::vector<std::byte> bytes);
  // Waits until everything handed over is written.
  void flush();

  BlockStoreStats stats() const;

 private:
  struct Task {
    Digest key;
    std::vector<std::byte> bytes;  // empty: note that the block was used
  };
  std::string file() const;
  void open();
  bool open_connections();
  void read_keys();
  void work();
  void write(const Task& task);
  bool insert(const Task& task);
  bool remove(const Digest& key);
  bool make_room();
  int64_t used_pages();
  void forget(const Digest& key);

  BlockStoreOptions options_;
  std::unique_ptr<SqliteConnection> reader_, writer_;
  int64_t clock_ = 0;  // of the writer's thread: larger for what was used later

  mutable std::mutex mutex_;  // guards what follows
  std::condition_variable wake_, idle_;
  std::deque<Task> tasks_;
  std::set<Digest> known_;  // of this model, in the database or on the way to it
  size_t waiting_bytes_ = 0;
  bool writing_ = false, ending_ = false;
  BlockStoreStats stats_;
  std::thread thread_;
};

}  // namespace fathom::infer
