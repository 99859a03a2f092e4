#include "validate/npy.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <bit>
#include <cerrno>

#include "support/refuse_write.hpp"

namespace cpbench {

static_assert(std::endian::native == std::endian::little, "'<f4' below is what memory holds");

std::string npy_header(std::span<const std::int64_t> shape) {
  constexpr std::size_t kPreamble = 10, kAlignment = 64;
  // A tuple of one element needs its comma.
  std::string dictionary = fmt::format("{{'descr': '<f4', 'fortran_order': False, 'shape': ({}{})}}",
                                       fmt::join(shape, ", "), shape.size() == 1 ? "," : "");
  const std::size_t unpadded = kPreamble + dictionary.size() + 1;
  dictionary.append((kAlignment - unpadded % kAlignment) % kAlignment, ' ');
  dictionary += '\n';
  std::string header = "\x93NUMPY";
  header += {'\x01', '\x00', static_cast<char>(dictionary.size() & 0xff), static_cast<char>(dictionary.size() >> 8)};
  return header + dictionary;
}

NpyWriter::NpyWriter(const std::filesystem::path& path, std::span<const std::int64_t> shape) {
  const std::string header = npy_header(shape);
  errno = 0;
  file_.open(path, std::ios::binary | std::ios::trunc);
  file_.write(header.data(), static_cast<std::streamsize>(header.size()));
  remember_failure();
}

void NpyWriter::write(std::span<const float> values) {
  errno = 0;
  file_.write(reinterpret_cast<const char*>(values.data()), static_cast<std::streamsize>(values.size_bytes()));
  remember_failure();
}

int NpyWriter::close() {
  errno = 0;
  file_.close();
  remember_failure();
  return error_;
}

void NpyWriter::remember_failure() {
  if (file_.fail() && error_ == 0) error_ = write_error();
}

}  // namespace cpbench
