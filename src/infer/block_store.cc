#include "infer/block_store.h"

#include <sys/stat.h>

#include <algorithm>
#include <cstring>
#include <filesystem>

#include "base/error.h"
#include "infer/sqlite_connection.h"

namespace fathom::infer {
namespace {

constexpr int64_t kPageBytes = 16384;
constexpr int64_t kVersion = 1;                         // of the layout of the database
constexpr uint64_t kJournalBytes = uint64_t{32} << 20;  // the write-ahead log stays below it
constexpr size_t kMostWaiting = size_t{256} << 20;

// The bytes stand apart, so that noting a use does not rewrite them.
constexpr const char* kSchema =
    "CREATE TABLE IF NOT EXISTS blocks(id INTEGER PRIMARY KEY, key BLOB NOT NULL UNIQUE, model BLOB NOT "
    "NULL, "
    "used INTEGER NOT NULL, checksum BLOB NOT NULL);"
    "CREATE TABLE IF NOT EXISTS contents(id INTEGER PRIMARY KEY, bytes BLOB NOT NULL);"
    "CREATE INDEX IF NOT EXISTS blocks_used ON blocks(used);";

Digest checksum_of(const Digest& key, std::span<const std::byte> bytes) {
  Digest parts[2] = {key, digest_of(bytes)};
  return digest_of(std::as_bytes(std::span(parts)));
}

void remove_database(const std::string& file) {
  std::error_code ignored;
  for (const char* end : {"", "-wal", "-shm"}) std::filesystem::remove(file + end, ignored);
}

}  // namespace

BlockStore::BlockStore(BlockStoreOptions options) : options_(std::move(options)) {
  if (options_.max_bytes < kLeastBytes)
    throw Exception({"--cache-disk", {}, "is too small for blocks and a journal", "give at least 64M"});
  std::error_code failed;
  const std::filesystem::path path(options_.directory);
  const bool exists = std::filesystem::is_directory(path, failed);
  if (!exists && std::filesystem::create_directories(path, failed)) ::chmod(options_.directory.c_str(), 0700);
  if (!std::filesystem::is_directory(path, failed))
    throw Exception({options_.directory, {}, "cannot be made", "name another directory in --cache-dir"});
  open();
  thread_ = std::thread([this] { work(); });
}

BlockStore::~BlockStore() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

std::string BlockStore::file() const { return options_.directory + "/blocks.sqlite"; }

void BlockStore::open() {
  std::error_code failed;
  const auto size = std::filesystem::file_size(file(), failed);
  // A database never shrinks by itself.
  if (!failed && size + kJournalBytes > options_.max_bytes) remove_database(file());
  if (open_connections()) return;
  remove_database(file());
  if (!open_connections())
    throw Exception({file(), {}, "cannot be written", "name another directory in --cache-dir"});
}

bool BlockStore::open_connections() {
  reader_ = std::make_unique<SqliteConnection>();
  writer_ = std::make_unique<SqliteConnection>();
  if (!writer_->open(file()) || !writer_->run("PRAGMA page_size=" + std::to_string(kPageBytes))) return false;
  if (!writer_->run("PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA wal_autocheckpoint=512;"
                    "PRAGMA journal_size_limit=0"))
    return false;
  const int64_t version = writer_->value("PRAGMA user_version", -1);
  if (version != 0 && version != kVersion) return false;
  if (!writer_->run(kSchema) || !writer_->run("PRAGMA user_version=" + std::to_string(kVersion)))
    return false;
  const auto pages = static_cast<int64_t>((options_.max_bytes - kJournalBytes) / kPageBytes);
  if (writer_->value("PRAGMA max_page_count=" + std::to_string(pages), -1) < 0) return false;
  stats_.bytes = static_cast<uint64_t>(used_pages()) * kPageBytes;
  clock_ = writer_->value("SELECT COALESCE(MAX(used), 0) FROM blocks", -1);
  if (clock_ < 0 || !reader_->open(file())) return false;
  read_keys();
  return true;
}

void BlockStore::read_keys() {
  known_.clear();
  Query q = reader_->query("SELECT key FROM blocks WHERE model = ?");
  q.bind(options_.model);
  while (q.step() == SQLITE_ROW) {
    Digest key;
    if (const auto bytes = q.blob(0); bytes.size() == key.size()) {
      std::memcpy(key.data(), bytes.data(), key.size());
      known_.insert(key);
    }
  }
}

bool BlockStore::load(const Digest& key, std::span<std::byte> bytes) {
  {
    const std::lock_guard lock(mutex_);
    if (!known_.contains(key)) {
      ++stats_.missed;
      return false;
    }
  }
  bool found = false, sound = false;
  {
    Query q = reader_->query(
        "SELECT checksum, bytes FROM blocks JOIN contents USING(id) WHERE key = ? AND model = ?");
    found = q.bind(key).bind(options_.model).step() == SQLITE_ROW;
    if (found && q.blob(1).size() == bytes.size()) {
      std::ranges::copy(q.blob(1), bytes.begin());
      const Digest sum = checksum_of(key, bytes);
      sound = std::ranges::equal(q.blob(0), std::as_bytes(std::span(sum)));
    }
  }
  const std::lock_guard lock(mutex_);
  if (found && !sound) ++stats_.damaged;
  if (sound) ++stats_.loaded;
  if (found) tasks_.push_back({key, {}});
  // What is damaged, or lost half-way through making room, may be written again.
  if (!sound) known_.erase(key);
  if (found) wake_.notify_one();
  return sound;
}

bool BlockStore::has(const Digest& key) const {
  const std::lock_guard lock(mutex_);
  return known_.contains(key);
}

bool BlockStore::wants(const Digest& key) const {
  const std::lock_guard lock(mutex_);
  return !known_.contains(key) && waiting_bytes_ + options_.block_bytes <= kMostWaiting;
}

void BlockStore::save(const Digest& key, std::vector<std::byte> bytes) {
  const std::lock_guard lock(mutex_);
  known_.insert(key);
  waiting_bytes_ += bytes.size();
  tasks_.push_back({key, std::move(bytes)});
  wake_.notify_one();
}

void BlockStore::flush() {
  std::unique_lock lock(mutex_);
  idle_.wait(lock, [this] { return tasks_.empty() && !writing_; });
}

BlockStoreStats BlockStore::stats() const {
  const std::lock_guard lock(mutex_);
  return stats_;
}

void BlockStore::work() {
  std::unique_lock lock(mutex_);
  while (true) {
    wake_.wait(lock, [this] { return ending_ || !tasks_.empty(); });
    if (tasks_.empty()) return;
    const Task task = std::move(tasks_.front());
    tasks_.pop_front();
    waiting_bytes_ -= task.bytes.size();
    writing_ = true;
    lock.unlock();
    write(task);
    lock.lock();
    writing_ = false;
    if (tasks_.empty()) idle_.notify_all();
  }
}

void BlockStore::write(const Task& task) {
  if (task.bytes.empty()) {
    writer_->query("UPDATE blocks SET used = ? WHERE key = ?").bind(++clock_).bind(task.key).step();
    return;
  }
  const bool written = make_room() && insert(task);
  if (!written) forget(task.key);
  const uint64_t bytes = static_cast<uint64_t>(used_pages()) * kPageBytes;
  const std::lock_guard lock(mutex_);
  stats_.bytes = bytes;
  ++(written ? stats_.saved : stats_.dropped);
}

bool BlockStore::insert(const Task& task) {
  const Digest sum = checksum_of(task.key, task.bytes);
  if (!writer_->run("BEGIN IMMEDIATE")) return false;
  // A damaged block of this key may still be there.
  bool good = remove(task.key);
  {
    Query q = writer_->query("INSERT INTO blocks(key, model, used, checksum) VALUES(?, ?, ?, ?)");
    good = good && q.bind(task.key).bind(options_.model).bind(++clock_).bind(sum).step() == SQLITE_DONE;
  }
  {
    Query q = writer_->query("INSERT INTO contents(id, bytes) VALUES(last_insert_rowid(), ?)");
    good = good && q.bind(task.bytes).step() == SQLITE_DONE;
  }
  if (good && writer_->run("COMMIT")) return true;
  writer_->run("ROLLBACK");
  return false;
}

bool BlockStore::remove(const Digest& key) {
  for (const char* text : {"DELETE FROM contents WHERE id IN (SELECT id FROM blocks WHERE key = ?)",
                           "DELETE FROM blocks WHERE key = ?"}) {
    if (writer_->query(text).bind(key).step() != SQLITE_DONE) return false;
  }
  return true;
}

// Deletes what was used longest ago until a block fits.
bool BlockStore::make_room() {
  const int64_t most = writer_->value("PRAGMA max_page_count", 0);
  const auto block_pages = static_cast<int64_t>(options_.block_bytes) / (kPageBytes - 64) + 8;
  while (true) {
    if (used_pages() + block_pages <= most) return true;
    Digest key{};
    {
      Query q = writer_->query("SELECT key FROM blocks ORDER BY used LIMIT 1");
      if (q.step() != SQLITE_ROW || q.blob(0).size() != key.size()) return false;
      std::memcpy(key.data(), q.blob(0).data(), key.size());
    }
    if (!remove(key)) return false;
    forget(key);
    const std::lock_guard lock(mutex_);
    ++stats_.evicted;
  }
}

int64_t BlockStore::used_pages() {
  return writer_->value("PRAGMA page_count", 0) - writer_->value("PRAGMA freelist_count", 0);
}

void BlockStore::forget(const Digest& key) {
  const std::lock_guard lock(mutex_);
  known_.erase(key);
}

}  // namespace fathom::infer
