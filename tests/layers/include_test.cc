// The layer table of docs/architecture.md, enforced: an include goes to a strictly lower layer or stays in its folder.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <sstream>
#include <string>
#include <vector>

#include "tests/support/cases.h"

namespace {

namespace fs = std::filesystem;

const std::map<std::string, int> kLevel = {
    {"base", 0},   {"numeric", 1}, {"net", 1},   {"tensor", 2}, {"kernels", 3}, {"io", 3},     {"text", 3}, {"dist", 3},
    {"model", 4},  {"infer", 5},   {"train", 5}, {"server", 6}, {"eval", 6},    {"apps", 7},
};
// Headers that only these folders may name.
const std::vector<std::pair<std::string, std::vector<std::string>>> kConfined = {
    {"cuda|cublas|cudnn|cutlass|cute/", {"tensor/cuda", "kernels/cuda", "dist/nccl"}},
    {"nccl", {"dist/nccl"}},
    {"mpi\\.h", {"dist/mpi"}},
    {"boost/", {"net"}},
};

// "kernels/cpu" of "kernels/cpu/linear.cc", "kernels" of "kernels/linear.h".
std::string folder_of(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == std::string::npos ? "" : path.substr(0, slash);
}
std::string top_of(const std::string& folder) { return folder.substr(0, folder.find('/')); }

// What is wrong with `file` (relative to src/) including `target`; empty when nothing is.
std::string violation(const std::string& file, const std::string& target, bool quoted) {
  const std::string from = folder_of(file), to = folder_of(target);
  if (!quoted || !kLevel.contains(top_of(to))) {
    for (const auto& [pattern, folders] : kConfined) {
      if (!std::regex_search(target, std::regex("^(" + pattern + ")"))) continue;
      bool allowed = false;
      for (const auto& folder : folders) allowed |= from == folder || from.starts_with(folder + "/");
      if (!allowed) return file + " -> " + target + " (confined)";
    }
    return {};
  }
  if (target == "base/build.h") return {};
  const std::string a = top_of(from), b = top_of(to);
  if (!kLevel.contains(a)) return file + ": folder without a layer";
  if (a != b) return kLevel.at(a) > kLevel.at(b) ? "" : file + " -> " + target;
  // Within one layer folder: an arm sees the headers of its parent, never a sibling's; the parent sees no arm.
  if (from == to || from.starts_with(to + "/")) return {};
  return file + " -> " + target + " (subfolders count as folders)";
}

std::vector<std::string> violations(const fs::path& src) {
  const std::regex include(R"(^\s*#\s*include\s*([<"])([^">]+)[">])");
  std::vector<std::string> found;
  for (const auto& entry : fs::recursive_directory_iterator(src)) {
    const std::string extension = entry.path().extension();
    if (extension != ".h" && extension != ".cc" && extension != ".cu" && extension != ".cuh") continue;
    std::ifstream in(entry.path());
    const std::string file = fs::relative(entry.path(), src);
    for (std::string line; std::getline(in, line);) {
      std::smatch match;
      if (!std::regex_search(line, match, include)) continue;
      const std::string wrong = violation(file, match[2], match[1] == "\"");
      if (!wrong.empty()) found.push_back(wrong);
    }
  }
  return found;
}

TEST(Layers, TheTreeKeepsTheTable) { EXPECT_EQ(violations(fathom::test::source_directory() + "/src"), std::vector<std::string>{}); }

TEST(Layers, PlantedViolationsAreFound) {
  EXPECT_NE(violation("base/json.cc", "tensor/mat.h", true), "");
  EXPECT_NE(violation("io/header.cc", "text/tokenizer.h", true), "");
  EXPECT_NE(violation("kernels/ref/linear.cc", "kernels/cpu/rows.h", true), "");
  EXPECT_NE(violation("kernels/linear.cc", "kernels/cpu/rows.h", true), "");
  EXPECT_NE(violation("dist/local/local.cc", "dist/mpi/mpi.h", true), "");
  EXPECT_NE(violation("model/moe.cc", "infer/engine.h", true), "");
  EXPECT_NE(violation("model/moe.cc", "cuda_runtime.h", false), "");
  EXPECT_EQ(violation("kernels/cpu/linear.cc", "kernels/linear.h", true), "");
  EXPECT_EQ(violation("tensor/cuda/stream.cc", "cuda_runtime.h", false), "");
  EXPECT_EQ(violation("apps/main.cc", "apps/cli.h", true), "");
}

}  // namespace
