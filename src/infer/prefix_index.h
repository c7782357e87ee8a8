// Finds blocks of the latent cache by the tokens that led to them, so that equal beginnings are computed
// once.
//
// A tree: an entry is a full block, its parent the block before it. Equality is decided on the tokens
// themselves, never on a hash. Entries that no sequence uses any more are kept until their blocks are needed,
// least recently used first and always the end of a beginning before its start.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace fathom::infer {

// Does not own blocks: whoever uses it (SequenceCache) holds the references. One thread at a time. Allocates
// nothing after construction.
class PrefixIndex {
 public:
  static constexpr int32_t kNone = -1;

  // At most `blocks` entries, whose blocks have `block_tokens` tokens.
  PrefixIndex(int64_t blocks, int64_t block_tokens);

  // The entry below `parent` (kNone: the root) for these tokens, else kNone. Tokens: those of the block, and
  // for blocks that depend on more (the MTP module's last entry was made with the next token) also what
  // follows.
  int32_t find(int32_t parent, std::span<const int32_t> tokens) const;
  // REQUIRES: find() gives kNone; block_tokens or block_tokens + 1 tokens; size() < blocks. The entry is in
  // use once.
  int32_t insert(int32_t parent, std::span<const int32_t> tokens, int32_t block);

  int32_t block(int32_t entry) const { return at(entry).block; }
  bool in_use(int32_t entry) const { return at(entry).users > 0; }
  int64_t size() const { return size_; }
  // Entries that no sequence uses.
  int64_t unused() const { return unused_; }

  // One more sequence uses the entry; its parents must be in use too.
  void use(int32_t entry);
  // One sequence fewer; last entries of a sequence first.
  void unuse(int32_t entry);
  // Forgets the least recently used entry that nobody uses and returns its block. REQUIRES: unused() > 0.
  int32_t evict();

 private:
  struct Entry {
    uint64_t hash = 0;
    int32_t parent = kNone, block = kNone, users = 0, children = 0, token_count = 0;
    int32_t next_in_bucket = kNone;
    int32_t older = kNone, newer = kNone;  // neighbours among the unused
  };
  Entry& at(int32_t entry) { return entries_[static_cast<size_t>(entry)]; }
  const Entry& at(int32_t entry) const { return entries_[static_cast<size_t>(entry)]; }
  std::span<const int32_t> tokens_of(int32_t entry) const;
  int32_t& bucket(uint64_t hash) { return buckets_[hash & (buckets_.size() - 1)]; }
  void unlink_unused(int32_t entry);

  int64_t block_tokens_;
  std::vector<Entry> entries_;
  std::vector<int32_t> tokens_;   // [blocks, block_tokens + 1]
  std::vector<int32_t> buckets_;  // first entry of each, a power of two
  std::vector<int32_t> vacant_;
  int64_t size_ = 0, unused_ = 0;
  int32_t oldest_ = kNone, newest_ = kNone;
};

}  // namespace fathom::infer
