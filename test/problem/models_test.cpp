#include "problem/models.hpp"

#include <gtest/gtest.h>

#include "expect_refused.hpp"
#include "problem/mask.hpp"
#include "temporary_file.hpp"

namespace cpbench {
namespace {

TEST(Models, ShippedOnesHaveTheirPublishedShapes) {
  const Model llama = find_model("llama3-8b");
  EXPECT_EQ(llama.heads, 32);
  EXPECT_EQ(llama.kv_heads, 8);
  EXPECT_EQ(llama.head_dim, 128);
  EXPECT_EQ(llama.head_dim_v, 128);
  EXPECT_FALSE(llama.mask);
  EXPECT_FALSE(llama.sink);

  const Model deepseek = find_model("deepseek-v3");
  EXPECT_EQ(deepseek.kv_heads, 128);
  EXPECT_EQ(deepseek.head_dim, 192);
  EXPECT_EQ(deepseek.head_dim_v, 128);

  const Model gpt_oss = find_model("gpt-oss-20b");
  EXPECT_TRUE(gpt_oss.sink);
  EXPECT_EQ(parse_mask(*gpt_oss.mask), Mask::window(127, 0));

  EXPECT_EQ(parse_mask(*find_model("mistral-7b").mask), Mask::window(4095, 0));
  for (const char* name : {"llama2-7b", "llama3-70b", "llama3-405b", "qwen2.5-7b", "gpt3-175b"}) {
    EXPECT_TRUE(find_model(name).source.find("https://") != std::string::npos) << name;
  }
}

TEST(Models, UnknownNameSuggestsTheNearest) {
  expect_refused([] { find_model("llama-3-8b"); }, {"unknown model \"llama-3-8b\"", "did you mean \"llama3-8b\"?"});
}

TEST(Models, IllFormedFilesAreRefused) {
  const auto expect = [](std::string_view content, std::initializer_list<std::string_view> parts) {
    const TemporaryFile file(content);
    expect_refused([&] { load_models(file.path()); }, parts);
  };
  expect_refused([] { load_models("/no/such/models.json"); }, {"/no/such/models.json"});
  expect("{", {"not valid JSON"});
  expect("[]", {"\"models\""});
  expect(R"({"models": [3]})", {"/models/0", "3"});
  expect(R"({"models": [{"name": "m", "hedas": 3}]})", {"/models/0", "\"hedas\"", "did you mean \"heads\"?"});
  expect(R"({"models": [{"name": "m"}]})", {"/models/0", "\"heads\" is missing"});
  expect(R"({"models": [{"name": "m", "heads": 1.5}]})", {"/models/0/heads", "1.5"});
  expect(R"({"models": [{"name": "m", "heads": 99999999999}]})", {"/models/0/heads", "99999999999"});
  expect(R"({"models": [{"name": "m", "heads": 8, "kv_heads": 3, "head_dim": 64, "source": "s"}]})",
         {"/models/0", "kv_heads 3", "heads 8"});
  expect(R"({"models": [{"name": "m", "heads": 8, "kv_heads": 8, "head_dim": 64, "mask": "wnd", "source": "s"}]})",
         {"/models/0", "\"wnd\""});
  expect(R"({"models": [{"name": "m", "heads": 8, "kv_heads": 8, "head_dim": 64, "sink": 1, "source": "s"}]})",
         {"/models/0/sink", "1"});
}

}  // namespace
}  // namespace cpbench
