#include "validate/norms.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

namespace cpbench {
namespace {

double relative(double error_square, double reference_square) {
  if (error_square == 0) return 0;
  return reference_square == 0 ? std::numeric_limits<double>::infinity() : std::sqrt(error_square / reference_square);
}

}  // namespace

double RowError::relative() const { return cpbench::relative(square, reference_square); }

double ErrorNorms::Squares::relative() const { return cpbench::relative(error, reference); }

RowError ErrorNorms::add(const RowId& id, std::span<const double> values, std::span<const double> reference,
                         double least_square) {
  RowError row;
  double worst = -1;
  for (std::size_t c = 0; c < values.size(); ++c) {
    const bool equal = values[c] == reference[c], finite = std::isfinite(values[c]) && std::isfinite(reference[c]);
    const double error = !equal && finite ? std::abs(values[c] - reference[c]) : 0;
    row.square += error * error;
    max_abs_ = std::max(max_abs_, error);
    if (std::isfinite(reference[c])) row.reference_square += reference[c] * reference[c];
    if (finite) {
      values_square_ += values[c] * values[c];
      references_square_ += reference[c] * reference[c];
      products_ += values[c] * reference[c];
    }
    if (row.is_number && (error > worst || (!equal && !finite))) {
      worst = error;
      row.is_number = equal || finite;
      row.channel = c;
      row.value = values[c];
      row.reference = reference[c];
    }
  }
  row.reference_square = std::max(row.reference_square, least_square);
  Squares& block = blocks_[{id.batch, id.head, id.token / kNormBlockRows}];
  block.error += row.square;
  block.reference += row.reference_square;
  return row;
}

void ErrorNorms::join(const Collective& collective) {
  collective.max({&max_abs_, 1});
  for (double* sum : {&values_square_, &references_square_, &products_}) collective.sum({sum, 1});
  struct Block {
    BlockId id;
    Squares squares;
  };
  std::vector<Block> mine;
  for (const auto& [id, squares] : blocks_) mine.push_back({id, squares});
  blocks_.clear();
  for (const std::vector<Block>& part : collective.allgatherv(mine)) {
    for (const auto& [id, squares] : part) {
      blocks_[id].error += squares.error;
      blocks_[id].reference += squares.reference;
    }
  }
}

std::optional<double> ErrorNorms::factor(double tolerance) const {
  if (products_ == 0) return std::nullopt;
  // The least squares fit of values to references, and what remains of them.
  const double factor = products_ / references_square_;
  const double fitted = factor * products_, rest = std::max(0.0, values_square_ - fitted);
  if (std::abs(factor - 1) <= tolerance || relative(rest, fitted) > tolerance) return std::nullopt;
  return factor;
}

double ErrorNorms::rel_l2() const {
  Squares all;
  for (const auto& [id, squares] : blocks_) {
    all.error += squares.error;
    all.reference += squares.reference;
  }
  return all.relative();
}

ErrorNorms::Blocks::const_iterator ErrorNorms::worst() const {
  return std::max_element(blocks_.begin(), blocks_.end(),
                          [](const auto& a, const auto& b) { return a.second.relative() < b.second.relative(); });
}

double ErrorNorms::worst_block() const { return blocks_.empty() ? 0 : worst()->second.relative(); }

std::string ErrorNorms::worst_block_name(std::int64_t tokens) const {
  if (blocks_.empty()) return {};
  const BlockId& id = worst()->first;
  return fmt::format("batch {}, head {}, tokens {} to {}", id.batch, id.head, id.index * kNormBlockRows,
                     std::min((id.index + 1) * kNormBlockRows, tokens) - 1);
}

}  // namespace cpbench
