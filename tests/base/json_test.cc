#include "base/json.h"

#include <gtest/gtest.h>

#include <chrono>

namespace fathom {
namespace {

TEST(Json, ReadsADocument) {
  const Json doc = parse_json(R"({"a": [1, 2.5, null, true, "x"], "b": {"c": -3}})", "t").value();
  EXPECT_EQ(doc["a"][1].get<double>(), 2.5);
  EXPECT_EQ(doc["b"]["c"].get<int>(), -3);
}

TEST(Json, RefusesDeepNestingWithoutRecursion) {
  const std::string deep = std::string(200000, '[') + std::string(200000, ']');
  const auto result = parse_json(deep, "deep.json");
  ASSERT_FALSE(result);
  EXPECT_NE(result.error().line().find("deep.json"), std::string::npos);
  EXPECT_NE(result.error().line().find("64 levels"), std::string::npos);
}

TEST(Json, RefusesRepeatedKeysBrokenTextAndTails) {
  EXPECT_FALSE(parse_json(R"({"a": 1, "a": 2})", "t"));
  EXPECT_FALSE(parse_json("{\"a\": \"\xFF\"}", "t"));
  EXPECT_FALSE(parse_json("{} x", "t"));
  EXPECT_FALSE(parse_json("", "t"));
  EXPECT_FALSE(parse_json("\xEF\xBB\xBF{}", "t"));
  EXPECT_TRUE(parse_json(R"({"a": {"x": 1}, "b": {"x": 1}})", "t"));
}

// An ordered object looks through all its members for a key; filling one must not.
TEST(Json, OrderedObjectsOfManyKeysAreReadInTime) {
  std::string text = "{";
  for (int i = 0; i < 200000; ++i) text += (i > 0 ? ",\"key" : "\"key") + std::to_string(i) + "\":" + std::to_string(i);
  const auto begin = std::chrono::steady_clock::now();
  const auto doc = parse_ordered_json(text + "}", "t");
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(20));  // quadratic: minutes
  ASSERT_TRUE(doc);
  EXPECT_EQ(doc->size(), 200000u);
  EXPECT_EQ(std::next(doc->begin(), 777).key(), "key777");
  EXPECT_EQ(std::next(doc->begin(), 777)->get<int>(), 777);
}

TEST(Json, OrderedKeepsOrderAndPythonStyleEscapes) {
  const OrderedJson doc = parse_ordered_json(R"({"z":1,"a":["é",{}],"m":2.0})", "t").value();
  EXPECT_EQ(json_text(doc, true), R"({"z": 1, "a": ["\u00e9", {}], "m": 2.0})");
}

TEST(Error, LineIsOneShortLineWithoutControlBytes) {
  const Error e{std::string("dir\nname\xFF"), "key", std::string(1000, 'x'), "do this"};
  EXPECT_LT(e.line().size(), 400u);
  EXPECT_EQ(e.line().find('\n'), std::string::npos);
}

}  // namespace
}  // namespace fathom
