#include "support/alternate_stack.hpp"

#include <csignal>
#include <cstddef>
#include <memory>

namespace cpbench {
namespace {

class AlternateStack {
 public:
  AlternateStack() {
    stack_t present = {};
    if (sigaltstack(nullptr, &present) != 0 || (present.ss_flags & SS_DISABLE) == 0) return;
    memory_ = std::make_unique_for_overwrite<std::byte[]>(kBytes);
    const stack_t own = {.ss_sp = memory_.get(), .ss_flags = 0, .ss_size = kBytes};
    sigaltstack(&own, nullptr);
  }
  ~AlternateStack() {
    if (memory_ == nullptr) return;
    const stack_t none = {.ss_sp = nullptr, .ss_flags = SS_DISABLE, .ss_size = 0};
    sigaltstack(&none, nullptr);
  }
  AlternateStack(const AlternateStack&) = delete;
  AlternateStack& operator=(const AlternateStack&) = delete;

 private:
  static constexpr std::size_t kBytes = std::size_t{64} << 10;  // the registers of AMX alone are 8 KiB
  std::unique_ptr<std::byte[]> memory_;
};

}  // namespace

void use_alternate_stack() {
  thread_local AlternateStack stack;
  static_cast<void>(stack);
}

}  // namespace cpbench
