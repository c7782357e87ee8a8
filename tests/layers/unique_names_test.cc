// The sanitizers' builds compile several sources of a folder at once, so what a source keeps to itself needs
// a name that no other source there has. Found here in every build: types, constants and functions written
// alike.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <string>

#include "tests/support/cases.h"

namespace {

namespace fs = std::filesystem;

// What the line declares at the outermost level of a source: "struct X", "kX", or the whole line of a
// function.
std::string declared(const std::string& line) {
  static const std::regex type(R"(^(?:class|struct|enum class|enum) (\w+)(?: final)?(?: :.*)? \{.*)");
  static const std::regex constant(
      R"(^(?:inline |static )?(?:constexpr|const) .*?\b(k[A-Z]\w*)(?:\[.*\])? ?(?:=|\{).*)");
  static const std::regex function(R"(^\w[\w:<>,&*\[\] ]* \w+\([^:]*\) \{.*)");
  std::smatch found;
  if (std::regex_match(line, found, type)) return found[1];
  if (std::regex_match(line, found, constant)) return found[1];
  if (std::regex_match(line, found, function)) return line.substr(0, line.find(" {"));
  return {};
}

TEST(UniqueNames, AreUniqueWithinAFolder) {
  for (const char* root : {"src", "tests"}) {
    std::map<std::string, std::map<std::string, std::string>> seen;  // folder, name -> file
    for (const auto& entry :
         fs::recursive_directory_iterator(fs::path(fathom::test::source_directory()) / root)) {
      const fs::path& path = entry.path();
      if (path.extension() != ".cc" || path.parent_path().filename() == "cpu")
        continue;  // compiled one by one
      std::ifstream file(path);
      for (std::string line; std::getline(file, line);) {
        const std::string name = declared(line);
        if (name.empty()) continue;
        const auto [at, first] = seen[path.parent_path().string()].emplace(name, path.filename().string());
        if (!first) {
          EXPECT_EQ(at->second, path.filename().string()) << path << " repeats \"" << name << '"';
        }
      }
    }
  }
}

TEST(UniqueNames, SeesWhatSourcesDeclare) {
  EXPECT_EQ(declared("class Tiny {"), "Tiny");
  EXPECT_EQ(declared("struct Tiny final : Base {"), "Tiny");
  EXPECT_EQ(declared("constexpr size_t kBlock = 3;"), "kBlock");
  EXPECT_EQ(declared("constexpr const char* kNames[] = {"), "kNames");
  EXPECT_EQ(declared("std::string text_of(const Json& j) {"), "std::string text_of(const Json& j)");
  EXPECT_EQ(declared("  const int kInner = 3;"), "");
  EXPECT_EQ(declared("void Class::method(int a) {"), "");
}

}  // namespace
