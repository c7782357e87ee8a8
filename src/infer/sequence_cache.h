// The latent cache as sequences use it: admission by reservation, blocks on demand, beginnings shared.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "infer/block_store.h"
#include "infer/latent_pool.h"
#include "infer/prefix_index.h"

namespace fathom::infer {

// What one sequence holds. `table` is the row of the engine's block tables that kernels read.
struct SequenceBlocks {
  std::span<int32_t> table;  // block of every 64 positions; the first `count` are valid
  int64_t count = 0;
  int64_t reserved = 0;          // blocks the sequence may still take
  std::vector<int32_t> entries;  // of the prefix index, for the leading blocks it knows
  Digest chain{};                // of the tokens of those; with a store only
};

// One thread at a time. Every admitted sequence can take all blocks it reserved: what others left behind is
// forgotten for it, what running sequences hold never is.
class SequenceCache {
 public:
  // `share`: whether equal beginnings are found and kept.
  // `store` keeps full blocks beyond this process; may be null, else it outlives the cache.
  SequenceCache(const model::Config& config, Mode mode, int64_t blocks, bool share,
                BlockStore* store = nullptr);

  const LatentPool& pool() const { return pool_; }
  int64_t tokens() const { return pool_.blocks() * kernels::kBlockTokens; }
  // Blocks that running sequences hold or have reserved.
  int64_t blocks_in_use() const { return pool_.blocks() - pool_.free_blocks() - index_.unused() + promised_; }
  int64_t blocks_remembered() const { return index_.unused(); }

  // Tokens of the prompt that admit() would take over, from memory or disk.
  int64_t known_tokens(std::span<const int32_t> prompt, bool module) const;
  // Reserves room for `total` tokens and takes over what is known of the prompt, at most all but its last
  // token. False when there is no room now. `module`: the MTP module's entries are needed too. `blocks.table`
  // is set by the caller. After success `blocks.count` blocks are filled. REQUIRES: blocks_for(total) <=
  // pool().blocks().
  bool admit(std::span<const int32_t> prompt, int64_t total, bool module, SequenceBlocks& blocks);
  // Makes positions below `tokens` writable. REQUIRES: within the reservation.
  void grow(SequenceBlocks& blocks, int64_t tokens);
  // Offers full blocks to others: of `tokens`, positions below `computed` are in the cache, and of the MTP
  // module those below `module_computed` (which never exceeds tokens.size() - 1). A block that another
  // sequence offered before is given back for that one, which holds the same bytes.
  void publish(SequenceBlocks& blocks, std::span<const int32_t> tokens, int64_t computed,
               int64_t module_computed);
  void release(SequenceBlocks& blocks);

 private:
  int32_t find(int32_t parent, std::span<const int32_t> tokens, int64_t block, bool module) const;
  int64_t stored_blocks(std::span<const int32_t> prompt, int64_t first, bool module) const;
  int32_t acquire();
  void load_stored(std::span<const int32_t> prompt, bool module, SequenceBlocks& blocks);
  void save(const Digest& chain, std::span<const int32_t> part, int32_t block);

  LatentPool pool_;
  PrefixIndex index_;
  bool share_;
  BlockStore* store_;
  std::vector<std::byte> staging_;  // one block
  int64_t promised_ = 0;
};

}  // namespace fathom::infer
