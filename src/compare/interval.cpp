#include "compare/interval.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace cpbench {
namespace {

/// `statistic` counts which of the sorted `logs` are positive, so that the bounds are two of them: as far from the ends
/// as the test allows.
Change change_of_logs(std::vector<double> logs, const std::vector<double>& statistic, double confidence) {
  std::ranges::sort(logs);
  const std::size_t count = logs.size();
  const double middle = (logs[(count - 1) / 2] + logs[count / 2]) / 2;
  Change change{.value = std::expm1(middle), .interval = std::nullopt};

  constexpr double kRounding = 1e-12;  // a sum of probabilities that should be the rest
  const double each_side = (1 - confidence) / 2 + kRounding;
  std::size_t beyond = 0;  // of the least, and of the greatest
  for (double sum = statistic[0]; sum <= each_side && 2 * beyond < count; sum += statistic[beyond]) ++beyond;
  if (beyond > 0) change.interval = {.low = std::expm1(logs[beyond - 1]), .high = std::expm1(logs[count - beyond])};
  return change;
}

/// Of counts, in proportion to all.
std::vector<double> probabilities(const std::vector<long double>& counts) {
  const long double all = std::accumulate(counts.begin(), counts.end(), 0.0L);
  std::vector<double> shares;
  for (const long double count : counts) shares.push_back(static_cast<double>(count / all));
  return shares;
}

}  // namespace

std::vector<double> mann_whitney_distribution(std::size_t base, std::size_t head) {
  // The Gaussian binomial coefficient, the product of (1 - q^(base + i)) / (1 - q^i) for i up to head.
  const std::size_t last = base * head;
  std::vector<long double> counts(last + 1);
  counts[0] = 1;
  for (std::size_t i = 1; i <= head; ++i) {
    for (std::size_t u = last; u >= base + i; --u) counts[u] -= counts[u - base - i];
    for (std::size_t u = i; u <= last; ++u) counts[u] += counts[u - i];
  }
  return probabilities(counts);
}

std::vector<double> signed_rank_distribution(std::size_t pairs) {
  // The product of 1 + q^rank.
  const std::size_t last = pairs * (pairs + 1) / 2;
  std::vector<long double> counts(last + 1);
  counts[0] = 1;
  for (std::size_t rank = 1; rank <= pairs; ++rank) {
    for (std::size_t w = last; w >= rank; --w) counts[w] += counts[w - rank];
  }
  return probabilities(counts);
}

double best_confidence_between(std::size_t base, std::size_t head) {
  return 1 - 2 * mann_whitney_distribution(base, head)[0];
}

double best_confidence_of_pairs(std::size_t pairs) { return 1 - 2 * signed_rank_distribution(pairs)[0]; }

Change change_between(std::span<const double> base, std::span<const double> head, double confidence) {
  std::vector<double> logs;
  for (const double b : base) {
    for (const double h : head) logs.push_back(std::log(h / b));
  }
  return change_of_logs(std::move(logs), mann_whitney_distribution(base.size(), head.size()), confidence);
}

Change change_of_pairs(std::span<const double> ratios, double confidence) {
  std::vector<double> logs;
  for (std::size_t i = 0; i < ratios.size(); ++i) {
    for (std::size_t j = 0; j <= i; ++j) logs.push_back(std::log(ratios[i] * ratios[j]) / 2);
  }
  return change_of_logs(std::move(logs), signed_rank_distribution(ratios.size()), confidence);
}

}  // namespace cpbench
