#include "backend/cuda/tensor_map.hpp"

#include "support/error.hpp"

namespace cpbench {
namespace {

using Encoder = decltype(&cuTensorMapEncodeTiled);

/// From the driver at run time, so that a program that was linked without it starts where there is none.
Encoder find_encoder() {
  void* found = nullptr;
  cudaDriverEntryPointQueryResult result{};
  constexpr unsigned kSinceVersion = 12000;
  check(cudaGetDriverEntryPointByVersion("cuTensorMapEncodeTiled", &found, kSinceVersion, cudaEnableDefault, &result),
        "cudaGetDriverEntryPointByVersion");
  if (result != cudaDriverEntryPointSuccess) {
    throw Error(ExitCode::kDevice, "the driver has no cuTensorMapEncodeTiled: CUDA 12.0 or later is needed");
  }
  return reinterpret_cast<Encoder>(found);
}

CUtensorMapDataType type_of(DType dtype) {
  switch (dtype) {
    case DType::kBf16:
      return CU_TENSOR_MAP_DATA_TYPE_BFLOAT16;
    case DType::kFp16:
      return CU_TENSOR_MAP_DATA_TYPE_FLOAT16;
    case DType::kFp32:
      break;
  }
  return CU_TENSOR_MAP_DATA_TYPE_FLOAT32;
}

}  // namespace

CUtensorMap encode_tensor_map(const TensorMapShape& shape) {
  static const Encoder kEncode = find_encoder();
  constexpr std::array<std::uint32_t, 4> kEveryElement = {1, 1, 1, 1};
  CUtensorMap map;
  const CUresult result =
      kEncode(&map, type_of(shape.dtype), 4, shape.data, shape.sizes.data(), shape.strides.data(), shape.box.data(),
              kEveryElement.data(), CU_TENSOR_MAP_INTERLEAVE_NONE, CU_TENSOR_MAP_SWIZZLE_128B,
              CU_TENSOR_MAP_L2_PROMOTION_L2_128B, CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE);
  if (result != CUDA_SUCCESS) {
    throw Error(ExitCode::kDevice, fmt::format("cuTensorMapEncodeTiled: error {}", static_cast<int>(result)));
  }
  return map;
}

}  // namespace cpbench
