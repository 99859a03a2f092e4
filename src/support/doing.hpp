// What this process is doing, for whoever must say where its memory ran out: std::bad_alloc carries no words.
#pragma once

#include <string>

namespace cpbench {

/// `running point 3-ring-cp8`. Of the thread that runs commands, which sets it and reads it.
inline std::string& doing() {
  static std::string text;
  return text;
}

}  // namespace cpbench
