#include "model/expert_cache.h"

#include <algorithm>

#include "base/check.h"

namespace fathom::model {
namespace {

// What keeps a solid-state disk busy: pieces of a megabyte, eight at a time.
constexpr size_t kReadPiece = size_t{1} << 20;
constexpr int kReaders = 8;

size_t part_bytes(const Weight& w) {
  // A tensor begins and ends anywhere within a block.
  return DirectFile::aligned(w.bytes()) + DirectFile::kAlignment;
}

template <class Visit>
void for_each_expert_layer(const Model& model, Visit visit) {
  for (const LayerParameters& l : model.parameters.layers)
    if (l.is_moe) visit(l.moe);
  for (const MtpParameters& m : model.parameters.mtp)
    if (m.layer.is_moe) visit(m.layer.moe);
}

int32_t pieces_of(size_t bytes) { return static_cast<int32_t>((bytes + kReadPiece - 1) / kReadPiece); }

}  // namespace

size_t ExpertCache::expert_bytes(const Model& model) {
  size_t most = 0;
  for_each_expert_layer(model, [&](const MoeParameters& moe) {
    for (const FfnParameters& e : moe.experts)
      most = std::max(most, part_bytes(e.gate) + part_bytes(e.up) + part_bytes(e.down));
  });
  return most;
}

int64_t ExpertCache::capacity_of(const Model& model, size_t bytes) {
  int64_t all = 0;
  for_each_expert_layer(model,
                        [&](const MoeParameters& moe) { all += static_cast<int64_t>(moe.experts.size()); });
  if (all == 0) return 0;
  const int64_t fit = static_cast<int64_t>(bytes / expert_bytes(model));
  return std::clamp<int64_t>(fit, std::min(all, model.config.num_experts_per_tok), all);
}

ExpertCache::ExpertCache(const Model& model, size_t bytes) : experts_(model.config.n_routed_experts) {
  for (const io::SafetensorsFile& file : model.directory.files()) {
    const MappedFile& map = file.file();
    mapped_.push_back({map.data(), map.data() + map.size(), files_.size()});
    files_.push_back(DirectFile::open(file.path()).value());
  }
  std::sort(mapped_.begin(), mapped_.end(), [](const auto& a, const auto& b) { return a.begin < b.begin; });
  const size_t one = expert_bytes(model);
  slots_.resize(static_cast<size_t>(capacity_of(model, bytes)));
  memory_ = Buffer(slots_.size() * one);
  slot_of_.assign(static_cast<size_t>(model.config.all_layers() * experts_), -1);
  for (size_t s = 0; s < slots_.size(); ++s) {
    slots_[s].memory = memory_.data() + s * one;
    append_newest(static_cast<int32_t>(s));
  }
  const size_t most = std::max(slots_.size(), static_cast<size_t>(experts_));
  for (auto* list : {&missing_, &in_use_, &arrived_}) list->reserve(most);
  group_.reserve(most);
  queue_.resize(most);
  for (int r = 0; r < kReaders; ++r) readers_.emplace_back([this] { read_pieces(); });
}

ExpertCache::~ExpertCache() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  work_.notify_all();
  for (std::thread& r : readers_) r.join();
}

void ExpertCache::unlink(int32_t s) {
  Slot& slot = slots_[static_cast<size_t>(s)];
  (slot.older < 0 ? oldest_ : slots_[static_cast<size_t>(slot.older)].newer) = slot.newer;
  (slot.newer < 0 ? newest_ : slots_[static_cast<size_t>(slot.newer)].older) = slot.older;
  slot.older = slot.newer = -1;
}

void ExpertCache::append_newest(int32_t s) {
  Slot& slot = slots_[static_cast<size_t>(s)];
  slot.older = newest_;
  slot.newer = -1;
  (newest_ < 0 ? oldest_ : slots_[static_cast<size_t>(newest_)].newer) = s;
  newest_ = s;
}

// Where a tensor's bytes come from and lie; advances `memory`.
ExpertCache::Part ExpertCache::place_part(const Weight& from, Weight& to, std::byte*& memory) const {
  to = from;
  auto range = std::upper_bound(mapped_.begin(), mapped_.end(), from.data,
                                [](const std::byte* at, const MappedRange& r) { return at < r.begin; });
  // A tensor that its file stores off alignment was copied to memory when it was opened, and stays there.
  if (range == mapped_.begin() || from.data >= (--range)->end) return {};
  constexpr size_t kBlock = DirectFile::kAlignment;
  const auto at = static_cast<uint64_t>(from.data - range->begin);
  const uint64_t begin = at / kBlock * kBlock;
  const Part part{begin, DirectFile::aligned(static_cast<size_t>(at - begin) + from.bytes()), memory,
                  &files_[range->file]};
  to.data = memory + (at - begin);
  memory += part.bytes;
  return part;
}

void ExpertCache::place(Slot& slot, const FfnParameters& expert) {
  std::byte* memory = slot.memory;
  slot.parts[0] = place_part(expert.gate, slot.weights.gate, memory);
  slot.parts[1] = place_part(expert.up, slot.weights.up, memory);
  slot.parts[2] = place_part(expert.down, slot.weights.down, memory);
  slot.pieces = slot.claimed = slot.arrived = 0;
  slot.failed = false;
  for (const Part& part : slot.parts) slot.pieces += pieces_of(part.bytes);
}

// Lets a layer that an exception left unfinished come to its end, and gives back what the last group used.
void ExpertCache::settle() {
  std::unique_lock lock(mutex_);
  arrival_.wait(lock, [this] { return queue_size_ == 0 && reading_ == 0; });
  for (int32_t s : arrived_) {
    Slot& slot = slots_[static_cast<size_t>(s)];
    if (slot.failed) slot_of_[static_cast<size_t>(std::exchange(slot.key, -1))] = -1;
    append_newest(s);
  }
  arrived_.clear();
  failure_.reset();
  for (int32_t s : in_use_) append_newest(s);
  in_use_.clear();
}

void ExpertCache::begin(std::span<const FfnParameters> experts, int64_t layer,
                        std::span<const int32_t> offset) {
  settle();
  layer_experts_ = experts;
  layer_ = layer;
  wanted_ = handed_out_ = 0;
  next_missing_ = 0;
  first_ = true;
  missing_.clear();
  group_.clear();
  for (size_t e = 0; e < experts.size(); ++e) {
    if (offset[e + 1] == offset[e]) continue;
    ++wanted_;
    const int32_t here = slot_of_[static_cast<size_t>(layer * experts_) + e];
    if (here < 0) {
      missing_.push_back(static_cast<int32_t>(e));
    } else {
      unlink(here);
      hand_out(here);
    }
  }
  start_reads();
}

void ExpertCache::hand_out(int32_t s) {
  const Slot& slot = slots_[static_cast<size_t>(s)];
  in_use_.push_back(s);
  group_.push_back({slot.expert, &slot.weights});
}

void ExpertCache::start_reads() {
  const std::lock_guard lock(mutex_);
  for (; next_missing_ < missing_.size() && oldest_ >= 0; ++next_missing_) {
    const int32_t s = oldest_;
    unlink(s);
    Slot& slot = slots_[static_cast<size_t>(s)];
    if (slot.key >= 0) slot_of_[static_cast<size_t>(slot.key)] = -1;
    slot.expert = missing_[next_missing_];
    slot.key = layer_ * experts_ + slot.expert;
    slot_of_[static_cast<size_t>(slot.key)] = s;
    place(slot, layer_experts_[static_cast<size_t>(slot.expert)]);
    if (slot.pieces == 0) {
      arrived_.push_back(s);
      continue;
    }
    queue_[(queue_begin_ + queue_size_++) % queue_.size()] = s;
  }
  work_.notify_all();
}

std::span<const ChosenExpert> ExpertCache::next() {
  if (std::exchange(first_, false)) {
    handed_out_ += static_cast<int64_t>(group_.size());
    return group_;
  }
  FATHOM_CHECK(!done());
  for (int32_t s : in_use_) append_newest(s);
  in_use_.clear();
  group_.clear();
  start_reads();
  {
    std::unique_lock lock(mutex_);
    arrival_.wait(lock, [this] { return !arrived_.empty() || failure_; });
    if (failure_) throw Exception(*failure_);
    for (int32_t s : arrived_) hand_out(s);
    arrived_.clear();
  }
  std::sort(group_.begin(), group_.end(), [](const auto& a, const auto& b) { return a.expert < b.expert; });
  handed_out_ += static_cast<int64_t>(group_.size());
  return group_;
}

Status ExpertCache::read_piece(const Slot& slot, int32_t piece) const {
  for (const Part& part : slot.parts) {
    const int32_t pieces = pieces_of(part.bytes);
    if (piece >= pieces) {
      piece -= pieces;
      continue;
    }
    const size_t at = static_cast<size_t>(piece) * kReadPiece;
    return part.file->read(part.offset + at, std::min(kReadPiece, part.bytes - at), part.to + at);
  }
  return Ok{};
}

// What a reading thread does.
void ExpertCache::read_pieces() {
  std::unique_lock lock(mutex_);
  while (true) {
    work_.wait(lock, [this] { return stop_ || queue_size_ > 0; });
    if (stop_) return;
    const int32_t s = queue_[queue_begin_];
    Slot& slot = slots_[static_cast<size_t>(s)];
    const int32_t piece = slot.claimed++;
    if (slot.claimed == slot.pieces) {
      queue_begin_ = (queue_begin_ + 1) % queue_.size();
      --queue_size_;
    }
    ++reading_;
    lock.unlock();
    const Status read = read_piece(slot, piece);
    lock.lock();
    --reading_;
    if (!read) {
      slot.failed = true;
      if (!failure_) failure_ = read.error();
    }
    if (++slot.arrived < slot.pieces) continue;
    arrived_.push_back(s);
    arrival_.notify_one();
  }
}

}  // namespace fathom::model
