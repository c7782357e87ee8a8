#include "infer/model_identity.h"

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>

#include "base/build.h"

namespace fathom::infer {
namespace {

constexpr size_t kSamples = 16, kSampleBytes = 4096;

// Nanoseconds since 1970; 0 if nobody knows.
int64_t changed_at(const std::string& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return 0;
  return static_cast<int64_t>(info.st_mtim.tv_sec) * 1'000'000'000 + info.st_mtim.tv_nsec;
}

void add_file(const io::SafetensorsFile& file, std::string& out) {
  const std::span<const std::byte> bytes(file.file().data(), file.file().size());
  out += std::filesystem::path(file.path()).filename().string() + ":" + std::to_string(bytes.size()) + ":" +
         std::to_string(changed_at(file.path())) + "\n";
  for (size_t i = 0; i < kSamples && !bytes.empty(); ++i) {
    const size_t at = bytes.size() / kSamples * i;
    const auto part = bytes.subspan(at, std::min(kSampleBytes, bytes.size() - at));
    const Digest digest = digest_of(part);
    out.append(reinterpret_cast<const char*>(digest.data()), digest.size());
  }
}

}  // namespace

Digest model_identity(const model::Model& model, const Context& ctx, const model::Options& options) {
  std::string text =
      std::string("fathom cache 1 ") + build::kVersion + "\n" + model.directory.config_text() + "\n";
  for (const int part : {static_cast<int>(ctx.backend), static_cast<int>(ctx.mode), static_cast<int>(ctx.isa),
                         static_cast<int>(options.act_quant), static_cast<int>(options.act_format),
                         static_cast<int>(options.mtp_prenorm)})
    text += std::to_string(part) + " ";
  for (const io::SafetensorsFile& file : model.directory.files()) add_file(file, text);
  return digest_of(text);
}

}  // namespace fathom::infer
