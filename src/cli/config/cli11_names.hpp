// The classes of CLI11 that headers name; sources include cli11.hpp.
#pragma once

namespace CLI {  // NOLINT(readability-identifier-naming): its own
class App;
class Option;
}  // namespace CLI
