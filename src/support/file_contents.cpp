#include "support/file_contents.hpp"

#include <fstream>
#include <sstream>

#include "support/error.hpp"

namespace cpbench {

std::string contents_of(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  std::ostringstream text;
  const bool empty = stream.is_open() && stream.peek() == std::ifstream::traits_type::eof();  // of which << fails
  if (!empty) text << stream.rdbuf();
  if (!stream.is_open() || stream.bad() || text.fail()) refuse("{} cannot be read", file.string());
  return text.str();
}

}  // namespace cpbench
