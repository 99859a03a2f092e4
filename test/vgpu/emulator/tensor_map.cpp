#include "tensor_map.hpp"

#include <algorithm>
#include <cstring>

#include "fault_message.hpp"

namespace cpbench::vgpu {
namespace {

int element_bytes(CUtensorMapDataType type) {
  switch (type) {
    case CU_TENSOR_MAP_DATA_TYPE_FLOAT16:
    case CU_TENSOR_MAP_DATA_TYPE_BFLOAT16:
      return 2;
    case CU_TENSOR_MAP_DATA_TYPE_FLOAT32:
      return 4;
    default:
      return 0;
  }
}

int span_of(CUtensorMapSwizzle swizzle) {
  switch (swizzle) {
    case CU_TENSOR_MAP_SWIZZLE_NONE:
      return 0;
    case CU_TENSOR_MAP_SWIZZLE_32B:
      return 32;
    case CU_TENSOR_MAP_SWIZZLE_64B:
      return 64;
    case CU_TENSOR_MAP_SWIZZLE_128B:
      return 128;
  }
  return -1;
}

/// What the driver API documents as allowed.
bool is_allowed(const TensorMap& map) {
  const bool axes = map.rank >= 1 && map.rank <= 5 && map.element_bytes > 0;
  if (!axes || map.address == 0 || map.address % 16 != 0) return false;
  if (map.rank > 1 && map.strides[0] < std::uint64_t{map.sizes[0]} * map.element_bytes) return false;
  for (int i = 0; i < map.rank; ++i) {
    if (map.sizes[i] == 0 || map.box[i] == 0 || map.box[i] > 256) return false;
    if (i > 0 && (map.strides[i - 1] % 16 != 0 || map.strides[i - 1] >= std::uint64_t{1} << 40)) return false;
  }
  return map.row_bytes() % 16 == 0 && (map.span == 0 || map.row_bytes() <= map.span);
}

}  // namespace

std::uint32_t TensorMap::box_bytes() const {
  std::uint32_t bytes = element_bytes;
  for (int i = 0; i < rank; ++i) bytes *= box[i];
  return bytes;
}

TensorMap decode(const CUtensorMap* map, int rank) {
  TensorMap decoded;
  std::memcpy(&decoded, map, sizeof decoded);
  if (reinterpret_cast<std::uintptr_t>(map) % 64 != 0 || decoded.mark != TensorMap::kMark) {
    fail(FaultKind::kMisuse, "a bulk copy names a tensor map that is none, or is not aligned to 64 bytes");
  }
  if (decoded.rank != rank) fail(FaultKind::kMisuse, "a bulk copy of {} axes names a map of {}", rank, decoded.rank);
  return decoded;
}

}  // namespace cpbench::vgpu

CUresult cuTensorMapEncodeTiled(CUtensorMap* encoded, CUtensorMapDataType type, cuuint32_t rank, void* address,
                                const cuuint64_t* sizes, const cuuint64_t* strides, const cuuint32_t* box,
                                const cuuint32_t* element_strides, CUtensorMapInterleave interleave,
                                CUtensorMapSwizzle swizzle, CUtensorMapL2promotion, CUtensorMapFloatOOBfill fill) {
  using cpbench::vgpu::TensorMap;
  if (rank < 1 || rank > 5) return CUDA_ERROR_INVALID_VALUE;
  TensorMap map{};
  map.mark = TensorMap::kMark;
  map.rank = static_cast<std::uint8_t>(rank);
  map.element_bytes = static_cast<std::uint8_t>(cpbench::vgpu::element_bytes(type));
  map.is_float = type == CU_TENSOR_MAP_DATA_TYPE_FLOAT32;
  map.span = static_cast<std::uint8_t>(cpbench::vgpu::span_of(swizzle));
  map.address = reinterpret_cast<std::uint64_t>(address);
  for (cuuint32_t i = 0; i < rank; ++i) {
    if (sizes[i] > 0xffffffffu || box[i] > 256 || element_strides[i] != 1) return CUDA_ERROR_INVALID_VALUE;
    map.sizes[i] = static_cast<std::uint32_t>(sizes[i]);
    map.box[i] = static_cast<std::uint16_t>(box[i]);
    if (i > 0) map.strides[i - 1] = strides[i - 1];
  }
  const bool plain = interleave == CU_TENSOR_MAP_INTERLEAVE_NONE && fill == CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE;
  if (!plain || !cpbench::vgpu::is_allowed(map)) return CUDA_ERROR_INVALID_VALUE;
  std::memset(encoded, 0, sizeof *encoded);
  std::memcpy(encoded, &map, sizeof map);
  return CUDA_SUCCESS;
}
