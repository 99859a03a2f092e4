// What a check expects of one head group, and how it is compared with what a rank holds.
#pragma once

#include <cstdint>
#include <vector>

#include "validate/check.hpp"
#include "validate/error_accumulator.hpp"
#include "validate/single_device.hpp"

namespace cpbench {

/// What every part of a check needs.
struct CheckContext {
  const Inputs& inputs;
  const SingleDevice& reference;
  const CheckOptions& options;
  const Tokens& tokens;
  const LocalResults& results;
  const Collective& collective;

  bool backward() const { return options.pass != Pass::kForward; }
};

/// What one device finds for some rows of a head group.
struct GroupResults {
  ForwardRows forward;
  QueryGradients queries;
  KeyGradients keys;
};

/// Rows of a head group, and the row of the rank's own tensors that holds each; kElsewhere: another rank has it.
inline constexpr std::int64_t kElsewhere = -1;
struct GroupRows {
  HeadGroup group;
  std::vector<QueryRow> queries;
  std::vector<std::int64_t> query_places;
  std::vector<std::int64_t> keys;
  std::vector<std::int64_t> key_places;
};

/// Query rows [group][tokens of the rank].
std::vector<QueryRow> own_queries(const CheckContext& context, HeadGroup group);

/// The last rounding of complete sums.
void round_gradients(const SingleDevice& device, GroupResults& results);

/// Adds the rows that this rank holds to `errors`.
void compare_group(const CheckContext& context, const GroupRows& rows, const GroupResults& exact,
                   const GroupResults& low_precision, ErrorAccumulator& errors);

/// Sums up the gradients of sinks, per query head.
class SinkCheck {
 public:
  explicit SinkCheck(const CheckContext& context)
      : context_(context), exact_(heads()), low_precision_(heads()), least_square_(heads()) {}
  /// Adds this rank's rows of one head group. Statistics are those of own_queries.
  void add(HeadGroup group, const RowStatistics& exact, const RowStatistics& low_precision);
  /// Collective: adds the heads of K/V heads `kv_heads` to `errors`, on rank 0.
  void compare(const std::vector<int>& kv_heads, ErrorAccumulator& errors);

 private:
  std::size_t heads() const { return static_cast<std::size_t>(context_.inputs.problem().heads); }

  const CheckContext& context_;
  std::vector<double> exact_, low_precision_, least_square_;
};

/// The two kinds of check.
ValidationReport check_full(const CheckContext& context);
ValidationReport check_sample(const CheckContext& context, std::int64_t rows);

}  // namespace cpbench
