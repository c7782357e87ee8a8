#include "io/safetensors.h"

#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <vector>

#include "tests/support/temporary_directory.h"

namespace fathom::io {
namespace {

std::string file_bytes(const std::string& header, size_t data_bytes) {
  std::string out;
  for (size_t i = 0; i < 8; ++i) out += static_cast<char>(header.size() >> (8 * i) & 0xff);
  out += header;
  for (size_t i = 0; i < data_bytes; ++i) out += static_cast<char>(i);
  return out;
}

Result<SafetensorsHeader> parse(const std::string& bytes) {
  return parse_header({reinterpret_cast<const std::byte*>(bytes.data()), bytes.size()}, bytes.size(),
                      "x.safetensors");
}

struct Malformed {
  const char* name;
  std::string header;
  size_t data_bytes;
  const char* says;      // part of the error's line
  const char* key = "";  // tensor that the line must name
};

std::string entry(const std::string& dtype, const std::string& shape, const std::string& offsets) {
  return R"({"dtype":)" + dtype + R"(,"shape":)" + shape + R"(,"data_offsets":)" + offsets + "}";
}
std::string one(const std::string& dtype, const std::string& shape, const std::string& offsets) {
  return R"({"w":)" + entry("\"" + dtype + "\"", shape, offsets) + "}";
}
std::string two(const std::string& first, const std::string& second) {
  return R"({"a":)" + entry("\"F32\"", "[2]", first) + R"(,"b":)" + entry("\"F32\"", "[2]", second) + "}";
}

std::vector<Malformed> malformed() {
  const std::string f8 = entry("\"F32\"", "[2]", "[0,8]");
  return {
      {"NotAnObject", "[1, 2]", 0, "not a JSON object"},
      {"Scalar", "7", 0, "not a JSON object"},
      {"NotJson", "{\"w\": ", 0, "not valid JSON"},
      {"Tail", "{} {}", 0, "not valid JSON"},
      {"BrokenUtf8", "{\"\xff\": 1}", 0, "not valid JSON"},
      {"DeeplyNested", std::string(100000, '['), 0, "not a JSON object"},
      {"DeeplyNestedTensor", "{\"w\":" + std::string(100000, '['), 0, "must be an object", "w"},
      {"DeeplyNestedShape", "{\"w\":{\"shape\":" + std::string(100000, '['), 0, "deeper than 3"},
      {"EntryIsNull", R"({"w":null})", 0, "must be an object", "w"},
      {"EntryIsEmpty", R"({"w":{}})", 0, "lacks dtype", "w"},
      {"NoOffsets", R"({"w":{"dtype":"F32","shape":[2]}})", 8, "lacks dtype", "w"},
      {"UnknownField", R"({"w":{"strides":[1]}})", 0, "'strides' is unknown", "w"},
      {"FieldTwice", R"({"w":{"dtype":"F32","dtype":"F32"}})", 0, "there twice", "w"},
      {"NameTwice", R"({"w":)" + f8 + R"(,"w":)" + entry("\"F32\"", "[2]", "[8,16]") + "}", 16, "there twice",
       "w"},
      {"DtypeIsNumber", R"({"w":{"dtype":3}})", 0, "dtype must be a string", "w"},
      {"DtypeUnknown", one("F33", "[2]", "[0,8]"), 8, "dtype 'F33' is not known", "w"},
      {"ShapeIsString", R"({"w":{"shape":"2"}})", 0, "shape must be an array", "w"},
      {"ShapeHoldsText", one("F32", R"(["2"])", "[0,8]"), 8, "integers only", "w"},
      {"ShapeNested", one("F32", "[true]", "[0,8]"), 8, "integers only", "w"},
      {"ShapeNegative", one("F32", "[-2]", "[0,8]"), 8, "negative", "w"},
      {"ShapeFraction", one("F32", "[2.5]", "[0,8]"), 8, "not an integer", "w"},
      {"ShapeHuge", one("F32", "[18446744073709551615]", "[0,8]"), 8, "not an integer", "w"},
      {"ShapeBeyond64Bits", one("F32", "[99999999999999999999999]", "[0,8]"), 8, "not an integer", "w"},
      {"ShapeOverflows", one("F32", "[4294967296,4294967296]", "[0,0]"), 0, "too many elements", "w"},
      {"ShapeOverflowsToZero", one("F32", "[4294967296,4294967296,0]", "[0,0]"), 0, "too many elements", "w"},
      {"BytesOverflow", one("F64", "[2305843009213693952]", "[0,0]"), 0, "too many elements", "w"},
      {"FiveAxes", one("F32", "[1,1,1,1,2]", "[0,8]"), 8, "more than 4 axes", "w"},
      {"OffsetsAreText", one("F32", "[2]", R"(["0","8"])"), 8, "integers only", "w"},
      {"OffsetsAreObject", one("F32", "[2]", "{}"), 8, "array of two", "w"},
      {"OneOffset", one("F32", "[2]", "[8]"), 8, "two numbers", "w"},
      {"ThreeOffsets", one("F32", "[2]", "[0,8,8]"), 8, "two numbers", "w"},
      {"OffsetNegative", one("F32", "[2]", "[-8,0]"), 8, "negative", "w"},
      {"OffsetHuge", one("F32", "[2]", "[0,1e30]"), 8, "not an integer", "w"},
      {"OffsetsBackwards", one("F32", "[2]", "[8,0]"), 8, "run backwards", "w"},
      {"EndBeyondFile", one("F32", "[4]", "[0,16]"), 8, "truncated?", "w"},
      {"EndFarBeyondFile", one("U8", "[9223372036854775807]", "[0,9223372036854775807]"), 8, "truncated?",
       "w"},
      {"SizeTooSmall", one("F32", "[3]", "[0,8]"), 8, "does not have the 8 bytes", "w"},
      {"SizeTooLarge", one("F32", "[1]", "[0,8]"), 8, "does not have the 8 bytes", "w"},
      {"HalfBytes", one("F4", "[3]", "[0,2]"), 2, "does not have the 2 bytes", "w"},
      {"Overlap", two("[0,8]", "[4,12]"), 12, "overlaps", "b"},
      {"SameBytes", two("[0,8]", "[0,8]"), 8, "overlaps"},
      {"Hole", two("[0,8]", "[12,20]"), 20, "belong to no tensor", "b"},
      {"HoleAtStart", one("F32", "[2]", "[4,12]"), 12, "belong to no tensor", "w"},
      {"HoleAtEnd", one("F32", "[2]", "[0,8]"), 12, "4 bytes at the end"},
      {"MetadataNumber", R"({"__metadata__":{"a":1}})", 0, "strings only", "__metadata__"},
      {"MetadataNested", R"({"__metadata__":{"a":{"b":"c"}}})", 0, "strings only", "__metadata__"},
      {"MetadataText", R"({"__metadata__":"pt"})", 0, "object of strings", "__metadata__"},
      {"MetadataTwice", R"({"__metadata__":{},"__metadata__":{}})", 0, "there twice", "__metadata__"},
  };
}

TEST(SafetensorsHeader, RefusesEveryMalformedHeaderInOneLine) {
  for (const Malformed& c : malformed()) {
    const auto result = parse(file_bytes(c.header, c.data_bytes));
    ASSERT_FALSE(result) << c.name;
    const std::string line = result.error().line();
    EXPECT_LT(line.size(), 400u) << c.name;
    EXPECT_EQ(line.find('\n'), std::string::npos) << c.name;
    EXPECT_TRUE(line.starts_with("x.safetensors: ")) << c.name << ": " << line;
    EXPECT_NE(line.find(c.says), std::string::npos) << c.name << ": " << line;
    if (*c.key != '\0') {
      EXPECT_EQ(result.error().key, c.key) << c.name << ": " << line;
    }
  }
}

TEST(SafetensorsHeader, RefusesLengthsThatLie) {
  EXPECT_NE(parse("").error().line().find("shorter than 8"), std::string::npos);
  EXPECT_NE(parse("1234567").error().line().find("shorter than 8"), std::string::npos);
  std::string bytes = file_bytes(one("F32", "[2]", "[0,8]"), 8);
  ASSERT_TRUE(parse(bytes));
  for (size_t keep = 0; keep < bytes.size(); ++keep) EXPECT_FALSE(parse(bytes.substr(0, keep))) << keep;
  bytes[7] = '\x7f';
  EXPECT_NE(parse(bytes).error().line().find("claims a header"), std::string::npos);
  bytes[7] = '\0';
  bytes[1] = '\x10';
  EXPECT_NE(parse(bytes).error().line().find("ends beyond the file"), std::string::npos);
  EXPECT_NE(parse("version https://git-lfs.github.com/spec/v1\n").error().line().find("git lfs pull"),
            std::string::npos);
}

TEST(SafetensorsHeader, AcceptsWhatTheFormatAllows) {
  EXPECT_TRUE(parse(file_bytes("{}", 0)));
  EXPECT_TRUE(parse(file_bytes("{\"__metadata__\":{\"format\":\"pt\"}}      ", 0)));
  const auto scalar = parse(file_bytes(one("F32", "[]", "[0,4]"), 4));
  ASSERT_TRUE(scalar) << scalar.error().line();
  EXPECT_EQ(scalar->tensors()[0].shape.rank(), 0);
  const auto empty = parse(file_bytes(R"({"e":)" + entry("\"F32\"", "[0,5]", "[0,0]") + R"(,"w":)" +
                                          entry("\"BF16\"", "[2,1,1,3]", "[0,12]") + "}",
                                      12));
  ASSERT_TRUE(empty) << empty.error().line();
  EXPECT_EQ(empty->find("e")->bytes, 0u);
  EXPECT_EQ(empty->find("w")->shape, (Shape{2, 1, 1, 3}));
  const auto escaped = parse(file_bytes(R"({"\u0077":)" + entry("\"F32\"", "[2]", "[0,8]") + "}", 8));
  ASSERT_TRUE(escaped);
  EXPECT_NE(escaped->find("w"), nullptr);
  EXPECT_EQ(escaped->find("v"), nullptr);
}

TEST(SafetensorsFile, ReadsDataAndSkipsForeignTypesUntilAsked) {
  const test::TemporaryDirectory dir;
  const std::string path = dir / "t.safetensors";
  std::string bytes = file_bytes(R"({"f":)" + entry("\"F32\"", "[2]", "[0,8]") + R"(,"u":)" +
                                     entry("\"U8\"", "[3]", "[8,11]") + R"(,"e":)" +
                                     entry("\"F8_E5M2\"", "[5]", "[11,16]") + "}   ",
                                 0);
  const float values[] = {1.5f, -2.0f};
  bytes.append(reinterpret_cast<const char*>(values), sizeof values).append("12345678");
  write_file(path, bytes).value();
  const SafetensorsFile file = SafetensorsFile::open(path).value();
  EXPECT_EQ(file.names(), std::vector<std::string_view>{"f"});
  const TensorInfo& f = file.require("f");
  EXPECT_EQ(file.data_as<float>(f)[0], 1.5f);
  EXPECT_EQ(file.data_as<float>(f)[1], -2.0f);
  EXPECT_EQ(file.find("g"), nullptr);
  EXPECT_THROW(file.require("g"), Exception);
  try {
    file.find("u");
    FAIL();
  } catch (const Exception& e) {
    EXPECT_NE(std::string(e.what()).find("u: has dtype U8"), std::string::npos) << e.what();
    EXPECT_NE(std::string(e.what()).find(path), std::string::npos) << e.what();
  }
}

TEST(SafetensorsFile, AlignsWhatTheFileDoesNot) {
  const test::TemporaryDirectory dir;
  const std::string path = dir / "t.safetensors";
  const std::string plain = R"({"b":)" + entry("\"F8_E4M3\"", "[3]", "[0,3]") + R"(,"f":)" +
                            entry("\"F32\"", "[2]", "[3,11]") + R"(,"l":)" +
                            entry("\"I64\"", "[1]", "[11,19]") + "}";
  for (size_t spaces = 0; spaces < 8; ++spaces) {
    std::string bytes = file_bytes(plain + std::string(spaces, ' '), 3);
    const float values[] = {3.25f, 4.0f};
    const int64_t number = int64_t{1} << 40;
    bytes.append(reinterpret_cast<const char*>(values), sizeof values);
    bytes.append(reinterpret_cast<const char*>(&number), sizeof number);
    write_file(path, bytes).value();
    const SafetensorsFile file = SafetensorsFile::open(path).value();
    const float* f = file.data_as<float>(file.require("f"));
    EXPECT_EQ(reinterpret_cast<uintptr_t>(f) % 4, 0u);
    EXPECT_EQ(f[1], 4.0f);
    const int64_t* l = file.data_as<int64_t>(file.require("l"));
    EXPECT_EQ(reinterpret_cast<uintptr_t>(l) % 8, 0u);
    EXPECT_EQ(*l, number);
    EXPECT_EQ(file.data(file.require("b"))[2], std::byte{2});
  }
}

TEST(SafetensorsFile, NamesTheFileItCannotOpen) {
  const test::TemporaryDirectory dir;
  EXPECT_NE(SafetensorsFile::open(dir / "none").error().line().find("none"), std::string::npos);
  EXPECT_FALSE(SafetensorsFile::open(dir.path()));
  write_file(dir / "empty", "").value();
  EXPECT_NE(SafetensorsFile::open(dir / "empty").error().line().find("shorter than 8"), std::string::npos);
}

}  // namespace
}  // namespace fathom::io
