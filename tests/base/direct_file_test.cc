#include "base/direct_file.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>

#include "tests/support/temporary_directory.h"

namespace fathom {
namespace {

struct Free {
  void operator()(std::byte* p) const { std::free(p); }
};
using Aligned = std::unique_ptr<std::byte, Free>;
Aligned aligned_memory(size_t bytes) {
  return Aligned(static_cast<std::byte*>(std::aligned_alloc(DirectFile::kAlignment, bytes)));
}

std::string numbered(size_t bytes) {
  std::string text(bytes, '\0');
  for (size_t i = 0; i < bytes; ++i) text[i] = static_cast<char>(i * 31 + i / 4096);
  return text;
}

TEST(DirectFile, ReadsBlocksAndTheLastOneUpToTheEnd) {
  const test::TemporaryDirectory dir;
  const std::string text = numbered(3 * 4096 + 77);
  std::ofstream(dir / "f") << text;
  const DirectFile file = DirectFile::open(dir / "f").value();
  EXPECT_EQ(file.size(), text.size());
  const Aligned memory = aligned_memory(2 * 4096);
  std::memset(memory.get(), 0x5A, 2 * 4096);
  ASSERT_TRUE(file.read(2 * 4096, 2 * 4096, memory.get()));
  EXPECT_EQ(std::memcmp(memory.get(), text.data() + 2 * 4096, 4096 + 77), 0);
  ASSERT_TRUE(file.read(0, 4096, memory.get()));
  EXPECT_EQ(std::memcmp(memory.get(), text.data(), 4096), 0);
}

TEST(DirectFile, SaysWhatIsMissingOrHasShrunk) {
  const test::TemporaryDirectory dir;
  EXPECT_NE(DirectFile::open(dir / "none").error().line().find("cannot open"), std::string::npos);
  EXPECT_NE(DirectFile::open(dir.path()).error().line().find("not a regular file"), std::string::npos);
  std::ofstream(dir / "f") << numbered(8192);
  const DirectFile file = DirectFile::open(dir / "f").value();
  std::filesystem::resize_file(dir / "f", 100);
  const Aligned memory = aligned_memory(8192);
  const Status shrunk = file.read(0, 8192, memory.get());
  ASSERT_FALSE(shrunk);
  EXPECT_NE(shrunk.error().line().find("shorter"), std::string::npos);
}

}  // namespace
}  // namespace fathom
