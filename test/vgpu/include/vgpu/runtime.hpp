// What src/backend/cuda/runtime.hpp includes in place of the toolkit's headers.
#pragma once

#include "cuda.h"
#include "cuda_runtime_api.h"
#include "vector_types.h"
#include "vgpu/keywords.hpp"
