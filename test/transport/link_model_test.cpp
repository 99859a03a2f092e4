#include "transport/link_model.hpp"

#include <gtest/gtest.h>

#include "expect_refused.hpp"

namespace cpbench {
namespace {

TEST(LinkModel, OneSpeedIsForEveryLink) {
  const LinkModel model = parse_link_model("25:2.5");
  for (const Link link : {Link::kInner, Link::kOuter, Link::kAllToAll}) {
    EXPECT_EQ(model.of(link)->bytes_per_second, 25e9);
    EXPECT_DOUBLE_EQ(model.of(link)->latency_s, 2.5e-6);
  }
  EXPECT_EQ(parse_link_model("0.5").of(Link::kOuter), (LinkModel::Speed{0.5e9, 0}));
}

TEST(LinkModel, LinksThatAreNotNamedAreNotSlowed) {
  const LinkModel model = parse_link_model("outer=10:5,all-to-all=40");
  EXPECT_FALSE(model.of(Link::kInner));
  EXPECT_EQ(model.of(Link::kOuter)->bytes_per_second, 10e9);
  EXPECT_EQ(model.of(Link::kAllToAll), (LinkModel::Speed{40e9, 0}));
}

TEST(LinkModel, TextSurvivesARoundTrip) {
  for (const char* text :
       {"25", "25:2", "0.01:100", "inner=200,outer=25:2", "all-to-all=0.125:10", "inner=1,outer=2,all-to-all=3"}) {
    EXPECT_EQ(to_string(parse_link_model(text)), text);
    EXPECT_EQ(parse_link_model(to_string(parse_link_model(text))), parse_link_model(text));
  }
  EXPECT_EQ(to_string(LinkModel{}), "");
}

TEST(LinkModel, RefusesWhatIsNoSpeed) {
  const auto refused = [](const char* text, std::initializer_list<std::string_view> parts) {
    SCOPED_TRACE(text);
    expect_refused([text] { parse_link_model(text); }, parts);
  };
  refused("", {"not a number"});
  refused("fast", {"'fast'", "GB/s[:us]"});
  refused("10:", {"''"});
  refused("10GB", {"'10GB'"});
  refused("nan", {"'nan'"});
  refused("inf", {"'inf'"});
  refused("0", {"bandwidth 0 GB/s", "not from"});
  refused("-3", {"-3", "not from"});
  refused("1e-300", {"1e-300", "not from"});
  refused("1e9", {"1000000000 GB/s", "not from"});
  refused("10:-1", {"-1", "not from 0"});
  refused("1:1e300", {"1e+300", "not from 0"});
  refused("iner=10", {"'iner'", "did you mean 'inner'"});
  refused("inner=10,inner=20", {"'inner'", "twice"});
  refused("inner=10,20", {"'20'", "names no link"});
  refused("inner=10,", {"''", "names no link"});
}

}  // namespace
}  // namespace cpbench
