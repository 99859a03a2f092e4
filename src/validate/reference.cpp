#include "validate/reference.hpp"

#include "validate/row_by_row.hpp"

namespace cpbench {
namespace {

struct Fp64 {
  using Real = double;
  static constexpr const char* kName = "fp64";
  static Real store(Real value) { return value; }
};

}  // namespace

std::unique_ptr<SingleDevice> make_reference(const Inputs& inputs, int threads) {
  return std::make_unique<RowByRow<Fp64>>(inputs, threads);
}

}  // namespace cpbench
