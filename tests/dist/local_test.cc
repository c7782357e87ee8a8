#include <gtest/gtest.h>

#include <vector>

#include "base/check.h"
#include "dist/communicator.h"

namespace fathom::dist {
namespace {

TEST(LocalCommunicator, IsAGroupOfOne) {
  const auto group = make_local_communicator();
  EXPECT_EQ(group->rank(), 0);
  EXPECT_EQ(group->size(), 1);
  std::vector<float> values{1, 2};
  group->all_reduce_sum(values);
  EXPECT_EQ(values, (std::vector<float>{1, 2}));
  const std::vector<std::byte> own{std::byte{7}, std::byte{9}};
  std::vector<std::byte> all(2);
  group->all_gather(own, all);
  EXPECT_EQ(all, own);
  EXPECT_THROW(group->broadcast(all, 1), InternalError);
}

}  // namespace
}  // namespace fathom::dist
