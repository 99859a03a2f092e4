#include "validate/cuda/device_matrix.hpp"

namespace cpbench::cuda {

void DeviceMatrix::resize(int rows, int columns) {
  rows_ = rows;
  columns_ = columns;
}

void DeviceMatrix::fill(int rows, int columns, float value) {
  write(std::vector<float>(static_cast<std::size_t>(rows) * static_cast<std::size_t>(columns), value), columns);
}

void DeviceMatrix::write(std::span<const float> values, int columns) {
  resize(static_cast<int>(values.size()) / columns, columns);
  values_.write(values);
}

std::vector<double> DeviceMatrix::read(double scale) {
  const std::vector<float> found = values_.read(static_cast<std::size_t>(rows_) * static_cast<std::size_t>(columns_));
  std::vector<double> values(found.begin(), found.end());
  for (double& value : values) value *= scale;
  return values;
}

}  // namespace cpbench::cuda
