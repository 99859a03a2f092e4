#include "problem/dtype.hpp"

#include "support/names.hpp"

namespace cpbench {
namespace {

constexpr std::array<Named<DType>, 3> kNames = {
    {{DType::kFp32, "fp32"}, {DType::kBf16, "bf16"}, {DType::kFp16, "fp16"}}};

}  // namespace

int bytes_of(DType dtype) { return dtype == DType::kFp32 ? 4 : 2; }

double epsilon_of(DType dtype) {
  switch (dtype) {
    case DType::kBf16:
      return 0x1p-7;
    case DType::kFp16:
      return 0x1p-10;
    case DType::kFp32:
      break;
  }
  return 0x1p-23;
}

std::string_view name_of(DType dtype) { return name_in(kNames, dtype); }
DType parse_dtype(std::string_view name) { return parse_in(kNames, "dtype", name); }

float round_to(DType dtype, float value) {
  return with_type(dtype, [&](auto type) { return cpbench::to_float(from_float<decltype(type)>(value)); });
}

}  // namespace cpbench
