// CUDA's short vectors, as far as kernels use them.
#pragma once

// NOLINTBEGIN(readability-identifier-naming): CUDA's names
struct alignas(8) float2 {
  float x, y;
};
struct alignas(16) float4 {
  float x, y, z, w;
};
struct alignas(8) int2 {
  int x, y;
};
struct alignas(16) int4 {
  int x, y, z, w;
};
struct alignas(8) uint2 {
  unsigned x, y;
};
struct alignas(16) uint4 {
  unsigned x, y, z, w;
};
// NOLINTEND(readability-identifier-naming)
