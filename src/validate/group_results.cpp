#include "validate/group_results.hpp"

#include <span>

#include "validate/read_row.hpp"

namespace cpbench {
namespace {

/// Row `index` of [rows, dim].
std::span<const double> row_of(const std::vector<double>& values, std::size_t index, int dim) {
  const auto width = static_cast<std::size_t>(dim);
  return std::span(values).subspan(index * width, width);
}

/// An absolute error of lse is a relative error of the softmax: it is measured against no less than 1.
constexpr double kLeastLse = 1;

}  // namespace

std::vector<QueryRow> own_queries(const CheckContext& context, HeadGroup group) {
  const int heads = context.inputs.problem().group();
  const std::vector<std::int64_t> tokens = expand(context.tokens);
  std::vector<QueryRow> rows;
  rows.reserve(tokens.size() * static_cast<std::size_t>(heads));
  for (int g = 0; g < heads; ++g) {
    for (const std::int64_t token : tokens) rows.push_back({token, group.kv_head * heads + g});
  }
  return rows;
}

void round_gradients(const SingleDevice& device, GroupResults& results) {
  for (auto* gradient : {&results.queries.dq, &results.keys.dk, &results.keys.dv}) {
    for (double& value : *gradient) value = device.to_storage(value);
  }
}

void compare_group(const CheckContext& context, const GroupRows& rows, const GroupResults& exact,
                   const GroupResults& low_precision, ErrorAccumulator& errors) {
  const Problem& problem = context.inputs.problem();
  const LocalResults& results = context.results;
  const std::int64_t batch = rows.group.batch;
  const auto compare = [&](ResultTensor tensor, const TensorView& view, std::int64_t place, const RowId& id,
                           const ExpectedRow& expected) {
    errors.add(tensor, id, read_row(view, batch, place, id.head), expected);
  };
  for (std::size_t r = 0; r < rows.queries.size(); ++r) {
    const std::int64_t place = rows.query_places[r];
    if (place == kElsewhere) continue;
    const RowId id{batch, rows.queries[r].token, rows.queries[r].head};
    const auto expected = [&](const std::vector<double>& e, const std::vector<double>& l, int dim, double least) {
      return ExpectedRow{row_of(e, r, dim), row_of(l, r, dim), least};
    };
    compare(ResultTensor::kOut, results.out, place, id,
            expected(exact.forward.out, low_precision.forward.out, problem.head_dim_v, 0));
    compare(ResultTensor::kLse, results.lse, place, id,
            expected(exact.forward.lse, low_precision.forward.lse, 1, kLeastLse));
    if (!context.backward()) continue;
    compare(ResultTensor::kDq, results.dq, place, id,
            expected(exact.queries.dq, low_precision.queries.dq, problem.head_dim, exact.queries.spread2[r]));
  }
  for (std::size_t j = 0; j < rows.keys.size() && context.backward(); ++j) {
    const std::int64_t place = rows.key_places[j];
    if (place == kElsewhere) continue;
    const RowId id{batch, rows.keys[j], rows.group.kv_head};
    compare(ResultTensor::kDk, results.dk, place, id,
            {row_of(exact.keys.dk, j, problem.head_dim), row_of(low_precision.keys.dk, j, problem.head_dim),
             exact.keys.spread2[j]});
    compare(ResultTensor::kDv, results.dv, place, id,
            {row_of(exact.keys.dv, j, problem.head_dim_v), row_of(low_precision.keys.dv, j, problem.head_dim_v)});
  }
}

void SinkCheck::add(HeadGroup group, const RowStatistics& exact, const RowStatistics& low_precision) {
  const int heads = context_.inputs.problem().group();
  const std::size_t rows = exact.lse.size() / static_cast<std::size_t>(heads);
  for (int g = 0; g < heads; ++g) {
    const int head = group.kv_head * heads + g;
    const auto index = static_cast<std::size_t>(head);
    const std::size_t begin = static_cast<std::size_t>(g) * rows;
    const double sink = context_.inputs.sink(head);
    const SinkGradientPart part = sink_gradient(sink, exact, begin, rows);
    exact_[index] += part.sum;
    least_square_[index] += part.spread2;
    low_precision_[index] += sink_gradient(sink, low_precision, begin, rows).sum;
  }
}

void SinkCheck::compare(const std::vector<int>& kv_heads, ErrorAccumulator& errors) {
  for (auto* sums : {&exact_, &low_precision_, &least_square_}) context_.collective.sum(*sums);
  if (context_.collective.rank() != 0) return;
  const int group = context_.inputs.problem().group();
  for (const int kv_head : kv_heads) {
    for (int head = kv_head * group; head < (kv_head + 1) * group; ++head) {
      const auto index = static_cast<std::size_t>(head);
      const double found = context_.results.dsink[index];
      errors.add(ResultTensor::kDsink, {0, 0, head}, {&found, 1},
                 {{&exact_[index], 1}, {&low_precision_[index], 1}, least_square_[index]});
    }
  }
}

}  // namespace cpbench
