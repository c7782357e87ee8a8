#include "model/parameters.h"

#include <gtest/gtest.h>

#include <map>

#include "tests/support/official_layout.h"

namespace fathom::model {
namespace {

Config official_config() { return parse_config(test::official_config_text(), "config.json").value(); }

TEST(Parameters, CountsOfTheOfficialModelAreThePublishedOnes) {
  const ParameterCount count = count_parameters(official_config());
  EXPECT_EQ(count.total, 671'026'419'200);
  EXPECT_EQ(count.mtp, 11'610'068'224);
  EXPECT_NEAR(static_cast<double>(count.activated), 37.55e9, 0.005e9);
}

TEST(Parameters, NamesAndShapesAreTheOfficialOnes) {
  std::map<std::string, Shape> official;
  for (const test::OfficialTensor& t : test::official_layout()) official[t.name] = t.shape;
  const Config config = official_config();
  Parameters parameters = empty_parameters(config);
  size_t named = 0;
  for_each_parameter(config, parameters, [&](const ParameterSpec& spec, Weight&) {
    const auto found = official.find(spec.name);
    ASSERT_NE(found, official.end()) << spec.name;
    ASSERT_EQ(found->second, (spec.is_vector() ? Shape{spec.cols} : Shape{spec.rows, spec.cols}))
        << spec.name;
    ++named;
    const auto scales = official.find(spec.name + "_scale_inv");
    ASSERT_EQ(scales != official.end(), spec.kind == ParameterKind::projection) << spec.name;
    if (scales == official.end()) return;
    ASSERT_EQ(scales->second, (Shape{scale_blocks(spec.rows), scale_blocks(spec.cols)})) << spec.name;
    ++named;
  });
  EXPECT_EQ(named, official.size());
}

}  // namespace
}  // namespace fathom::model
