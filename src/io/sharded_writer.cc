#include "io/sharded_writer.h"

#include <dirent.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>
#include <unordered_map>
#include <utility>

#include "base/check.h"
#include "base/mapped_file.h"

namespace fathom::io {
namespace {

constexpr size_t kPieceBytes = size_t{8} << 20;  // between two looks at `cancelled`

struct ShardFile {
  uint64_t data_at = 0;  // known once the file is open
  uint64_t written = 0;
  std::optional<FileWriter> file;
  bool committed = false;
};

bool is_empty_directory(const std::string& path) {
  DIR* dir = ::opendir(path.c_str());
  if (dir == nullptr) return false;
  bool empty = true;
  while (const dirent* entry = ::readdir(dir))
    empty = empty && (std::strcmp(entry->d_name, ".") == 0 || std::strcmp(entry->d_name, "..") == 0);
  ::closedir(dir);
  return empty;
}

}  // namespace

struct ShardedWriter::State {
  std::string directory;
  WriterOptions options;
  ShardLayout layout;
  std::vector<uint64_t> written;  // of each tensor
  std::vector<ShardFile> files;   // of each shard
  std::vector<std::pair<std::string, FileWriter>> texts;
  std::vector<std::string> committed;  // paths to remove if this ends without commit()
  std::unordered_map<std::string_view, size_t> numbers;
  bool made_directory = false, failed = false, done = false;

  ~State();
  std::string path_of(const std::string& file_name) const { return directory + "/" + file_name; }
  Status fail(Error error) {
    failed = true;
    return error;
  }
  bool is_cancelled() const {
    return options.cancelled != nullptr && options.cancelled->load(std::memory_order_relaxed);
  }
  Status cancel() { return fail({directory, {}, "cancelled, what was written is removed", ""}); }

  Status make_directory();
  Status check_space() const;
  Status open_shard(size_t shard);
  Status commit_file(FileWriter& file, const std::string& file_name);
  Status commit_shard(size_t shard);
  Status write_index();
};

ShardedWriter::State::~State() {
  if (done) return;
  for (ShardFile& file : files) file.file.reset();
  texts.clear();
  for (const std::string& path : committed) ::unlink(path.c_str());
  if (made_directory) ::rmdir(directory.c_str());
}

Status ShardedWriter::State::make_directory() {
  struct stat info {};
  if (::stat(directory.c_str(), &info) == 0) {
    if (!S_ISDIR(info.st_mode))
      return Error{directory, {}, "exists and is not a directory", "name a new directory"};
    if (!is_empty_directory(directory))
      return Error{directory, {}, "exists and is not empty", "name a new directory or remove this one"};
    return Ok{};
  }
  if (::mkdir(directory.c_str(), 0755) != 0)
    return Error{directory,
                 {},
                 std::string("cannot create the directory: ") + std::strerror(errno),
                 "name a directory whose parent exists and is writable"};
  made_directory = true;
  return Ok{};
}

Status ShardedWriter::State::check_space() const {
  struct statvfs info {};
  if (::statvfs(directory.c_str(), &info) != 0) return Ok{};  // then writing will tell
  const uint64_t free = static_cast<uint64_t>(info.f_bavail) * info.f_frsize;
  if (free >= layout.total_bytes) return Ok{};
  return Error{directory,
               {},
               "the weights take " + std::to_string(layout.total_bytes) + " bytes and " +
                   std::to_string(free) + " are free",
               "free some space or name a directory on another disk"};
}

Status ShardedWriter::State::open_shard(size_t shard) {
  Result<FileWriter> file = FileWriter::create(path_of(layout.shards[shard].file_name));
  if (!file) return fail(file.error());
  files[shard].file.emplace(std::move(*file));
  const std::string head = layout.file_head(shard);
  files[shard].data_at = head.size();
  if (Status s = files[shard].file->write(head); !s) return fail(s.error());
  return Ok{};
}

Status ShardedWriter::State::commit_file(FileWriter& file, const std::string& file_name) {
  committed.push_back(path_of(file_name));
  if (Status s = file.commit(); !s) return fail(s.error());
  return Ok{};
}

Status ShardedWriter::State::commit_shard(size_t shard) {
  if (!files[shard].file)
    if (Status s = open_shard(shard); !s) return s;
  if (Status s = commit_file(*files[shard].file, layout.shards[shard].file_name); !s) return s;
  files[shard].file.reset();
  files[shard].committed = true;
  return Ok{};
}

Status ShardedWriter::State::write_index() {
  const std::string file_name = "model.safetensors.index.json";
  Result<FileWriter> file = FileWriter::create(path_of(file_name));
  if (!file) return fail(file.error());
  if (Status s = file->write(layout.index_text()); !s) return fail(s.error());
  return commit_file(*file, file_name);
}

ShardedWriter::ShardedWriter(std::unique_ptr<State> state) : state_(std::move(state)) {}
ShardedWriter::ShardedWriter(ShardedWriter&&) noexcept = default;
ShardedWriter::~ShardedWriter() = default;

Result<ShardedWriter> ShardedWriter::create(const std::string& directory,
                                            std::vector<TensorDeclaration> tensors, WriterOptions options) {
  auto state = std::make_unique<State>();
  state->directory = directory;
  state->options = options;
  state->layout = lay_out_shards(std::move(tensors), options.max_shard_bytes);
  state->written.resize(state->layout.tensors.size());
  state->files.resize(state->layout.shards.size());
  for (size_t i = 0; i < state->layout.tensors.size(); ++i)
    FATHOM_CHECK(state->numbers.emplace(state->layout.tensors[i].name, i).second);
  if (Status s = state->make_directory(); !s) return s.error();
  if (Status s = state->check_space(); !s) return s.error();
  return ShardedWriter(std::move(state));
}

const ShardLayout& ShardedWriter::layout() const { return state_->layout; }

Status ShardedWriter::append(size_t tensor, std::span<const std::byte> bytes) {
  State& state = *state_;
  FATHOM_CHECK(!state.failed && !state.done && tensor < state.layout.tensors.size());
  const Placement& place = state.layout.placements[tensor];
  ShardFile& shard = state.files[place.shard];
  uint64_t& written = state.written[tensor];
  FATHOM_CHECK(bytes.size() <= place.bytes - written);
  if (bytes.empty()) return Ok{};
  if (!shard.file)
    if (Status s = state.open_shard(place.shard); !s) return s;
  while (!bytes.empty()) {
    if (state.is_cancelled()) return state.cancel();
    const size_t count = std::min(bytes.size(), kPieceBytes);
    if (Status s = shard.file->write_at(shard.data_at + place.offset + written, bytes.data(), count); !s)
      return state.fail(s.error());
    written += count;
    shard.written += count;
    bytes = bytes.subspan(count);
  }
  if (shard.written == state.layout.shards[place.shard].bytes) return state.commit_shard(place.shard);
  return Ok{};
}

Status ShardedWriter::append(std::string_view name, std::span<const std::byte> bytes) {
  const auto at = state_->numbers.find(name);
  FATHOM_CHECK(at != state_->numbers.end());
  return append(at->second, bytes);
}

Status ShardedWriter::add_file(const std::string& file_name, std::string_view text) {
  State& state = *state_;
  FATHOM_CHECK(!state.failed && !state.done && file_name.find('/') == std::string::npos);
  Result<FileWriter> file = FileWriter::create(state.path_of(file_name));
  if (!file) return state.fail(file.error());
  state.texts.emplace_back(file_name, std::move(*file));
  if (Status s = state.texts.back().second.write(text); !s) return state.fail(s.error());
  return Ok{};
}

Status ShardedWriter::commit() {
  State& state = *state_;
  FATHOM_CHECK(!state.failed && !state.done);
  for (size_t i = 0; i < state.written.size(); ++i)
    FATHOM_CHECK(state.written[i] == state.layout.placements[i].bytes);
  if (state.is_cancelled()) return state.cancel();
  for (size_t shard = 0; shard < state.files.size(); ++shard)
    if (!state.files[shard].committed)
      if (Status s = state.commit_shard(shard); !s) return s;
  if (state.files.size() > 1)
    if (Status s = state.write_index(); !s) return s;
  for (auto& [file_name, file] : state.texts)
    if (Status s = state.commit_file(file, file_name); !s) return s;
  state.done = true;
  return Ok{};
}

}  // namespace fathom::io
