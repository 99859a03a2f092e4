// Vectors that share pages behave as vectors that do not.
#include "schedule/paged_vector.hpp"

#include <gtest/gtest.h>

#include <numeric>
#include <random>
#include <utility>

namespace cpbench {
namespace {

struct Item {
  int value = 0;
  bool operator==(const Item&) const = default;
};
std::size_t hash_of(const Item& item) { return static_cast<std::size_t>(item.value % 3); }  // collides on purpose

using Items = PagedVector<Item>;

Items counting(int count) {
  Items items;
  for (int i = 0; i < count; ++i) items.push_back({i});
  return items;
}

bool share_memory(const Items& a, const Items& b, std::size_t i) { return &a[i] == &b[i]; }

TEST(PagedVector, DoesWhatAVectorDoes) {
  std::mt19937_64 random(1);
  Items items;
  std::vector<Item> expected;
  std::vector<Items> copies;
  for (int step = 0; step < 3000; ++step) {
    const Item item{static_cast<int>(random() % 1000)};
    const std::size_t i = expected.empty() ? 0 : random() % expected.size();
    const auto offset = static_cast<std::ptrdiff_t>(i);
    switch (expected.empty() ? 0 : random() % 6) {
      case 0:
      case 1:
        items.push_back(item), expected.push_back(item);
        break;
      case 2:
        items[i] = item, expected[i] = item;
        break;
      case 3:
        items.insert(items.begin() + offset, item), expected.insert(expected.begin() + offset, item);
        break;
      case 4:
        items.erase(items.begin() + offset), expected.erase(expected.begin() + offset);
        break;
      default:
        copies.push_back(items);  // so that pages are shared
        if (copies.size() > 3) copies.erase(copies.begin());
    }
    ASSERT_TRUE(std::ranges::equal(std::as_const(items), expected)) << "step " << step;
  }
  const auto is_even = [](const Item& item) { return item.value % 2 == 0; };
  EXPECT_EQ(erase_if(items, is_even), std::erase_if(expected, is_even));
  EXPECT_TRUE(std::ranges::equal(items, expected));
}

TEST(PagedVector, AChangeLeavesCopiesAlone) {
  const Items original = counting(200);
  Items copy = original;
  EXPECT_TRUE(share_memory(original, copy, 70));
  copy[70].value = -1;
  EXPECT_EQ(original, counting(200));
  EXPECT_EQ(std::as_const(copy)[70].value, -1);
  EXPECT_FALSE(share_memory(original, copy, 71)) << "on the page that changed";
  EXPECT_TRUE(share_memory(original, copy, 199));
}

TEST(PagePool, SharesEqualPagesOnly) {
  Items a = counting(200), b = counting(200), shorter = counting(190);
  b[70].value = 73;  // of the same hash
  PagePool<Item> pool;
  const std::size_t first = pool.share(a), second = pool.share(b);
  EXPECT_GT(first, second);
  pool.share(shorter);
  for (const std::size_t i : {0, 130, 199}) EXPECT_TRUE(share_memory(a, b, i)) << i;
  EXPECT_FALSE(share_memory(a, b, 70));
  EXPECT_TRUE(share_memory(a, shorter, 100));
  EXPECT_FALSE(share_memory(a, shorter, 189)) << "a last page of another length";
  EXPECT_EQ(a, counting(200));
  EXPECT_EQ(shorter, counting(190));
  EXPECT_EQ(std::as_const(b)[70].value, 73);
}

}  // namespace
}  // namespace cpbench
