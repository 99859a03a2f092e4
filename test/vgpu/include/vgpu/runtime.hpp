// What src/backend/cuda/runtime.hpp includes in place of the toolkit's headers.
#pragma once

#include "cuda.h"
#include "cuda_runtime_api.h"
