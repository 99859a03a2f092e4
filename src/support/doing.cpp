#include "support/doing.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>

namespace cpbench {
namespace {

// Two, so that a handler that interrupts the writing of one reads the other.
using Text = std::array<char, 4096>;
std::array<Text, 2> texts = {};
std::atomic<std::size_t> current = 0;

}  // namespace

void set_doing(std::string_view text) {
  const std::size_t next = 1 - current;
  Text& to = texts[next];
  text = text.substr(0, to.size() - 1);
  *std::ranges::copy(text, to.begin()).out = '\0';
  current = next;
}

const char* doing() { return texts[current].data(); }

}  // namespace cpbench
