// The trained pilot model: PyTorch's greedy answers token for token, and its count of right drafts.
#include <gtest/gtest.h>

#include <fstream>

#include "base/json.h"
#include "tests/infer/engine_fixture.h"
#include "tests/support/build_kind.h"
#include "tests/support/cases.h"

namespace fathom::infer {
namespace {

struct PilotLine {
  Request request;
  std::vector<int32_t> greedy;
  int64_t drafted, accepted;
};

std::vector<PilotLine> pilot_lines(const std::string& directory) {
  std::ifstream file(directory + "/greedy.jsonl");
  std::vector<PilotLine> lines;
  for (std::string text; std::getline(file, text);) {
    const Json line = parse_json(text, "greedy.jsonl").value();
    Request r;
    r.prompt = line["ids"].get<std::vector<int32_t>>();
    r.max_tokens = 64;
    r.sampling.temperature = 0;
    r.stop_ids = {1};
    lines.push_back(
        {r, line["greedy"].get<std::vector<int32_t>>(), line["mtp_drafted"], line["mtp_accepted"]});
  }
  return lines;
}

struct PilotSetting {
  Mode mode;
  DraftPolicy drafts;
  bool mtp;
  int64_t together, chunk;
};

class CasesPilot : public testing::TestWithParam<PilotSetting> {};

TEST_P(CasesPilot, GreedyAnswersEqualPyTorch) {
  FATHOM_NEEDS_CASES();
  const std::string directory = test::cases_directory() + "/pilot";
  const PilotSetting& s = GetParam();
  const model::Model model = model::open_model(directory);
  Machine machine(2, s.mode);
  EngineOptions options = small_engine();
  options.drafts = s.drafts;
  options.mtp = s.mtp;
  options.max_running = s.together;
  options.prefill_chunk = s.chunk;
  Engine engine(machine.context, model, nullptr, options);
  const auto lines = pilot_lines(directory);
  ASSERT_EQ(lines.size(), 8u);
  std::vector<Request> requests;
  for (const PilotLine& l : lines) requests.push_back(l.request);
  const auto answers = run_all(engine, requests);
  int64_t drafted = 0, accepted = 0;
  for (size_t i = 0; i < lines.size(); ++i) {
    // The file's smallest margin between two logits is larger than what BF16 changes, too.
    EXPECT_EQ(answers[i]->ids, lines[i].greedy) << "line " << i;
    const Usage& u = answers[i]->outcome.usage;
    drafted += u.drafted;
    accepted += u.accepted;
    if (s.mode == Mode::faithful && s.drafts == DraftPolicy::always && s.mtp) {
      EXPECT_EQ(u.drafted, lines[i].drafted) << "line " << i;
      EXPECT_EQ(u.accepted, lines[i].accepted) << "line " << i;
    }
  }
  // Under a sanitizer a step with a draft costs so much more that drafts may be judged, and stopped, early.
  if (s.mtp && (s.drafts == DraftPolicy::always || !test::kSanitized)) {
    EXPECT_NEAR(static_cast<double>(accepted) / static_cast<double>(drafted), 148.0 / 185, 0.03);
  }
}

INSTANTIATE_TEST_SUITE_P(Settings, CasesPilot,
                         testing::Values(PilotSetting{Mode::faithful, DraftPolicy::always, true, 1, 512},
                                         PilotSetting{Mode::faithful, DraftPolicy::always, true, 8, 16},
                                         PilotSetting{Mode::faithful, DraftPolicy::while_faster, true, 8, 64},
                                         PilotSetting{Mode::faithful, DraftPolicy::while_faster, true, 1,
                                                      512},
                                         PilotSetting{Mode::fast, DraftPolicy::while_faster, true, 1, 512},
                                         PilotSetting{Mode::fast, DraftPolicy::while_faster, true, 16, 512},
                                         PilotSetting{Mode::faithful, DraftPolicy::always, false, 3, 64},
                                         PilotSetting{Mode::fast, DraftPolicy::always, true, 8, 64}));

}  // namespace
}  // namespace fathom::infer
