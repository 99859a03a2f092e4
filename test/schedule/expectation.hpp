// What brute force compares with: the problem, pair by pair.
#pragma once

#include <algorithm>
#include <map>
#include <vector>

#include "schedule/symbolic_memory.hpp"

namespace cpbench::brute_force {

/// The pairs that must end up in a row of a head.
class Expectation {
 public:
  explicit Expectation(const Problem& problem) : p_(problem) {
    for (std::int32_t q = 0; q < p_.seq_len; ++q) {
      for (std::int32_t k = 0; k < p_.seq_len; ++k) {
        if (!p_.allows(q, k)) continue;
        keys_[q].push_back(k);
        queries_[k].push_back(q);
      }
    }
  }
  Pairs of_query(std::int32_t token, std::int32_t head, bool with_sink) {
    Pairs pairs;
    for (const std::int32_t k : keys_[token]) pairs.push_back({token, k, head});
    if (with_sink) pairs.push_back({kAnyToken, static_cast<std::int32_t>(p_.seq_len), head});
    std::ranges::sort(pairs);
    return pairs;
  }
  Pairs of_key(std::int32_t token, std::int32_t kv_head) {
    Pairs pairs;
    for (std::int32_t h = kv_head * p_.group(); h < (kv_head + 1) * p_.group(); ++h) {
      for (const std::int32_t q : queries_[token]) pairs.push_back({q, token, h});
    }
    std::ranges::sort(pairs);
    return pairs;
  }
  Pairs of_sink(std::int32_t head) const {
    Pairs pairs;
    for (std::int32_t q = 0; q < p_.seq_len; ++q) pairs.push_back({q, static_cast<std::int32_t>(p_.seq_len), head});
    return pairs;
  }
  /// Marks a finished row that has all of its pairs.
  void judge(Element& result) {
    std::ranges::sort(result.pairs);
    result.complete = false;
    if (result.pairs.empty() || result.pairs.back() == kPoison) return;
    result.token = result.pairs.back()[0];  // kAnyToken sorts before
    result.head = result.pairs.back()[2];
    result.complete = result.token >= 0 && result.pairs == of_query(result.token, result.head, p_.sink);
  }

 private:
  const Problem& p_;
  std::map<std::int32_t, std::vector<std::int32_t>> keys_, queries_;
};

}  // namespace cpbench::brute_force
