#include "validate/wrong_rows.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <limits>
#include <numeric>
#include <string_view>
#include <tuple>

namespace cpbench {
namespace {

/// `heads 0-3,6`: which of them have any.
std::string text_of(std::string_view one, std::string_view several, const std::vector<double>& counts) {
  std::vector<std::string> runs;
  std::ptrdiff_t having = 0;
  for (auto begin = counts.begin(); begin != counts.end();) {
    const auto has_any = [](double count) { return count > 0; };
    const auto from = std::find_if(begin, counts.end(), has_any), to = std::find_if_not(from, counts.end(), has_any);
    const auto first = from - counts.begin(), last = to - counts.begin() - 1;
    if (from != to) runs.push_back(first == last ? fmt::to_string(first) : fmt::format("{}-{}", first, last));
    having += to - from;
    begin = to;
  }
  return fmt::format("{} {}", having == 1 ? one : several, fmt::join(runs, ","));
}

std::tuple<std::int64_t, std::int64_t, int> order(const CheckedRow& row) {
  return {row.id.batch, row.id.token, row.id.head};
}

/// Collective: the first of the rows that ranks have, each one or none; one rank has one.
CheckedRow first_of(const CheckedRow* mine, const Collective& collective) {
  std::vector<CheckedRow> own, rows;
  if (mine != nullptr) own.push_back(*mine);
  for (const auto& part : collective.allgatherv(own)) rows.insert(rows.end(), part.begin(), part.end());
  return *std::ranges::min_element(rows, {}, order);
}

}  // namespace

std::int64_t WrongRows::count() const {
  return static_cast<std::int64_t>(std::accumulate(by_rank.begin(), by_rank.end(), 0.0));
}

std::string WrongRows::text() const {
  std::vector<std::string> places;
  if (by_batch.size() > 1) places.push_back(text_of("batch", "batches", by_batch));
  if (by_head.size() > 1) places.push_back(text_of("head", "heads", by_head));
  places.push_back(first_token == last_token ? fmt::format("token {}", first_token)
                                             : fmt::format("tokens {}-{}", first_token, last_token));
  if (std::ranges::find(by_rank, 0.0) != by_rank.end()) places.push_back(text_of("rank", "ranks", by_rank));
  return fmt::format("{} of {} rows: {}", count(), checked, fmt::join(places, ", "));
}

WrongRows RowErrors::not_numbers(const Problem& problem, const Collective& collective) const {
  return select([](const RowError& error) { return !error.is_number; }, problem, collective);
}

WrongRows RowErrors::beyond(double tolerance, const Problem& problem, const Collective& collective) const {
  return select([&](const RowError& error) { return error.relative() > tolerance; }, problem, collective);
}

WrongRows RowErrors::select(const std::function<bool(const RowError&)>& is_wrong, const Problem& problem,
                            const Collective& collective) const {
  constexpr double kNone = -std::numeric_limits<double>::infinity();
  WrongRows wrong;
  wrong.by_batch.resize(static_cast<std::size_t>(problem.batch));
  wrong.by_head.resize(static_cast<std::size_t>(problem.heads));
  wrong.by_rank.resize(static_cast<std::size_t>(collective.size()));
  double checked = static_cast<double>(rows_.size());
  std::array<double, 2> ends = {kNone, kNone};  // of the tokens, the first one negative: both are maxima
  const CheckedRow* first = nullptr;
  for (const CheckedRow& row : rows_) {
    if (!is_wrong(row.error)) continue;
    ++wrong.by_batch[static_cast<std::size_t>(row.id.batch)];
    ++wrong.by_head[static_cast<std::size_t>(row.id.head)];
    ++wrong.by_rank[static_cast<std::size_t>(collective.rank())];
    const auto token = static_cast<double>(row.id.token);
    ends = {std::max(ends[0], -token), std::max(ends[1], token)};
    if (first == nullptr || order(row) < order(*first)) first = &row;
  }
  for (auto* counts : {&wrong.by_batch, &wrong.by_head, &wrong.by_rank}) collective.sum(*counts);
  collective.sum({&checked, 1});
  collective.max(ends);
  wrong.checked = static_cast<std::int64_t>(checked);
  if (wrong.count() == 0) return wrong;
  wrong.first_token = static_cast<std::int64_t>(-ends[0]);
  wrong.last_token = static_cast<std::int64_t>(ends[1]);
  wrong.first = first_of(first, collective);
  return wrong;
}

}  // namespace cpbench
