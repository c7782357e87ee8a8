#include "infer/sequence_cache.h"

#include "base/check.h"

namespace fathom::infer {

using kernels::kBlockTokens;

SequenceCache::SequenceCache(const model::Config& config, Mode mode, int64_t blocks, bool share,
                             BlockStore* store)
    : pool_(config, mode, blocks), index_(share ? blocks : 0, kBlockTokens), share_(share), store_(store) {
  if (store_ != nullptr) staging_.resize(store_->block_bytes());
}

// The entry for block number `block` of `tokens`. One with the MTP module's entries serves everybody; it is
// known by the token after the block too.
int32_t SequenceCache::find(int32_t parent, std::span<const int32_t> tokens, int64_t block,
                            bool module) const {
  const size_t begin = static_cast<size_t>(block * kBlockTokens), count = static_cast<size_t>(kBlockTokens);
  int32_t entry = PrefixIndex::kNone;
  if (tokens.size() > begin + count) entry = index_.find(parent, tokens.subspan(begin, count + 1));
  if (entry == PrefixIndex::kNone && !module) entry = index_.find(parent, tokens.subspan(begin, count));
  return entry;
}

int64_t SequenceCache::known_tokens(std::span<const int32_t> prompt, bool module) const {
  if (!share_) return 0;
  int64_t blocks = 0;
  int32_t parent = PrefixIndex::kNone;
  for (; (blocks + 1) * kBlockTokens < static_cast<int64_t>(prompt.size()); ++blocks) {
    parent = find(parent, prompt, blocks, module);
    if (parent == PrefixIndex::kNone) break;
  }
  if (store_ != nullptr) blocks += stored_blocks(prompt, blocks, module);
  return blocks * kBlockTokens;
}

// How many blocks from number `first` on the disk has.
int64_t SequenceCache::stored_blocks(std::span<const int32_t> prompt, int64_t first, bool module) const {
  const auto size = static_cast<size_t>(kBlockTokens), begin = static_cast<size_t>(first);
  Digest chain = store_->root();
  for (size_t j = 0; (j + 1) * size < prompt.size(); ++j) {
    const auto part = prompt.subspan(j * size, size);
    if (j >= begin && !store_->has(digest_of(chain, prompt.subspan(j * size, size + 1))) &&
        (module || !store_->has(digest_of(chain, part))))
      return static_cast<int64_t>(j - begin);
    chain = digest_of(chain, part);
  }
  return static_cast<int64_t>((prompt.size() - 1) / size - begin);
}

bool SequenceCache::admit(std::span<const int32_t> prompt, int64_t total, bool module, SequenceBlocks& b) {
  b.count = 0;
  b.entries.clear();
  const int64_t needed = LatentPool::blocks_for(total);
  b.entries.reserve(static_cast<size_t>(needed));
  const int64_t prompt_tokens = static_cast<int64_t>(prompt.size());
  int32_t parent = PrefixIndex::kNone;
  int64_t unused_hits = 0;
  for (int64_t j = 0; share_ && (j + 1) * kBlockTokens < prompt_tokens; ++j) {
    const int32_t entry = find(parent, prompt, j, module);
    if (entry == PrefixIndex::kNone) break;
    if (!index_.in_use(entry)) ++unused_hits;
    b.entries.push_back(parent = entry);
  }
  const int64_t hits = static_cast<int64_t>(b.entries.size());
  const int64_t available = pool_.free_blocks() + index_.unused() - unused_hits - promised_;
  if (needed - hits > available) {
    b.entries.clear();
    return false;
  }
  for (int32_t entry : b.entries) {
    index_.use(entry);
    b.table[static_cast<size_t>(b.count++)] = index_.block(entry);
  }
  b.reserved = needed - hits;
  promised_ += b.reserved;
  if (store_ != nullptr) load_stored(prompt, module, b);
  return true;
}

// Takes over what the disk knows of the prompt beyond what memory does. Nothing is decided on it but speed.
void SequenceCache::load_stored(std::span<const int32_t> prompt, bool module, SequenceBlocks& b) {
  const auto size = static_cast<size_t>(kBlockTokens);
  b.chain = store_->root();
  for (size_t j = 0; j < b.entries.size(); ++j) b.chain = digest_of(b.chain, prompt.subspan(j * size, size));
  for (size_t j = b.entries.size(); (j + 1) * size < prompt.size(); ++j) {
    auto part = prompt.subspan(j * size, size + 1);
    if (!store_->load(digest_of(b.chain, part), staging_)) {
      part = prompt.subspan(j * size, size);
      if (module || !store_->load(digest_of(b.chain, part), staging_)) return;
    }
    grow(b, static_cast<int64_t>((j + 1) * size));
    pool_.copy_in(staging_, b.table[j]);
    b.entries.push_back(index_.insert(j == 0 ? PrefixIndex::kNone : b.entries.back(), part, b.table[j]));
    b.chain = digest_of(b.chain, prompt.subspan(j * size, size));
  }
}

void SequenceCache::save(const Digest& chain, std::span<const int32_t> part, int32_t block) {
  const Digest key = digest_of(chain, part);
  if (!store_->wants(key)) return;
  std::vector<std::byte> bytes(store_->block_bytes());
  pool_.copy_out(block, bytes);
  store_->save(key, std::move(bytes));
}

int32_t SequenceCache::acquire() {
  if (pool_.free_blocks() == 0) pool_.release(index_.evict());
  return pool_.acquire();
}

void SequenceCache::grow(SequenceBlocks& b, int64_t tokens) {
  for (const int64_t wanted = LatentPool::blocks_for(tokens); b.count < wanted; --b.reserved, --promised_) {
    FATHOM_CHECK(b.reserved > 0);
    b.table[static_cast<size_t>(b.count++)] = acquire();
  }
}

void SequenceCache::publish(SequenceBlocks& b, std::span<const int32_t> tokens, int64_t computed,
                            int64_t module_computed) {
  if (!share_) return;
  for (auto j = static_cast<int64_t>(b.entries.size()); (j + 1) * kBlockTokens <= computed; ++j) {
    const bool module = (j + 1) * kBlockTokens <= module_computed;
    const auto tokens_of_block =
        tokens.subspan(static_cast<size_t>(j * kBlockTokens), static_cast<size_t>(kBlockTokens));
    const int32_t parent = j == 0 ? PrefixIndex::kNone : b.entries.back();
    int32_t& block = b.table[static_cast<size_t>(j)];
    const int32_t known = find(parent, tokens, j, module);
    if (known != PrefixIndex::kNone) {
      pool_.release(block);
      index_.use(known);
      block = index_.block(known);
      b.entries.push_back(known);
      if (store_ != nullptr) b.chain = digest_of(b.chain, tokens_of_block);
      continue;
    }
    const auto part = tokens.subspan(static_cast<size_t>(j * kBlockTokens),
                                     static_cast<size_t>(kBlockTokens + (module ? 1 : 0)));
    b.entries.push_back(index_.insert(parent, part, block));
    if (store_ == nullptr) continue;
    save(b.chain, part, block);
    b.chain = digest_of(b.chain, tokens_of_block);
  }
}

void SequenceCache::release(SequenceBlocks& b) {
  const auto shared = static_cast<int64_t>(b.entries.size());
  for (int64_t j = b.count; j-- > 0;) {
    if (j < shared)
      index_.unuse(b.entries[static_cast<size_t>(j)]);
    else
      pool_.release(b.table[static_cast<size_t>(j)]);
  }
  promised_ -= b.reserved;
  b.count = b.reserved = 0;
  b.entries.clear();
}

}  // namespace fathom::infer
