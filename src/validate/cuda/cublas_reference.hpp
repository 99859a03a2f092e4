// The reference on a GPU: unfused attention in fp32, by cuBLAS and a kernel for the softmax and one for its gradient.
// It shares no code with the kernels that are measured, nor with tiles and programs: which pairs are attended it asks
// of the problem.
#pragma once

#include <memory>

#include "validate/single_device.hpp"

namespace cpbench {

struct CublasOptions {
  int device = 0;   ///< as the runtime counts; it becomes the current one of the calling thread
  int threads = 1;  ///< of the host, which regenerates the inputs
  /// Scores of so many rows against so many columns are held at a time, twice, whatever the length.
  int block_rows = 2048, block_columns = 4096;
};

/// `inputs` must outlive it. Throws Error(kPlacement) where its memory, about 100 MiB, cannot be had. A pair that is
/// not attended is multiplied by 0, so a NaN among the inputs can reach rows that do not see it.
std::unique_ptr<SingleDevice> make_cublas_reference(const Inputs& inputs, const CublasOptions& options);

}  // namespace cpbench
