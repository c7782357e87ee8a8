#include "io/model_directory.h"

#include <sys/stat.h>

#include <algorithm>
#include <atomic>
#include <thread>

#include "base/path_exists.h"

namespace fathom::io {
namespace {

constexpr const char* kIndexFile = "model.safetensors.index.json";
constexpr const char* kSingleFile = "model.safetensors";
constexpr size_t kMaxConfigBytes = size_t{16} << 20;
constexpr size_t kMaxIndexBytes = size_t{256} << 20;

}  // namespace

Result<ModelDirectory> ModelDirectory::open(const std::string& path, int threads) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0)
    return Error{path, {}, "no such directory", "name a directory with config.json and .safetensors files"};
  if (!S_ISDIR(info.st_mode))
    return Error{path, {}, "not a directory", "name the directory that holds config.json and the weights"};
  ModelDirectory dir;
  dir.path_ = path;
  if (!path_exists(dir.file_path("config.json")))
    return Error{path, "config.json", "is missing", "name a model directory in the Hugging Face layout"};
  Result<std::string> config = read_file(dir.file_path("config.json"), kMaxConfigBytes);
  if (!config) return config.error();
  dir.config_text_ = std::move(*config);
  if (const std::string generation = dir.file_path("generation_config.json"); path_exists(generation)) {
    Result<std::string> text = read_file(generation, kMaxConfigBytes);
    if (!text) return text.error();
    dir.generation_config_text_ = std::move(*text);
  }
  if (Status s = dir.read_index(); !s) return s.error();
  if (Status s = dir.open_files(threads); !s) return s.error();
  return dir;
}

std::string ModelDirectory::file_path(std::string_view file_name) const {
  std::string out = path_;
  if (!out.ends_with('/')) out += '/';
  return out += file_name;
}

// Fills index_ but for a single file, whose tensors are listed once it is open.
Status ModelDirectory::read_index() {
  const std::string path = file_path(kIndexFile);
  if (!path_exists(path)) {
    if (!path_exists(file_path(kSingleFile)))
      return Error{
          path_, {}, std::string("holds neither ") + kIndexFile + " nor " + kSingleFile, "fetch the weights"};
    index_.files = {kSingleFile};
    return Ok{};
  }
  Result<MappedFile> mapped = MappedFile::open(path);
  if (!mapped) return mapped.error();
  if (mapped->size() > kMaxIndexBytes) return Error{path, {}, "larger than 256 MiB", "fetch the index again"};
  Result<WeightIndex> index = parse_index(mapped->text(), path);
  if (!index) return index.error();
  index_ = std::move(*index);
  size_t missing = 0;
  std::string first;
  for (const std::string& file : index_.files)
    if (!path_exists(file_path(file)) && missing++ == 0) first = file;
  if (missing > 0)
    return Error{path_, first,
                 std::to_string(missing) + " of " + std::to_string(index_.files.size()) +
                     " files of the index are missing, this one first",
                 "fetch the rest of the model"};
  return Ok{};
}

Status ModelDirectory::open_files(int threads) {
  const size_t count = index_.files.size();
  const bool single = index_.entries.empty();
  std::vector<std::optional<SafetensorsFile>> opened(count);
  std::vector<std::optional<Error>> errors(count);
  std::atomic<size_t> next{0};
  std::atomic<bool> failed{false};
  const auto work = [&] {
    for (size_t i = next++; i < count && !failed; i = next++) {
      Result<SafetensorsFile> file = SafetensorsFile::open(file_path(index_.files[i]));
      if (file) {
        opened[i] = std::move(*file);
      } else {
        errors[i] = file.error();
        failed = true;
      }
    }
  };
  {
    std::vector<std::jthread> helpers;
    for (int t = 1; t < threads && static_cast<size_t>(t) < count; ++t) helpers.emplace_back(work);
    work();
  }
  for (const std::optional<Error>& error : errors)
    if (error) return *error;
  files_.reserve(count);
  for (std::optional<SafetensorsFile>& file : opened) files_.push_back(std::move(*file));
  if (single) {
    const SafetensorsHeader& header = files_[0].header();
    for (uint32_t i = 0; i < header.tensors().size(); ++i)
      index_.entries.push_back({header.tensors()[i].name, 0, i});
    for (const UnusableTensor& t : header.unusable())
      index_.entries.push_back({t.name, 0, WeightIndex::Entry::kUnusable});
    std::sort(index_.entries.begin(), index_.entries.end(),
              [](const auto& a, const auto& b) { return a.name < b.name; });
    return Ok{};
  }
  return bind();
}

// Gives every entry of the index its tensor.
Status ModelDirectory::bind() {
  using Entry = WeightIndex::Entry;
  auto& entries = index_.entries;
  for (uint32_t f = 0; f < files_.size(); ++f) {
    auto from = entries.begin();
    const auto bind_one = [&](std::string_view name, uint32_t tensor) {
      from = std::lower_bound(from, entries.end(), name,
                              [](const Entry& e, std::string_view n) { return e.name < n; });
      if (from == entries.end() || from->name != name) return true;
      if (from->file != f) return false;
      from->tensor = tensor;
      return true;
    };
    const auto elsewhere = [&](std::string_view name) {
      return Error{files_[f].path(), std::string(name),
                   "the index puts this tensor into " + index_.files[from->file],
                   "remove the file that does not belong to the model"};
    };
    const auto& tensors = files_[f].tensors();
    for (uint32_t i = 0; i < tensors.size(); ++i)
      if (!bind_one(tensors[i].name, i)) return elsewhere(tensors[i].name);
    from = entries.begin();
    for (const UnusableTensor& t : files_[f].header().unusable())
      if (!bind_one(t.name, Entry::kUnusable)) return elsewhere(t.name);
  }
  for (const Entry& entry : entries)
    if (entry.tensor == Entry::kUnbound)
      return Error{files_[entry.file].path(), std::string(entry.name),
                   "the index puts this tensor here, but it is missing",
                   "fetch the file and the index again"};
  return Ok{};
}

TensorRef ModelDirectory::reference(const WeightIndex::Entry& entry) const {
  const SafetensorsFile& file = files_[entry.file];
  const TensorInfo& info = entry.tensor == WeightIndex::Entry::kUnusable ? *file.find(entry.name)  // throws
                                                                         : file.tensors()[entry.tensor];
  return {file.data(info), info.dtype, info.shape, info.bytes, &info, &file};
}

std::optional<TensorRef> ModelDirectory::lookup(std::string_view name) const {
  const auto at =
      std::lower_bound(index_.entries.begin(), index_.entries.end(), name,
                       [](const WeightIndex::Entry& e, std::string_view n) { return e.name < n; });
  if (at == index_.entries.end() || at->name != name) return std::nullopt;
  return reference(*at);
}

TensorRef ModelDirectory::require(std::string_view name) const {
  const std::optional<TensorRef> found = lookup(name);
  if (!found)
    throw Exception({path_, std::string(name), "the model has no such tensor",
                     "check config.json, or fetch the model again"});
  return *found;
}

void ModelDirectory::for_each(const std::function<void(const TensorRef&)>& visit) const {
  for (const WeightIndex::Entry& entry : index_.entries)
    if (entry.tensor != WeightIndex::Entry::kUnusable) visit(reference(entry));
}

std::vector<UnusableTensor> ModelDirectory::unusable() const {
  std::vector<UnusableTensor> out;
  for (const WeightIndex::Entry& entry : index_.entries)
    if (entry.tensor == WeightIndex::Entry::kUnusable)
      out.push_back(*files_[entry.file].header().find_unusable(entry.name));
  return out;
}

}  // namespace fathom::io
