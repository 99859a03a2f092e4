// The two products that attention is made of, for one vector against many rows.
#pragma once

#include <cstdint>

namespace cpbench {

/// products[j] = vector . rows[j], for `count` rows of `dim` elements that follow each other.
void dot_rows(const double* vector, const double* rows, std::int64_t count, int dim, double* products);
void dot_rows(const float* vector, const float* rows, std::int64_t count, int dim, float* products);

/// vector += sum over j of weights[j] * rows[j].
void add_rows(const double* weights, const double* rows, std::int64_t count, int dim, double* vector);
void add_rows(const float* weights, const float* rows, std::int64_t count, int dim, float* vector);

}  // namespace cpbench
