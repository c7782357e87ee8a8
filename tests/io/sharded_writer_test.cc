#include "io/sharded_writer.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <cstring>
#include <filesystem>
#include <set>

#include "io/model_directory.h"
#include "tests/support/temporary_directory.h"

namespace fathom::io {
namespace {

std::vector<std::byte> content(size_t tensor, size_t bytes) {
  std::vector<std::byte> out(bytes);
  for (size_t i = 0; i < bytes; ++i) out[i] = static_cast<std::byte>(i * 7 + tensor * 31);
  return out;
}

std::vector<TensorDeclaration> declarations() {
  return {{"e", DType::bf16, {5, 3}},       {"w", DType::e4m3, {7, 9}}, {"w_scale", DType::f32, {1, 1}},
          {"bias", DType::f32, {3}},        {"empty", DType::f32, {0}}, {"l", DType::i64, {2, 1, 2}},
          {"odd \"name\"", DType::f16, {}}, {"v", DType::e4m3, {101}},  {"n", DType::i32, {4}}};
}

std::set<std::string> files_in(const std::string& path) {
  std::set<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(path)) names.insert(entry.path().filename());
  return names;
}

// Writes every tensor, last first and in pieces when asked to.
void write_all(ShardedWriter& writer, bool backwards, size_t piece) {
  const size_t count = writer.layout().tensors.size();
  for (size_t k = 0; k < count; ++k) {
    const size_t i = backwards ? count - 1 - k : k;
    const auto bytes = content(i, writer.layout().placements[i].bytes);
    for (size_t at = 0; at < bytes.size(); at += piece)
      writer
          .append(writer.layout().tensors[i].name,
                  std::span(bytes).subspan(at, std::min(piece, bytes.size() - at)))
          .value();
  }
}

void expect_complete(const std::string& path) {
  const ModelDirectory model = ModelDirectory::open(path).value();
  const auto tensors = declarations();
  EXPECT_EQ(model.tensor_count(), tensors.size());
  for (size_t i = 0; i < tensors.size(); ++i) {
    const TensorRef t = model.require(tensors[i].name);
    EXPECT_EQ(t.dtype, tensors[i].dtype);
    EXPECT_EQ(t.shape, tensors[i].shape);
    if (t.bytes > 0) {
      EXPECT_EQ(std::memcmp(t.data, content(i, t.bytes).data(), t.bytes), 0) << t.name();
    }
    EXPECT_EQ(t.info->offset % size_of(t.dtype), 0u) << "files we write are aligned";
  }
}

TEST(ShardedWriter, RoundTrips) {
  for (const size_t max_shard : {size_t{1}, size_t{40}, size_t{100}, size_t{1} << 30})
    for (const bool backwards : {false, true}) {
      const test::TemporaryDirectory dir;
      const std::string path = dir / "model";
      ShardedWriter writer = ShardedWriter::create(path, declarations(), {max_shard, nullptr}).value();
      writer.add_file("config.json", "{}\n").value();
      write_all(writer, backwards, backwards ? 10 : 1000);
      writer.commit().value();
      expect_complete(path);
      const auto files = files_in(path);
      EXPECT_EQ(files.contains("model.safetensors"), max_shard > 1000);
      EXPECT_EQ(files.contains("model.safetensors.index.json"), max_shard < 1000);
      EXPECT_EQ(files.size(), writer.layout().shards.size() + (max_shard > 1000 ? 1 : 2));
    }
}

TEST(ShardedWriter, ShardsRespectTheirLimitAndAreNamedAsUsual) {
  const ShardLayout layout = lay_out_shards(declarations(), 100);
  ASSERT_GT(layout.shards.size(), 2u);
  for (const ShardPlan& shard : layout.shards) EXPECT_TRUE(shard.bytes <= 100 || shard.tensors.size() == 1);
  EXPECT_EQ(layout.shards[0].file_name,
            "model-00001-of-0000" + std::to_string(layout.shards.size()) + ".safetensors");
}

TEST(ShardedWriter, LeavesNothingWithoutCommit) {
  const test::TemporaryDirectory dir;
  const std::string path = dir / "model";
  {
    ShardedWriter writer = ShardedWriter::create(path, declarations(), {40, nullptr}).value();
    writer.add_file("config.json", "{}").value();
    write_all(writer, false, 1000);
    writer.append(size_t{4}, {}).value();
    EXPECT_FALSE(files_in(path).contains("config.json")) << "a directory in the making must not look whole";
    EXPECT_FALSE(ModelDirectory::open(path));
  }
  EXPECT_FALSE(std::filesystem::exists(path));
  std::filesystem::create_directory(path);
  {
    ShardedWriter writer = ShardedWriter::create(path, declarations()).value();
    writer.append("e", content(0, 10)).value();
    EXPECT_FALSE(files_in(path).empty());
  }
  EXPECT_TRUE(std::filesystem::exists(path)) << "it was there before";
  EXPECT_TRUE(files_in(path).empty());
}

TEST(ShardedWriter, CancellationEndsAndRemoves) {
  const test::TemporaryDirectory dir;
  const std::string path = dir / "model";
  std::atomic<bool> cancelled{false};
  {
    ShardedWriter writer = ShardedWriter::create(path, declarations(), {size_t{5} << 30, &cancelled}).value();
    writer.append("e", content(0, 30)).value();
    cancelled = true;
    EXPECT_NE(writer.append("w", content(1, 63)).error().line().find("cancelled"), std::string::npos);
  }
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST(ShardedWriter, RefusesPlacesItMustNotTouch) {
  const test::TemporaryDirectory dir;
  write_file(dir / "precious", "x").value();
  EXPECT_NE(ShardedWriter::create(dir.path(), declarations()).error().line().find("not empty"),
            std::string::npos);
  EXPECT_NE(ShardedWriter::create(dir / "precious", {}).error().line().find("not a directory"),
            std::string::npos);
  EXPECT_NE(ShardedWriter::create(dir / "a/b", {}).error().line().find("cannot create"), std::string::npos);
  EXPECT_EQ(files_in(dir.path()), std::set<std::string>{"precious"});
}

TEST(ShardedWriter, RefusesWhatTheDiskCannotHold) {
  const test::TemporaryDirectory dir;
  const auto writer = ShardedWriter::create(dir / "model", {{"huge", DType::f32, {int64_t{1} << 58}}});
  ASSERT_FALSE(writer);
  EXPECT_NE(writer.error().line().find("are free"), std::string::npos) << writer.error().line();
  EXPECT_FALSE(std::filesystem::exists(dir / "model"));
}

// A disk that fills up while writing, played by a limit on the size of files.
TEST(ShardedWriter, AFullDiskIsAnErrorThatLeavesNothing) {
  const test::TemporaryDirectory dir;
  const std::string path = dir / "model";
  rlimit old{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &old), 0);
  rlimit small = old;
  small.rlim_cur = 4096;
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  std::string line;
  {
    auto writer =
        ShardedWriter::create(path, {{"a", DType::f32, {16}}, {"b", DType::f32, {1 << 20}}}, {100, nullptr});
    if (writer) {
      const bool first = static_cast<bool>(writer->append("a", content(0, 64)));
      const Status second = writer->append("b", content(1, 4 << 20));
      line = !first ? "the first shard fits" : second ? "written" : second.error().line();
    }
  }
  ::setrlimit(RLIMIT_FSIZE, &old);
  std::signal(SIGXFSZ, handler);
  EXPECT_NE(line.find("model-00002-of-00002.safetensors: cannot write"), std::string::npos) << line;
  EXPECT_NE(line.find("free space"), std::string::npos) << line;
  EXPECT_LT(line.size(), 400u);
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST(ShardedWriter, MisuseIsOurOwnBug) {
  const test::TemporaryDirectory dir;
  EXPECT_THROW((void)ShardedWriter::create(dir / "m", {{"a", DType::f32, {1}}, {"a", DType::f32, {1}}}),
               InternalError);
  ShardedWriter writer = ShardedWriter::create(dir / "m", declarations()).value();
  EXPECT_THROW((void)writer.append("none", {}), InternalError);
  EXPECT_THROW((void)writer.append("e", content(0, 31)), InternalError);
  EXPECT_THROW((void)writer.commit(), InternalError);
}

}  // namespace
}  // namespace fathom::io
