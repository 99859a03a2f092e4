// Random partitions of a sequence, for property tests.
#pragma once

#include <algorithm>
#include <cstdint>
#include <random>
#include <vector>

#include "problem/documents.hpp"

namespace cpbench {

/// Documents of 1 to `longest` tokens.
inline Documents random_documents(std::mt19937_64& random, std::int64_t seq_len, std::int64_t longest) {
  std::vector<std::int64_t> lengths;
  for (std::int64_t missing = seq_len; missing > 0; missing -= lengths.back()) {
    lengths.push_back(1 + static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(std::min(longest, missing))));
  }
  return Documents::from_lengths(lengths, seq_len);
}

}  // namespace cpbench
