#include "io/model_directory.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <string>

#include "tests/support/cases.h"
#include "tests/support/temporary_directory.h"

namespace fathom::io {
namespace {

constexpr const char* kIndex = "model.safetensors.index.json";

// A file with tensors of two F32 each.
std::string shard(const std::vector<std::string>& names, const std::string& dtype = "F32") {
  std::string header = "{";
  size_t at = 0;
  for (const std::string& name : names) {
    header += (at > 0 ? ",\"" : "\"") + name + R"(":{"dtype":")" + dtype +
              R"(","shape":[2],"data_offsets":[)" + std::to_string(at) + "," + std::to_string(at + 8) + "]}";
    at += 8;
  }
  header += "}";
  while (header.size() % 8 != 0) header += ' ';
  std::string out;
  for (size_t i = 0; i < 8; ++i) out += static_cast<char>(header.size() >> (8 * i) & 0xff);
  return out + header + std::string(at, '\1');
}

class ModelDirectoryTest : public ::testing::Test {
 protected:
  ModelDirectoryTest() {
    put("config.json", "{}");
    put("1.safetensors", shard({"a", "b"}));
    put("2.safetensors", shard({"c"}));
  }
  void put(const std::string& name, const std::string& text) { write_file(dir_ / name, text).value(); }
  void put_map(const std::string& members) { put(kIndex, "{\"weight_map\": {" + members + "}}"); }
  // The line of the error that opening gives; fails the test when it opens.
  std::string refusal() {
    const auto model = ModelDirectory::open(dir_.path());
    if (model) {
      ADD_FAILURE() << "opened";
      return {};
    }
    EXPECT_LT(model.error().line().size(), 400u);
    EXPECT_NE(model.error().line().find(dir_.path()), std::string::npos) << model.error().line();
    return model.error().line();
  }
  void expect_refusal(const std::string& says) {
    const std::string line = refusal();
    EXPECT_NE(line.find(says), std::string::npos) << line;
  }

  test::TemporaryDirectory dir_;
};

TEST_F(ModelDirectoryTest, OpensShardsAndFindsTensors) {
  put_map(R"("a": "1.safetensors", "b": "1.safetensors", "c": "2.safetensors")");
  for (int threads : {1, 2, 5}) {
    const ModelDirectory model = ModelDirectory::open(dir_.path(), threads).value();
    EXPECT_EQ(model.tensor_count(), 3u);
    EXPECT_EQ(model.config_text(), "{}");
    EXPECT_FALSE(model.generation_config_text());
    EXPECT_EQ(model.require("c").path(), dir_ / "2.safetensors");
    EXPECT_EQ(model.require("b").bytes, 8u);
    EXPECT_EQ(model.require("b").data, model.require("a").data + 8);
    EXPECT_FALSE(model.lookup("d"));
    EXPECT_THROW(model.require("d"), Exception);
    std::string names;
    model.for_each([&](const TensorRef& t) { names += t.name(); });
    EXPECT_EQ(names, "abc");
  }
}

TEST_F(ModelDirectoryTest, ReferencesOutliveAMove) {
  put_map(R"("a": "1.safetensors", "c": "2.safetensors")");
  ModelDirectory first = ModelDirectory::open(dir_.path()).value();
  const TensorRef c = first.require("c");
  const ModelDirectory second = std::move(first);
  EXPECT_EQ(c.data[0], std::byte{1});
  EXPECT_EQ(c.path(), dir_ / "2.safetensors");
  EXPECT_EQ(second.require("c").data, c.data);
}

TEST_F(ModelDirectoryTest, OpensASingleFile) {
  put("model.safetensors", shard({"z", "y"}));
  put("generation_config.json", "{\"temperature\": 1}");
  const ModelDirectory model = ModelDirectory::open(dir_.path() + "/").value();
  EXPECT_EQ(model.tensor_count(), 2u);
  EXPECT_EQ(model.require("y").data, model.require("z").data + 8);
  EXPECT_EQ(*model.generation_config_text(), "{\"temperature\": 1}");
}

TEST_F(ModelDirectoryTest, IgnoresWhatTheIndexDoesNotList) {
  put_map(R"("a": "1.safetensors", "c": "2.safetensors")");
  put("stray.safetensors", "no header");
  const ModelDirectory model = ModelDirectory::open(dir_.path()).value();
  EXPECT_FALSE(model.lookup("b"));
}

TEST_F(ModelDirectoryTest, ForeignTypesMatterOnlyWhenAskedFor) {
  put("2.safetensors", shard({"c"}, "U32"));
  put_map(R"("a": "1.safetensors", "c": "2.safetensors")");
  const ModelDirectory model = ModelDirectory::open(dir_.path()).value();
  ASSERT_EQ(model.unusable().size(), 1u);
  EXPECT_EQ(model.unusable()[0].dtype, "U32");
  EXPECT_THROW(model.lookup("c"), Exception);
  int visited = 0;
  model.for_each([&](const TensorRef&) { ++visited; });
  EXPECT_EQ(visited, 1);
}

TEST_F(ModelDirectoryTest, RefusesPathsThatLeaveTheDirectory) {
  for (const char* path :
       {"../1.safetensors", "/etc/1.safetensors", "sub/1.safetensors", "./1.safetensors", "..", "",
        ".safetensors", "1.bin", "a\\\\1.safetensors", "a\\u00001.safetensors"}) {
    put_map(R"("a": ")" + std::string(path) + "\"");
    expect_refusal("not the name of a .safetensors file");
  }
  std::filesystem::create_symlink("1.safetensors",
                                  dir_ / "link.safetensors");  // as in the Hugging Face cache
  put_map(R"("a": "link.safetensors")");
  EXPECT_TRUE(ModelDirectory::open(dir_.path()));
}

TEST_F(ModelDirectoryTest, RefusesABrokenIndex) {
  const std::pair<const char*, const char*> cases[] = {
      {"", "not valid JSON"},
      {"7", "must be a JSON object"},
      {"[]", "weight_map: is missing"},
      {"{}", "weight_map: is missing"},
      {R"({"metadata": {"weight_map": {"a": "1.safetensors"}}})", "weight_map: is missing"},
      {R"({"weight_map": {}})", "weight_map: is empty"},
      {R"({"weight_map": []})", "weight_map: must be an object"},
      {R"({"weight_map": "1.safetensors"})", "weight_map: must be an object"},
      {R"({"weight_map": {"a": 1}})", "a: weight_map must give a file name"},
      {R"({"weight_map": {"a": null}})", "a: weight_map must give a file name"},
      {R"({"weight_map": {"a": ["1.safetensors"]}})", "a: weight_map must give a file name"},
      {R"({"weight_map": {"a": {"b": "1.safetensors"}}})", "a: weight_map must give a file name"},
      {R"({"weight_map": {"a": "1.safetensors"}, "weight_map": {}})", "weight_map: is there twice"},
      {R"({"weight_map": {"a": "1.safetensors", "a": "2.safetensors"}})", "a: is in weight_map twice"},
      {R"({"metadata": [[[[[[[[[[1]]]]]]]]]]})", "deeper than 8"},
  };
  for (const auto& [text, says] : cases) {
    put(kIndex, text);
    SCOPED_TRACE(text);
    expect_refusal(says);
  }
}

TEST_F(ModelDirectoryTest, MetadataIsNotTrusted) {
  put(kIndex,
      R"({"metadata": {"total_size": -1e300, "x": [[{"y": null}]]}, "weight_map": {"a": "1.safetensors"}})");
  EXPECT_TRUE(ModelDirectory::open(dir_.path()));
}

TEST_F(ModelDirectoryTest, RefusesShardsThatDisagreeWithTheIndex) {
  put_map(R"("a": "1.safetensors", "c": "3.safetensors", "d": "4.safetensors")");
  expect_refusal("3.safetensors: 2 of 3 files of the index are missing");
  put_map(R"("a": "1.safetensors", "x": "2.safetensors")");
  expect_refusal("2.safetensors: x: the index puts this tensor here");
  put_map(R"("a": "2.safetensors", "b": "1.safetensors")");
  expect_refusal("1.safetensors: a: the index puts this tensor into 2.safetensors");
  put("2.safetensors", shard({"a", "c"}));
  put_map(R"("a": "1.safetensors", "c": "2.safetensors")");
  expect_refusal("2.safetensors: a: the index puts this tensor into 1.safetensors");
  put("2.safetensors", shard({"c"}).substr(0, 60));
  expect_refusal("2.safetensors");
}

TEST_F(ModelDirectoryTest, RefusesWhatIsNotAModelDirectory) {
  expect_refusal("holds neither");
  std::filesystem::remove(dir_ / "config.json");
  expect_refusal("config.json: is missing");
  EXPECT_NE(ModelDirectory::open(dir_ / "none").error().line().find("no such directory"), std::string::npos);
  EXPECT_NE(ModelDirectory::open(dir_ / "1.safetensors").error().line().find("not a directory"),
            std::string::npos);
  ASSERT_EQ(::mkfifo((dir_ / "config.json").c_str(), 0600), 0);  // must not block
  expect_refusal("not a regular file");
}

TEST(CasesModelDirectory, OpensTheGoldenDirectories) {
  FATHOM_NEEDS_CASES();
  const std::string& cases = test::cases_directory();
  for (const char* name :
       {"golden/v3", "golden/v3-fp8", "golden/v3-ue8m0", "golden/v31", "golden/moonlight", "pilot"}) {
    const auto model = ModelDirectory::open(cases + "/" + name);
    ASSERT_TRUE(model) << model.error().line();
    EXPECT_GT(model->tensor_count(), 50u);
    EXPECT_EQ(model->require("model.norm.weight").dtype, DType::bf16);
    EXPECT_TRUE(model->generation_config_text());
    const auto expected = SafetensorsFile::open(cases + "/" + name + "/expected.safetensors");
    ASSERT_TRUE(expected) << expected.error().line();
    const TensorInfo& ids = expected->require("input_ids");
    EXPECT_EQ(ids.dtype, DType::i64);
    EXPECT_GE(expected->data_as<int64_t>(ids)[0], 0);
    EXPECT_EQ(expected->require("logits").dtype, DType::f32);
  }
}

}  // namespace
}  // namespace fathom::io
