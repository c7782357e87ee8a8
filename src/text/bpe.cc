#include "text/bpe.h"

#include <algorithm>
#include <cstring>
#include <functional>
#include <queue>

namespace fathom::text {
namespace {

constexpr size_t kShortPiece = 48;  // bytes up to which scanning for the lowest rank beats a heap

uint64_t mix(uint64_t a) {
  a *= 0x9E3779B97F4A7C15u;
  return a ^ (a >> 29);
}

uint64_t hash_of(std::string_view bytes) {
  uint64_t h = mix(bytes.size() + 1);
  const char* at = bytes.data();
  size_t left = bytes.size();
  for (; left >= 8; at += 8, left -= 8) {
    uint64_t word;
    std::memcpy(&word, at, 8);
    h = mix(h ^ word);
  }
  uint64_t word = 0;
  for (size_t i = 0; i < left; ++i) word = word << 8 | static_cast<uint8_t>(at[i]);
  h = mix(h ^ word);
  return h ^ (h >> 32);
}

}  // namespace

std::string_view Bpe::bytes(int32_t id) const {
  const auto i = static_cast<size_t>(id);
  return std::string_view(blob_).substr(offset_[i], offset_[i + 1] - offset_[i]);
}

// The slot that holds these bytes, or the free one where they belong. While the vocabulary is being filled
// the last entry has no end yet, so only entries before it are compared.
size_t Bpe::slot_of(std::string_view wanted) const {
  const size_t mask = slots_.size() - 1;
  size_t slot = hash_of(wanted) & mask;
  while (slots_[slot] >= 0 && bytes(slots_[slot]) != wanted) slot = (slot + 1) & mask;
  return slot;
}

int32_t Bpe::find(std::string_view wanted) const {
  return wanted.empty() || wanted.size() > longest_ ? -1 : slots_[slot_of(wanted)];
}

int32_t Bpe::find_unspellable(std::string_view text) const {
  const auto found = std::lower_bound(unspellable_.begin(), unspellable_.end(), text,
                                      [this](int32_t id, std::string_view t) { return bytes(id) < t; });
  return found != unspellable_.end() && bytes(*found) == text ? *found : -1;
}

Bpe::PairSlot& Bpe::pair_slot(uint64_t pair) {
  const size_t mask = pairs_.size() - 1;
  size_t slot = mix(pair) & mask;
  while (pairs_[slot].pair != pair && pairs_[slot].pair != kNoPair) slot = (slot + 1) & mask;
  return pairs_[slot];
}

Bpe::Merged Bpe::merged(int32_t left, int32_t right) const {
  const uint64_t pair = static_cast<uint64_t>(left) << 32 | static_cast<uint32_t>(right);
  const size_t mask = pairs_.size() - 1;
  for (size_t slot = mix(pair) & mask;; slot = (slot + 1) & mask) {
    if (pairs_[slot].pair == pair) return pairs_[slot].merged;
    if (pairs_[slot].pair == kNoPair) return {};
  }
}

void Bpe::encode(std::string_view piece, std::vector<int32_t>& ids) const {
  const int32_t id = find(piece);
  std::atomic<uint8_t>* whole = id >= 0 ? &whole_[static_cast<size_t>(id)] : nullptr;
  if (whole != nullptr && (ignore_merges_ || whole->load(std::memory_order_relaxed) == kItself)) {
    ids.push_back(id);
    return;
  }
  const size_t before = ids.size();
  if (piece.size() <= kShortPiece)
    merge_short(piece, ids);
  else
    merge_long(piece, ids);
  if (whole != nullptr) {
    const bool itself = ids.size() == before + 1 && ids.back() == id;
    whole->store(itself ? kItself : kOther, std::memory_order_relaxed);
  }
}

void Bpe::merge_short(std::string_view piece, std::vector<int32_t>& ids) const {
  std::array<int32_t, kShortPiece> symbol;
  std::array<Merged, kShortPiece> next;  // what symbols i and i + 1 merge into
  size_t n = piece.size();
  for (size_t i = 0; i < n; ++i) symbol[i] = byte_id_[static_cast<uint8_t>(piece[i])];
  for (size_t i = 0; i + 1 < n; ++i) next[i] = merged(symbol[i], symbol[i + 1]);
  while (n > 1) {
    size_t best = 0;
    for (size_t i = 1; i + 1 < n; ++i)
      if (next[i].rank < next[best].rank) best = i;
    if (next[best].rank == kNoRank) break;
    symbol[best] = next[best].id;
    --n;
    for (size_t i = best + 1; i < n; ++i) {
      symbol[i] = symbol[i + 1];
      next[i - 1] = next[i];
    }
    if (best > 0) next[best - 1] = merged(symbol[best - 1], symbol[best]);
    if (best + 1 < n) next[best] = merged(symbol[best], symbol[best + 1]);
  }
  ids.insert(ids.end(), symbol.begin(), symbol.begin() + static_cast<std::ptrdiff_t>(n));
}

void Bpe::merge_long(std::string_view piece, std::vector<int32_t>& ids) const {
  struct Symbol {
    int32_t id;              // -1: absorbed by the one before
    uint32_t before, after;  // neighbours; `end` after the last
    Merged next;             // with the one after
  };
  const auto end = static_cast<uint32_t>(piece.size());
  std::vector<Symbol> symbols(end);
  for (uint32_t i = 0; i < end; ++i)
    symbols[i] = {byte_id_[static_cast<uint8_t>(piece[i])], i - 1, i + 1, {}};
  // Keys sort by rank, then from left to right; one whose symbol has another rank by now is out of date.
  std::vector<uint64_t> keys;
  for (uint32_t i = 0; i + 1 < end; ++i) {
    symbols[i].next = merged(symbols[i].id, symbols[i + 1].id);
    if (symbols[i].next.rank != kNoRank)
      keys.push_back(static_cast<uint64_t>(symbols[i].next.rank) << 32 | i);
  }
  std::priority_queue<uint64_t, std::vector<uint64_t>, std::greater<>> queue({}, std::move(keys));
  const auto refresh = [&](uint32_t i) {
    Symbol& s = symbols[i];
    s.next = s.after == end ? Merged{} : merged(s.id, symbols[s.after].id);
    if (s.next.rank != kNoRank) queue.push(static_cast<uint64_t>(s.next.rank) << 32 | i);
  };
  while (!queue.empty()) {
    const uint64_t top = queue.top();
    queue.pop();
    const auto i = static_cast<uint32_t>(top);
    Symbol& s = symbols[i];
    if (s.id < 0 || s.next.rank != top >> 32) continue;
    Symbol& gone = symbols[s.after];
    gone.id = -1;
    s.id = s.next.id;
    s.after = gone.after;
    if (s.after != end) symbols[s.after].before = i;
    refresh(i);
    if (i > 0) refresh(s.before);
  }
  for (uint32_t i = 0; i != end; i = symbols[i].after) ids.push_back(symbols[i].id);
}

}  // namespace fathom::text
