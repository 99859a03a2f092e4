#include "support/nearest.hpp"

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <vector>

namespace cpbench {
namespace {

// Levenshtein distance, keeping one row of the table.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i + 1;
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row.back();
}

/// So many characters are more than a flag's dashes and a letter.
constexpr std::size_t kPrefix = 4;

}  // namespace

std::string nearest(std::string_view word, std::span<const std::string> known, std::size_t farthest) {
  std::string_view best;
  std::size_t best_distance = farthest + 1;
  for (const std::string& candidate : known) {
    std::size_t distance = edit_distance(word, candidate);
    if (word.size() >= kPrefix && candidate.starts_with(word)) distance = std::min<std::size_t>(distance, 2);
    if (distance < best_distance) {
      best = candidate;
      best_distance = distance;
    }
  }
  return std::string(best);
}

std::string nearest(std::string_view word, std::span<const std::string> known) {
  return nearest(word, known, std::max<std::size_t>(2, word.size() / 2));
}

}  // namespace cpbench
