// Covering designs: few rows that have every pair of values of any two factors.
#pragma once

#include <algorithm>
#include <cstddef>
#include <random>
#include <set>
#include <span>
#include <tuple>
#include <vector>

namespace cpbench::test {

/// Row by row the value, from 0, of each factor; factor i has sizes[i] values. Greedy: each row is the best of some
/// random ones, so there are a few more than need be.
inline std::vector<std::vector<int>> covering_design(std::span<const int> sizes) {
  using Pair = std::tuple<std::size_t, int, std::size_t, int>;
  std::set<Pair> missing;
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    for (std::size_t j = i + 1; j < sizes.size(); ++j) {
      for (int a = 0; a < sizes[i]; ++a) {
        for (int b = 0; b < sizes[j]; ++b) missing.insert({i, a, j, b});
      }
    }
  }
  const auto pairs_of = [&](const std::vector<int>& row) {
    std::vector<Pair> pairs;
    for (std::size_t i = 0; i < row.size(); ++i) {
      for (std::size_t j = i + 1; j < row.size(); ++j) pairs.emplace_back(i, row[i], j, row[j]);
    }
    return pairs;
  };

  std::mt19937 random(1);
  std::vector<std::vector<int>> rows;
  while (!missing.empty()) {
    constexpr int kTries = 200;
    std::vector<int> best;
    std::ptrdiff_t most = 0;
    for (int attempt = 0; attempt < kTries; ++attempt) {
      std::vector<int> row;
      for (const int size : sizes) row.push_back(static_cast<int>(random() % static_cast<unsigned>(size)));
      // One pair that is missing is there at least.
      const auto& [i, a, j, b] = *missing.begin();
      row[i] = a;
      row[j] = b;
      const auto pairs = pairs_of(row);
      const auto gain = std::count_if(pairs.begin(), pairs.end(), [&](const Pair& p) { return missing.contains(p); });
      if (gain > most) {
        most = gain;
        best = row;
      }
    }
    for (const Pair& pair : pairs_of(best)) missing.erase(pair);
    rows.push_back(best);
  }
  return rows;
}

}  // namespace cpbench::test
