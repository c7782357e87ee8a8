// Byte pair encoding: the bytes of one piece to ids, by ranked merges.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "text/tokenizer_file.h"

namespace fathom::text {

// Immutable to its users; encode() may be called from any thread.
class Bpe {
 public:
  // Checks the vocabulary and merges of `file`: every byte has a token, ids and tokens are unique, merges
  // join tokens that exist into tokens that exist, none twice.
  static Result<Bpe> build(const TokenizerFile& file, const std::string& where);

  // Appends the ids of one piece (not empty). The pair of lowest rank is merged first, of equal ones the
  // leftmost. O(n log n) in the bytes of the piece.
  void encode(std::string_view piece, std::vector<int32_t>& ids) const;

  int32_t id_limit() const {
    return static_cast<int32_t>(offset_.size()) - 1;
  }  // largest id of the vocabulary, plus one
  bool has(int32_t id) const { return id >= 0 && id < id_limit() && present_[static_cast<size_t>(id)]; }
  // Bytes an entry stands for. REQUIRES: 0 <= id < id_limit().
  std::string_view bytes(int32_t id) const;
  // Entry for exactly these bytes, -1 if none. Entries spelt outside the byte alphabet are not found: BPE
  // never gives them.
  int32_t find(std::string_view bytes) const;
  // Entry outside the byte alphabet, by its text; -1 if none.
  int32_t find_unspellable(std::string_view text) const;

 private:
  struct Merged {
    uint32_t rank = kNoRank;
    int32_t id = -1;
  };
  struct PairSlot {
    uint64_t pair = kNoPair;
    Merged merged;
  };
  // What merging gives for a token's own bytes; filled when first asked, the same whoever asks.
  enum Whole : uint8_t { kUnknown, kItself, kOther };
  static constexpr uint32_t kNoRank = UINT32_MAX;
  static constexpr uint64_t kNoPair = UINT64_MAX;

  Status add_vocabulary(const TokenizerFile& file, const std::string& where);
  Status add_merges(const TokenizerFile& file, const std::string& where);
  size_t slot_of(std::string_view bytes) const;
  PairSlot& pair_slot(uint64_t pair);
  Merged merged(int32_t left, int32_t right) const;
  void merge_short(std::string_view piece, std::vector<int32_t>& ids) const;
  void merge_long(std::string_view piece, std::vector<int32_t>& ids) const;

  std::string blob_;              // bytes of all entries, in order of id
  std::vector<uint32_t> offset_;  // of entry id in blob_, one more at the end
  std::vector<bool> present_;
  std::vector<int32_t> slots_;  // open addressing by bytes; -1: free
  std::vector<PairSlot> pairs_;
  std::vector<int32_t> unspellable_;  // sorted by bytes
  std::array<int32_t, 256> byte_id_{};
  size_t longest_ = 0;
  bool ignore_merges_ = false;
  mutable std::vector<std::atomic<uint8_t>> whole_;
};

}  // namespace fathom::text
