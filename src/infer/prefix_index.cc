#include "infer/prefix_index.h"

#include <algorithm>
#include <bit>

#include "base/check.h"
#include "base/rng.h"

namespace fathom::infer {
namespace {

uint64_t hash_of(int32_t parent, std::span<const int32_t> tokens) {
  uint64_t h = static_cast<uint32_t>(parent);
  for (int32_t t : tokens) {
    h = (h ^ static_cast<uint32_t>(t)) * 0x9E3779B97F4A7C15;
    h ^= h >> 29;
  }
  return h;
}

}  // namespace

PrefixIndex::PrefixIndex(int64_t blocks, int64_t block_tokens)
    : block_tokens_(block_tokens),
      entries_(static_cast<size_t>(blocks)),
      tokens_(static_cast<size_t>(blocks * (block_tokens + 1))),
      buckets_(std::bit_ceil(static_cast<size_t>(2 * blocks + 1)), kNone) {
  for (int64_t e = blocks; e-- > 0;) vacant_.push_back(static_cast<int32_t>(e));
}

std::span<const int32_t> PrefixIndex::tokens_of(int32_t entry) const {
  return std::span(tokens_).subspan(static_cast<size_t>(entry * (block_tokens_ + 1)),
                                    static_cast<size_t>(at(entry).token_count));
}

int32_t PrefixIndex::find(int32_t parent, std::span<const int32_t> tokens) const {
  const uint64_t hash = hash_of(parent, tokens);
  for (int32_t e = buckets_[hash & (buckets_.size() - 1)]; e != kNone; e = at(e).next_in_bucket)
    if (at(e).hash == hash && at(e).parent == parent && std::ranges::equal(tokens_of(e), tokens)) return e;
  return kNone;
}

int32_t PrefixIndex::insert(int32_t parent, std::span<const int32_t> tokens, int32_t block) {
  FATHOM_CHECK(!vacant_.empty() && find(parent, tokens) == kNone);
  const auto count = static_cast<int64_t>(tokens.size());
  FATHOM_CHECK(count == block_tokens_ || count == block_tokens_ + 1);
  const int32_t e = vacant_.back();
  vacant_.pop_back();
  const uint64_t hash = hash_of(parent, tokens);
  std::ranges::copy(tokens, tokens_.begin() + e * (block_tokens_ + 1));
  at(e) = {.hash = hash,
           .parent = parent,
           .block = block,
           .users = 1,
           .token_count = static_cast<int32_t>(count),
           .next_in_bucket = bucket(hash)};
  bucket(hash) = e;
  if (parent != kNone) ++at(parent).children;
  ++size_;
  return e;
}

void PrefixIndex::use(int32_t entry) {
  FATHOM_CHECK(at(entry).parent == kNone || at(at(entry).parent).users > 0);
  if (at(entry).users++ == 0) unlink_unused(entry);
}

void PrefixIndex::unuse(int32_t entry) {
  Entry& e = at(entry);
  FATHOM_CHECK(e.users > 0);
  if (--e.users > 0) return;
  e.older = newest_;
  e.newer = kNone;
  (newest_ == kNone ? oldest_ : at(newest_).newer) = entry;
  newest_ = entry;
  ++unused_;
}

void PrefixIndex::unlink_unused(int32_t entry) {
  Entry& e = at(entry);
  (e.older == kNone ? oldest_ : at(e.older).newer) = e.newer;
  (e.newer == kNone ? newest_ : at(e.newer).older) = e.older;
  e.older = e.newer = kNone;
  --unused_;
}

int32_t PrefixIndex::evict() {
  FATHOM_CHECK(unused_ > 0);
  const int32_t victim = oldest_;
  // An entry becomes unused after all below it, so the oldest has no children left.
  FATHOM_CHECK(at(victim).children == 0);
  unlink_unused(victim);
  int32_t* link = &bucket(at(victim).hash);
  while (*link != victim) link = &at(*link).next_in_bucket;
  *link = at(victim).next_in_bucket;
  if (at(victim).parent != kNone) --at(at(victim).parent).children;
  vacant_.push_back(victim);
  --size_;
  return at(victim).block;
}

}  // namespace fathom::infer
