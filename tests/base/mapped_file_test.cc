#include "base/mapped_file.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <filesystem>

#include "tests/support/temporary_directory.h"

namespace fathom {
namespace {

TEST(FileWriter, AppearsOnCommitAlone) {
  const test::TemporaryDirectory dir;
  {
    auto writer = FileWriter::create(dir / "a").value();
    ASSERT_TRUE(writer.write("half"));
    EXPECT_FALSE(std::filesystem::exists(dir / "a"));
  }
  EXPECT_TRUE(std::filesystem::is_empty(dir.path()));
  ASSERT_TRUE(write_file(dir / "a", "whole"));
  EXPECT_EQ(read_file(dir / "a").value(), "whole");
}

TEST(FileWriter, AFullDiskIsAnErrorAndLeavesNothing) {
  const test::TemporaryDirectory dir;
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  auto* old = std::signal(SIGXFSZ, SIG_IGN);
  rlimit small = before;
  small.rlim_cur = 1000;
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  const Status status = write_file(dir / "a", std::string(5000, 'x'));
  ::setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, old);
  ASSERT_FALSE(status);
  EXPECT_NE(status.error().line().find("cannot write"), std::string::npos);
  EXPECT_TRUE(std::filesystem::is_empty(dir.path()));
}

TEST(MappedFile, MissingAndDirectoriesAreErrorsThatNameThePath) {
  const test::TemporaryDirectory dir;
  EXPECT_NE(MappedFile::open(dir / "none").error().line().find("none"), std::string::npos);
  EXPECT_FALSE(MappedFile::open(dir.path()));
}

}  // namespace
}  // namespace fathom
