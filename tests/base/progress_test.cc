#include "base/progress.h"

#include <gtest/gtest.h>

namespace fathom {
namespace {

TEST(Progress, SaysShareRateAndTimeLeft) {
  EXPECT_EQ(progress_line("writing", 4'000'000'000, 16'000'000'000, 5, ProgressUnit::bytes),
            "writing [##........]  25% 4.00 GB of 16.0 GB, 800 MB/s, 15 s left");
  EXPECT_EQ(progress_line("reading", 500, 1500, 100, ProgressUnit::items),
            "reading [###.......]  33% 500 of 1.50 k, 5/s, 3 min 20 s left");
  EXPECT_EQ(progress_line("a", 1, 7201, 1, ProgressUnit::items),
            "a [..........]   0% 1 of 7.20 k, 1/s, 2 h 00 min left");
}

TEST(Progress, LongLinesStillFit) {
  EXPECT_EQ(progress_line("writing weights", 123'400'000'000, 688'574'839'360, 799, ProgressUnit::bytes),
            "writing weights [#.........]  17% 123 GB of 689 GB, 154 MB/s, 1 h 00 min left");
}

TEST(Progress, ManagesExtremes) {
  EXPECT_EQ(progress_line("a", 0, 10, 0, ProgressUnit::items), "a [..........]   0% 0 of 10");
  EXPECT_EQ(progress_line("a", 10, 10, 1, ProgressUnit::items), "a [##########] 100% 10 of 10, 10/s");
  EXPECT_EQ(progress_line("a", 20, 10, 1, ProgressUnit::items).substr(0, 19), "a [##########] 100%");
  EXPECT_EQ(progress_line("a", 20, 0, 2, ProgressUnit::bytes), "a 20 B, 10 B/s");
  EXPECT_LE(progress_line(std::string(200, 'x'), 1, UINT64_MAX, 1e-300, ProgressUnit::bytes).size(), 78u);
  EXPECT_LE(progress_line("a", 1, UINT64_MAX, 1e300, ProgressUnit::bytes).size(), 78u);
}

TEST(Progress, BytesHaveThreeDigits) {
  EXPECT_EQ(bytes_text(0), "0 B");
  EXPECT_EQ(bytes_text(999), "999 B");
  EXPECT_EQ(bytes_text(1000), "1.00 kB");
  EXPECT_EQ(bytes_text(9994), "9.99 kB");
  EXPECT_EQ(bytes_text(9996), "10.0 kB");
  EXPECT_EQ(bytes_text(99960), "100 kB");
  EXPECT_EQ(bytes_text(999'600), "1.00 MB");
  EXPECT_EQ(bytes_text(688'574'839'360), "689 GB");
}

}  // namespace
}  // namespace fathom
