// Flags in memory that streams write and wait for: cuStreamWriteValue32 and cuStreamWaitValue32.
#include <atomic>
#include <map>
#include <memory>

#include "emulator/fault_message.hpp"
#include "runtime/engine.hpp"
#include "runtime/memory_actions.hpp"
#include "runtime/status.hpp"
#include "runtime/whole_access.hpp"

namespace cpbench::vgpu {
namespace {

using Flag = std::atomic<std::uint32_t>;

/// What was known to be done when this process last wrote a flag: who waits for it knows that too.
std::map<const Flag*, std::vector<Clock>> written;

class WriteValue : public Action {
 public:
  WriteValue(Flag* flag, std::uint32_t value) : flag_(flag), value_(value) {}
  void begin(const Operation& operation) override {
    global_shadow().begin(operation);
    note_raise(flag_, sizeof *flag_);
    std::vector<Clock>& clock = written[flag_];
    clock.assign(operation.clock.begin(), operation.clock.end());
    clock[operation.stream] = operation.sequence;
    if (is_to_fail("flag")) return;
    flag_->store(value_, std::memory_order_release);
  }
  bool involves_others() const override { return true; }
  std::string describe() const override { return fmt::format("writing {} to a flag", value_); }

 private:
  Flag* flag_;
  std::uint32_t value_;
};

/// Looks at the flag from its begin on, so what is there then may end it.
class WaitValue : public Action {
 public:
  WaitValue(const Flag* flag, std::uint32_t value, unsigned condition)
      : flag_(flag), value_(value), condition_(condition) {}
  void begin(const Operation& operation) override {
    global_shadow().begin(operation);
    note_poll(flag_, sizeof *flag_);
  }
  bool done() override {
    const std::uint32_t now = flag_->load(std::memory_order_acquire);
    switch (condition_) {
      case CU_STREAM_WAIT_VALUE_GEQ:
        return static_cast<std::int32_t>(now - value_) >= 0;
      case CU_STREAM_WAIT_VALUE_EQ:
        return now == value_;
      case CU_STREAM_WAIT_VALUE_AND:
        return (now & value_) != 0;
      default:
        return ~(now | value_) != 0;
    }
  }
  std::vector<Clock> learned() override { return written[flag_]; }
  std::string describe() const override {
    return fmt::format("a wait for a flag to be {} (condition {}); it is {}", value_, condition_, flag_->load());
  }

 private:
  const Flag* flag_;
  std::uint32_t value_;
  unsigned condition_;
};

/// The flag at a device address; null where there can be none.
Flag* flag_at(CUdeviceptr address) {
  auto* const pointer = reinterpret_cast<void*>(static_cast<std::uintptr_t>(address));
  return address % sizeof(Flag) == 0 && is_known_memory(pointer) ? static_cast<Flag*>(pointer) : nullptr;
}

}  // namespace
}  // namespace cpbench::vgpu

using namespace cpbench::vgpu;

CUresult cuStreamWriteValue32(CUstream stream, CUdeviceptr address, cuuint32_t value, unsigned) {
  Flag* const flag = flag_at(address);
  if (is_to_fail("cuStreamWriteValue32")) return CUDA_ERROR_NOT_SUPPORTED;
  if (flag == nullptr) return CUDA_ERROR_INVALID_VALUE;
  engine().enqueue(engine().find(stream), std::make_shared<WriteValue>(flag, value));
  return CUDA_SUCCESS;
}

CUresult cuStreamWaitValue32(CUstream stream, CUdeviceptr address, cuuint32_t value, unsigned flags) {
  Flag* const flag = flag_at(address);
  const unsigned condition = flags & ~unsigned{CU_STREAM_WAIT_VALUE_FLUSH};  // what is written is there at once
  if (flag == nullptr || condition > CU_STREAM_WAIT_VALUE_NOR) return CUDA_ERROR_INVALID_VALUE;
  engine().enqueue(engine().find(stream), std::make_shared<WaitValue>(flag, value, condition));
  return CUDA_SUCCESS;
}
