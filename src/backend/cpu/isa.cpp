#include "backend/cpu/isa.hpp"

#include <algorithm>
#include <chrono>
#include <cstdlib>

#include "support/names.hpp"

namespace cpbench {
namespace {

constexpr std::string_view kBf16Suffix = "-bf16";

/// An instruction set: one table for fp32 words, and perhaps one for pairs of bf16.
struct Isa {
  std::string name;
  const Microkernels* fp32;
  const Microkernels* bf16;
};

/// FLOP/s of the multiply-add, in a fraction of a millisecond.
double multiply_add_rate(const Microkernels& microkernels) {
  using Clock = std::chrono::steady_clock;
  double best = 0;
  for (int repeat = 0; repeat < 8; ++repeat) {
    const auto start = Clock::now();
    const double flops = microkernels.multiply_add(4000);
    best = std::max(best, flops / std::chrono::duration<double>(Clock::now() - start).count());
  }
  return best;
}

/// vdpbf16ps does the work of two FMAs in the time of one on some CPUs (Zen 4), and of four on others (Golden Cove):
/// which is faster is measured. The rates differ by a factor of two either way, so that a disturbance decides nothing.
const std::vector<Isa>& runnable() {
  static const std::vector<Isa> kList = [] {
    std::vector<Isa> all;
    for (const Microkernels* fp32 : fp32_microkernels()) {
      all.push_back({std::string(fp32->isa), fp32, nullptr});
      const Microkernels* bf16 = bf16_microkernels();
      if (bf16 == nullptr || bf16->isa != fp32->isa) continue;
      const bool faster = multiply_add_rate(*bf16) > multiply_add_rate(*fp32);
      all.insert(faster ? all.end() - 1 : all.end(), {std::string(fp32->isa) + std::string(kBf16Suffix), fp32, bf16});
    }
    return all;
  }();
  return kList;
}

const Isa& find(std::string_view name) {
  for (const Isa& candidate : runnable()) {
    if (candidate.name == name) return candidate;
  }
  refuse_unknown("instruction set of this CPU", name, isa_names());
}

const Isa*& forced() {
  static const Isa* choice = [] {
    const char* name = std::getenv("CPBENCH_ISA");
    return name == nullptr || *name == '\0' ? &runnable().front() : &find(name);
  }();
  return choice;
}

}  // namespace

std::vector<std::string> isa_names() {
  std::vector<std::string> names;
  for (const Isa& candidate : runnable()) names.push_back(candidate.name);
  return names;
}

void set_isa(std::string_view name) {
  const Isa& choice = find(name);  // before $CPBENCH_ISA is looked at, which may name something else that is wrong
  forced() = &choice;
}

std::string_view isa() { return forced()->name; }

const Microkernels& microkernels_for(DType dtype) {
  const Isa& choice = *forced();
  return dtype == DType::kBf16 && choice.bf16 != nullptr ? *choice.bf16 : *choice.fp32;
}

}  // namespace cpbench
