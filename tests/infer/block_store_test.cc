#include "infer/block_store.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "base/error.h"
#include "tests/support/temporary_directory.h"

namespace fathom::infer {
namespace {

constexpr size_t kBlock = 300'000;

BlockStoreOptions options(const std::string& directory, const char* model = "model") {
  return {.directory = directory,
          .max_bytes = BlockStore::kLeastBytes,
          .model = digest_of(model),
          .block_bytes = kBlock};
}

Digest key_of(int i) {
  const int32_t token[] = {i};
  return digest_of(Digest{}, token);
}

std::vector<std::byte> block_of(int i) {
  std::vector<std::byte> bytes(kBlock);
  for (size_t b = 0; b < kBlock; ++b)
    bytes[b] = static_cast<std::byte>((b * 31 + static_cast<size_t>(i) * 7919) % 251);
  return bytes;
}

bool holds(BlockStore& store, int i) {
  std::vector<std::byte> bytes(kBlock);
  return store.load(key_of(i), bytes) && bytes == block_of(i);
}

uint64_t bytes_in(const std::string& directory) {
  uint64_t total = 0;
  for (const auto& entry : std::filesystem::directory_iterator(directory)) total += entry.file_size();
  return total;
}

TEST(BlockStore, KeepsBlocksOverARestart) {
  const test::TemporaryDirectory directory;
  {
    BlockStore store(options(directory / "cache"));
    EXPECT_FALSE(holds(store, 1));
    EXPECT_TRUE(store.wants(key_of(1)));
    for (int i = 0; i < 5; ++i) store.save(key_of(i), block_of(i));
    EXPECT_FALSE(store.wants(key_of(1)));
    store.flush();
    EXPECT_TRUE(holds(store, 1));
    EXPECT_EQ(store.stats().saved, 5u);
  }
  struct stat info {};
  ASSERT_EQ(::stat((directory / "cache").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0700u);
  BlockStore again(options(directory / "cache"));
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(holds(again, i)) << i;
  EXPECT_FALSE(holds(again, 5));
  EXPECT_EQ(again.stats().loaded, 5u);
  EXPECT_EQ(again.stats().missed, 1u);
  EXPECT_GT(again.stats().bytes, 5 * kBlock);
  EXPECT_LE(again.stats().bytes, bytes_in(directory / "cache"));
}

TEST(BlockStore, KnowsOneModelFromAnother) {
  const test::TemporaryDirectory directory;
  { BlockStore(options(directory.path(), "a")).save(key_of(1), block_of(1)); }
  BlockStore other(options(directory.path(), "b"));
  EXPECT_FALSE(holds(other, 1));
  EXPECT_TRUE(other.wants(key_of(1)));
}

TEST(BlockStore, StaysWithinItsSizeAndForgetsTheOldest) {
  const test::TemporaryDirectory directory;
  BlockStore store(options(directory.path()));
  for (int i = 0; i < 400; ++i) {
    store.save(key_of(i), block_of(i));
    if (i % 20 == 0) {
      store.flush();
      EXPECT_TRUE(holds(store, 0)) << "used all the time";
    }
    ASSERT_LE(bytes_in(directory.path()), BlockStore::kLeastBytes);
  }
  store.flush();
  EXPECT_TRUE(holds(store, 0));
  EXPECT_TRUE(holds(store, 399));
  EXPECT_FALSE(holds(store, 1));
  const BlockStoreStats stats = store.stats();
  EXPECT_GE(stats.evicted, 1u);
  EXPECT_LE((stats.saved - stats.evicted) * kBlock, stats.bytes);
  EXPECT_LE(stats.bytes, BlockStore::kLeastBytes);
}

TEST(BlockStore, FindsDamageByItsChecksum) {
  const test::TemporaryDirectory directory;
  { BlockStore(options(directory.path())).save(key_of(1), block_of(1)); }
  const std::string file = directory / "blocks.sqlite";
  std::fstream bytes(file, std::ios::in | std::ios::out | std::ios::binary);
  for (int at : {150'000, 200'000, 250'000}) {
    bytes.seekg(at);
    const char old = static_cast<char>(bytes.get());
    bytes.seekp(at);
    bytes.put(static_cast<char>(old ^ 1));
  }
  bytes.close();
  BlockStore store(options(directory.path()));
  EXPECT_FALSE(holds(store, 1));
  EXPECT_EQ(store.stats().damaged, 1u);
  EXPECT_TRUE(store.wants(key_of(1)));
  store.save(key_of(1), block_of(1));
  store.flush();
  EXPECT_TRUE(holds(store, 1));
}

TEST(BlockStore, StartsAnewOnWhatIsNoDatabase) {
  const test::TemporaryDirectory directory;
  std::ofstream(directory / "blocks.sqlite")
      << "this was never a database, but it is long enough to look like a header";
  BlockStore store(options(directory.path()));
  store.save(key_of(1), block_of(1));
  store.flush();
  EXPECT_TRUE(holds(store, 1));
}

TEST(BlockStore, SurvivesKilling) {
  const test::TemporaryDirectory directory;
  for (int round = 0; round < 5; ++round) {
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      BlockStore store(options(directory.path()));
      for (int i = 0; i < 100; ++i) store.save(key_of(i), block_of(i));
      ::pause();
    }
    ::usleep(60'000 + 20'000 * round);
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    BlockStore store(options(directory.path()));
    std::vector<std::byte> bytes(kBlock);
    for (int i = 0; i < 100; ++i) {
      if (store.load(key_of(i), bytes)) {
        EXPECT_EQ(bytes, block_of(i)) << i;
      }
    }
    EXPECT_EQ(store.stats().damaged, 0u);
  }
}

TEST(BlockStore, RefusesWhatCannotWork) {
  const test::TemporaryDirectory directory;
  std::ofstream(directory / "file") << "x";
  EXPECT_THROW(BlockStore(options(directory / "file/cache")), Exception);
  BlockStoreOptions small = options(directory.path());
  small.max_bytes = 1000;
  EXPECT_THROW(BlockStore{small}, Exception);
}

}  // namespace
}  // namespace fathom::infer
