#include "validate/host_reference.hpp"

#include "validate/row_by_row.hpp"

namespace cpbench {
namespace {

struct Fp64 {
  using Real = double;
  static constexpr const char* kName = "fp64";
  static Real store(Real value) { return value; }
};

template <typename Stored>
struct Fp32Sums {
  using Real = float;
  static constexpr const char* kName = "fp32 sums";
  static Real store(Real value) { return to_float(from_float<Stored>(value)); }
};

}  // namespace

std::unique_ptr<SingleDevice> make_reference(const Inputs& inputs, int threads) {
  return std::make_unique<RowByRow<Fp64>>(inputs, threads);
}

std::unique_ptr<SingleDevice> make_low_precision(const Inputs& inputs, int threads) {
  return with_type(inputs.problem().dtype, [&](auto type) -> std::unique_ptr<SingleDevice> {
    return std::make_unique<RowByRow<Fp32Sums<decltype(type)>>>(inputs, threads);
  });
}

}  // namespace cpbench
