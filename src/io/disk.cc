#include "io/disk.h"

#include <atomic>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/direct_file.h"
#include "base/rng.h"

namespace fathom::io {
namespace {

constexpr size_t kPiece = size_t{1} << 20;
constexpr int kReaders = 8;

struct Free {
  void operator()(std::byte* p) const { std::free(p); }
};

}  // namespace

std::optional<double> disk_read_rate(const ModelDirectory& directory, double seconds) {
  std::vector<DirectFile> files;
  for (const SafetensorsFile& file : directory.files()) {
    if (file.file().size() < kPiece) continue;
    auto opened = DirectFile::open(file.path());
    if (!opened || !opened->is_direct()) return std::nullopt;
    files.push_back(std::move(*opened));
  }
  if (files.empty()) return std::nullopt;
  std::atomic<uint64_t> bytes{0};
  std::atomic<bool> failed{false};
  const Stopwatch watch;
  std::vector<std::thread> readers;
  for (int r = 0; r < kReaders; ++r)
    readers.emplace_back([&, r] {
      const std::unique_ptr<std::byte, Free> memory(
          static_cast<std::byte*>(std::aligned_alloc(DirectFile::kAlignment, kPiece)));
      for (uint64_t i = 0; memory != nullptr && !failed && watch.seconds() < seconds; ++i) {
        const auto words = philox(1, i, static_cast<uint64_t>(r));
        const DirectFile& file = files[words[0] % files.size()];
        const uint64_t piece = words[1] % (file.size() / kPiece);
        if (!file.read(piece * kPiece, kPiece, memory.get())) failed = true;
        bytes += kPiece;
      }
    });
  for (std::thread& r : readers) r.join();
  if (failed || bytes == 0) return std::nullopt;
  return static_cast<double>(bytes) / watch.seconds();
}

uint64_t process_disk_bytes() {
  std::ifstream io("/proc/self/io");
  std::string name;
  for (uint64_t value = 0; io >> name >> value;)
    if (name == "read_bytes:") return value;
  return 0;
}

}  // namespace fathom::io
