// Kernels that crash, each in its own way: on rank $CRASHING_RANK, or on all without it, once their queries have 100
// rows. Until then they are `simple`.
#include <sys/mman.h>

#include <csignal>
#include <cstdlib>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "backend/cpu/parallel.hpp"
#include "backend/kernel.hpp"

namespace cpbench {
namespace {

bool crashes_here() {
  const char* const wanted = std::getenv("CRASHING_RANK");
  if (wanted == nullptr) return true;
  for (const char* name : {"OMPI_COMM_WORLD_RANK", "PMI_RANK"}) {
    const char* const rank = std::getenv(name);
    if (rank != nullptr && std::string_view(rank) == wanted) return true;
  }
  return false;
}

class CrashingKernel : public AttentionKernel {
 public:
  /// `crash` is called on one of the kernel's threads.
  CrashingKernel(std::function<void()> crash, int thread) : crash_(std::move(crash)), thread_(thread) {}
  void attend(const AttendArguments& a, const KernelContext& context) override {
    if (a.q.rows >= 100 && crashes_here()) {
#pragma omp parallel num_threads(context.threads)
      if (omp_get_thread_num() == thread_) crash_();
    }
    sound_->attend(a, context);
  }
  void attend_backward(const AttendBackwardArguments& a, const KernelContext& context) override {
    sound_->attend_backward(a, context);
  }

 private:
  std::function<void()> crash_;
  int thread_;
  std::unique_ptr<AttentionKernel> sound_ = make_kernel("simple");
};

/// Where no instruction is allowed to: no sanitizer finds it before the processor does.
void write_astray() {
  void* const page = mmap(nullptr, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  *static_cast<volatile char*>(page) = 1;
}

int recurse(const volatile int& depth) {  // NOLINT(misc-no-recursion): that is the point
  volatile int block[1024];
  block[0] = depth + 1;
  return depth < 0 ? 0 : recurse(block[0]) + block[0];
}

void overflow() {
  const volatile int depth = 0;
  recurse(depth);
}

struct RegisterCrash : RegisterKernel {
  RegisterCrash(const std::string& name, const std::function<void()>& crash, int thread = 0)
      : RegisterKernel({"crashing-" + name, [=] { return std::make_unique<CrashingKernel>(crash, thread); }}) {}
};
const RegisterCrash kAstray("astray", write_astray), kAstrayOnThread("astray-on-thread", write_astray, 1);
const RegisterCrash kAbort("abort", [] { std::abort(); });
const RegisterCrash kOverflow("overflow", overflow), kOverflowOnThread("overflow-on-thread", overflow, 1);
const RegisterCrash kBus("bus", [] { raise(SIGBUS); }), kDivision("division", [] { raise(SIGFPE); });
const RegisterCrash kIllegal("illegal", [] { raise(SIGILL); });

}  // namespace
}  // namespace cpbench
