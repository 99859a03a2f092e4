// What this process is doing, for whoever must say where its memory ran out, for std::bad_alloc carries no words, or
// where it crashed.
#pragma once

#include <string_view>

namespace cpbench {

/// `running point 3-ring-cp8`. For the thread that runs commands; of a text of kilobytes the beginning counts.
void set_doing(std::string_view text);

/// What was set last. Any thread may ask, and a signal's handler.
const char* doing();

}  // namespace cpbench
