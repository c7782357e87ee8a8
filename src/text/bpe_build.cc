#include <algorithm>
#include <bit>

#include "text/bpe.h"
#include "text/byte_level.h"

namespace fathom::text {
namespace {

Error bad(const std::string& where, std::string key, std::string problem) {
  return {where, std::move(key), std::move(problem), kTokenizerRemedy};
}

std::string quoted(std::string_view token) { return '"' + quotable(std::string(token), 40) + '"'; }

}  // namespace

Result<Bpe> Bpe::build(const TokenizerFile& file, const std::string& where) {
  Bpe bpe;
  bpe.ignore_merges_ = file.ignore_merges;
  if (Status s = bpe.add_vocabulary(file, where); !s) return s.error();
  if (Status s = bpe.add_merges(file, where); !s) return s.error();
  return bpe;
}

Status Bpe::add_vocabulary(const TokenizerFile& file, const std::string& where) {
  int32_t limit = 0;
  for (const auto& e : file.vocabulary) limit = std::max(limit, e.id + 1);
  std::vector<const TokenizerFile::Entry*> by_id(static_cast<size_t>(limit));
  for (const auto& e : file.vocabulary) {
    auto*& place = by_id[static_cast<size_t>(e.id)];
    if (place != nullptr)
      return bad(where, "model.vocab",
                 "the id " + std::to_string(e.id) + " is given to " + quoted(file.text_of(*place)) +
                     " and to " + quoted(file.text_of(e)));
    place = &e;
  }
  blob_.reserve(file.strings.size());
  present_.resize(by_id.size());
  whole_ = std::vector<std::atomic<uint8_t>>(by_id.size());
  slots_.assign(std::bit_ceil(2 * file.vocabulary.size() + 2), -1);
  for (size_t id = 0; id < by_id.size(); ++id) {
    offset_.push_back(static_cast<uint32_t>(blob_.size()));
    if (by_id[id] == nullptr) continue;
    const std::string_view spelt = file.text_of(*by_id[id]);
    if (spelt.empty())
      return bad(where, "model.vocab", "the token with id " + std::to_string(id) + " is empty");
    present_[id] = true;
    if (!append_bytes(spelt, blob_)) {
      blob_ += spelt;
      unspellable_.push_back(static_cast<int32_t>(id));
      continue;
    }
    const std::string_view added = std::string_view(blob_).substr(offset_.back());
    const size_t slot = slot_of(added);
    if (slots_[slot] >= 0) return bad(where, "model.vocab", "the token " + quoted(spelt) + " appears twice");
    slots_[slot] = static_cast<int32_t>(id);
    longest_ = std::max(longest_, added.size());
  }
  offset_.push_back(static_cast<uint32_t>(blob_.size()));
  const auto less = [this](int32_t a, int32_t b) { return bytes(a) < bytes(b); };
  std::sort(unspellable_.begin(), unspellable_.end(), less);
  for (size_t i = 1; i < unspellable_.size(); ++i)
    if (!less(unspellable_[i - 1], unspellable_[i]))
      return bad(where, "model.vocab", "the token " + quoted(bytes(unspellable_[i])) + " appears twice");
  for (size_t b = 0; b < 256; ++b) {
    const char byte = static_cast<char>(b);
    byte_id_[b] = find({&byte, 1});
    if (byte_id_[b] < 0) return bad(where, "model.vocab", "has no token for the byte " + std::to_string(b));
  }
  return Ok{};
}

Status Bpe::add_merges(const TokenizerFile& file, const std::string& where) {
  pairs_.resize(std::bit_ceil(2 * file.merges.size() + 2));
  const std::string_view strings = file.strings;
  std::string joined;
  for (size_t rank = 0; rank < file.merges.size(); ++rank) {
    const TokenizerFile::Merge& m = file.merges[rank];
    const auto fail = [&](std::string problem) {
      return bad(where, "model.merges[" + std::to_string(rank) + "]", std::move(problem));
    };
    const auto spelt_left = strings.substr(m.offset, m.left),
               spelt_right = strings.substr(m.offset + m.left, m.right);
    joined.clear();
    if (!append_bytes(spelt_left, joined))
      return fail("joins " + quoted(spelt_left) + ", which is no text of bytes");
    const size_t cut = joined.size();
    if (!append_bytes(spelt_right, joined))
      return fail("joins " + quoted(spelt_right) + ", which is no text of bytes");
    const std::string_view both = joined;
    const int32_t left = find(both.substr(0, cut)), right = find(both.substr(cut)), whole = find(both);
    if (left < 0 || right < 0)
      return fail("joins " + quoted(left < 0 ? spelt_left : spelt_right) + ", which is not in model.vocab");
    if (whole < 0)
      return fail("gives " + quoted(strings.substr(m.offset, m.left + m.right)) +
                  ", which is not in model.vocab");
    PairSlot& slot = pair_slot(static_cast<uint64_t>(left) << 32 | static_cast<uint32_t>(right));
    if (slot.merged.id >= 0)
      return fail("joins the same tokens as model.merges[" + std::to_string(slot.merged.rank) + "]");
    slot = {static_cast<uint64_t>(left) << 32 | static_cast<uint32_t>(right),
            {static_cast<uint32_t>(rank), whole}};
  }
  return Ok{};
}

}  // namespace fathom::text
