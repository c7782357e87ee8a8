// A control group's memory limit below the size of a model: it runs all the same, with the same bytes.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "base/json.h"
#include "model/config.h"
#include "model/random_checkpoint.h"
#include "tests/support/cases.h"
#include "tests/support/process.h"
#include "tests/support/temporary_directory.h"
#include "tests/support/tiny_model.h"

namespace fathom {
namespace {

// A group below the root of the hierarchy; absent where this process may make none.
class MemoryGroup {
 public:
  explicit MemoryGroup(uint64_t limit) {
    const bool unified = std::filesystem::exists("/sys/fs/cgroup/cgroup.controllers");
    path_ = (unified ? "/sys/fs/cgroup" : "/sys/fs/cgroup/memory") +
            ("/fathom_test_" + std::to_string(::getpid()));
    std::error_code refused;
    std::filesystem::create_directory(path_, refused);
    const std::string file = path_ + (unified ? "/memory.max" : "/memory.limit_in_bytes");
    if (refused || !std::filesystem::exists(file)) return;
    usable_ = static_cast<bool>(std::ofstream(file) << limit << std::flush);
  }
  ~MemoryGroup() { ::rmdir(path_.c_str()); }
  bool usable() const { return usable_; }
  test::ProcessResult run(const std::string& command) const {
    return test::run_process({"/bin/sh", "-c", "echo $$ > " + path_ + "/cgroup.procs && exec " + command});
  }

 private:
  std::string path_;
  bool usable_ = false;
};

// 24 experts of 9.4 MB in two layers: 226 MB, of which a token needs a quarter.
std::string wide_experts_config() {
  Json config = parse_json(test::tiny_config_text(), "tiny").value();
  config["hidden_size"] = 1024;
  config["moe_intermediate_size"] = 1536;
  config["n_routed_experts"] = 12;
  config["n_group"] = 4;
  config["num_nextn_predict_layers"] = 0;
  return config.dump(2);
}

TEST(MemoryLimit, AModelLargerThanMemoryAnswersTheSame) {
  const MemoryGroup group(uint64_t{150} << 20);
  if (!group.usable()) GTEST_SKIP() << "this process may not make a control group with a memory limit";
  const test::TemporaryDirectory dir;
  const std::string text = wide_experts_config();
  ThreadPool pool(2);
  model::write_random_checkpoint(
      model::parse_config(text, "config.json").value(), dir / "model",
      {.seed = 3, .type = model::CheckpointType::bf16, .files = {{"config.json", text}}}, pool);
  const std::string command =
      " generate " + (dir / "model") +
      " --ids '5 6 7' --max-tokens 24 --temperature 0 --ignore-eos --json --cache-memory 1M";
  const test::ProcessResult roomy =
      test::run_process({"/bin/sh", "-c", "exec " + test::fathom_binary() + command});
  ASSERT_EQ(roomy.code, 0) << roomy.err;
  EXPECT_EQ(roomy.err, "");
  const test::ProcessResult tight = group.run(test::fathom_binary() + command);
  ASSERT_EQ(tight.code, 0) << tight.err;
  EXPECT_NE(tight.err.find("others are read as they are chosen"), std::string::npos) << tight.err;
  EXPECT_EQ(Json::parse(tight.out)["ids"], Json::parse(roomy.out)["ids"]);
  EXPECT_EQ(Json::parse(roomy.out)["ids"].size(), 24u);

  const test::ProcessResult told = group.run(test::fathom_binary() + " info " + (dir / "model") + " --json");
  ASSERT_EQ(told.code, 0) << told.err;
  const Json memory = Json::parse(told.out)["memory"];
  EXPECT_FALSE(memory["fits"].get<bool>());
  EXPECT_LE(memory["available"].get<uint64_t>(), uint64_t{150} << 20);
  EXPECT_GT(memory["disk_tokens_per_second"].get<double>(), 0);
}

}  // namespace
}  // namespace fathom
