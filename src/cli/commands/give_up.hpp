// How a process leaves whose error the other ranks do not know of.
#pragma once

#include <exception>

namespace cpbench {

/// Ends the job for an error that this rank may have alone, while others wait for it. Where several have it the lowest
/// speaks: it ends the others before their turn. Where the watchdog is ending the job already, nothing is said. The
/// exit code is the error's own; memory that ran out is a matter of placement, what the operating system refuses counts
/// as the device's, and whatever else is no Error is a bug of cpbench. Call it where the error is caught, before
/// anything is destroyed that other ranks may still touch: nothing is from here on.
[[noreturn]] void give_up(const std::exception& error);

}  // namespace cpbench
