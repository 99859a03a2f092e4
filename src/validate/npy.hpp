// Files that numpy.load reads.
#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <span>
#include <string>
#include <vector>

namespace cpbench {

/// Writes one array of fp32 in C order, format version 1.0.
class NpyWriter {
 public:
  NpyWriter(const std::filesystem::path& path, std::span<const std::int64_t> shape);
  /// The next elements.
  void write(std::span<const float> values);
  /// Flushes; returns 0, or if anything could not be written errno of the first failure, where that is known, else
  /// EIO.
  int close();

 private:
  /// Later calls of the system may succeed, or fail for another reason.
  void remember_failure();

  std::ofstream file_;
  int error_ = 0;
};

/// The header of version 1.0 for little-endian fp32: its length is a multiple of 64.
std::string npy_header(std::span<const std::int64_t> shape);

}  // namespace cpbench
