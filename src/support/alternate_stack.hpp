// Where a signal's handler runs when the stack itself is at its end.
#pragma once

namespace cpbench {

/// Of the calling thread, until it ends. A thread that has such a stack already, a sanitizer's say, keeps it.
void use_alternate_stack();

}  // namespace cpbench
