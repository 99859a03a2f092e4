// The CUDA runtime with its C++ parts, on the virtual GPU.
#pragma once

#include "cuda_runtime_api.h"
#include "vector_types.h"
#include "vgpu/keywords.hpp"
