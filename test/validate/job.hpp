// Results of a job of several ranks, made by one device: what a checker must accept, and what tests plant faults in.
#pragma once

#include <functional>
#include <vector>

#include "validate/check.hpp"
#include "validate/single_device.hpp"

namespace cpbench {

/// Every row of every tensor, [batch, token, head, channel], rounded as the device rounds.
struct Results {
  std::vector<double> out, lse, dq, dk, dv, dsink;
};
Results compute(const SingleDevice& device, const Inputs& inputs);

/// What one rank holds of them, in the problem's layout and dtype (fp32 for lse and dsink).
class RankResults {
 public:
  RankResults(const Inputs& inputs, const Results& results, const Tokens& tokens);
  LocalResults& local() { return local_; }

 private:
  TensorView store(const Problem& problem, Role role, DType dtype, int heads, int dim,
                   const std::vector<double>& values, const Tokens& tokens);

  std::vector<std::vector<std::byte>> memory_;
  std::vector<float> dsink_;
  LocalResults local_;
};

/// Contiguous, zigzag and striped shards that need nothing of shard/.
std::vector<Tokens> contiguous_shards(std::int64_t seq_len, int ranks);
std::vector<Tokens> zigzag_shards(std::int64_t seq_len, int ranks);
std::vector<Tokens> striped_shards(std::int64_t seq_len, int ranks);

/// Checks `results` as a job with these shards; `plant` may change a rank's results before. The report of rank 0, after
/// a look that all ranks have the same.
ValidationReport check_job(
    const Inputs& inputs, const Results& results, const std::vector<Tokens>& shards, const CheckOptions& options,
    const std::function<void(int rank, LocalResults&)>& plant = [](int, LocalResults&) {});

/// The report on a tensor.
const TensorReport& tensor_of(const ValidationReport& report, std::string_view name);

}  // namespace cpbench
