#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/json.h"
#include "tests/support/process.h"
#include "tests/support/temporary_directory.h"
#include "tests/support/tiny_model.h"

namespace fathom {
namespace {

using test::ProcessResult;
using test::run_fathom;

TEST(BenchCommand, MeasuresEverySizeWithEveryNumberOfThreads) {
  const test::TemporaryDirectory dir;
  test::write_tiny_model(dir / "m");
  const ProcessResult r = run_fathom({"bench", dir / "m", "--json", "--threads", "1,2", "--prefill", "8,64",
                                      "--prefill-batch", "1,2", "--batch", "1,3", "--depth", "5", "--steps",
                                      "2", "--pairs", "1", "--bandwidth-memory", "16M"});
  ASSERT_EQ(r.code, 0) << r.err;
  const Json j = Json::parse(r.out);
  ASSERT_EQ(j["results"].size(), 2u * (4 + 2));
  EXPECT_GT(j["read_bandwidth"].get<double>(), 0);
  EXPECT_GT(j["peak_memory"].get<double>(), 0);
  int prefills = 0;
  for (const Json& result : j["results"]) {
    for (const char* name :
         {"tokens_per_second", "bytes_per_token", "bandwidth_share", "flops_share", "matrix_peak"})
      EXPECT_GT(result[name].get<double>(), 0) << result;
    EXPECT_GE(result["barrier_seconds"].get<double>(), 0);
    EXPECT_FALSE(result.contains("disk_share"));
    prefills += result["kind"] == "prefill" ? 1 : 0;
  }
  EXPECT_EQ(prefills, 8);
  // What a step touches is a matter of the model alone.
  EXPECT_EQ(j["results"][5]["bytes_per_token"], j["results"][11]["bytes_per_token"]);
  EXPECT_EQ(j["results"][5]["threads"], 1);
  EXPECT_EQ(j["results"][11]["threads"], 2);
}

TEST(BenchCommand, LeavesOutWhatIsNotAskedForAndRefusesWhatCannotBe) {
  const test::TemporaryDirectory dir;
  test::write_tiny_model(dir / "m");
  const std::vector<std::string> common = {"--pairs", "1", "--bandwidth-memory", "16M"};
  const auto bench = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "bench");
    arguments.insert(arguments.end(), common.begin(), common.end());
    return run_fathom(arguments);
  };
  const ProcessResult limits = bench({dir / "m", "--prefill", "0", "--batch", "0", "--json"});
  ASSERT_EQ(limits.code, 0) << limits.err;
  EXPECT_TRUE(Json::parse(limits.out)["results"].empty());
  const ProcessResult none = bench({});
  EXPECT_EQ(none.code, 2);
  EXPECT_THAT(none.err, ::testing::HasSubstr("--kernels"));
  const ProcessResult deep = bench({dir / "m", "--depth", "5000"});
  EXPECT_EQ(deep.code, 2);
  EXPECT_THAT(deep.err, ::testing::HasSubstr("--depth"));
  const ProcessResult threads = bench({dir / "m", "--threads", "2,x"});
  EXPECT_EQ(threads.code, 2);
}

}  // namespace
}  // namespace fathom
