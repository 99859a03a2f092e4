#include "backend/cpu/isa.hpp"

#include <algorithm>
#include <chrono>
#include <cstdlib>

#include "support/names.hpp"

namespace cpbench {
namespace {

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

/// An instruction set for fp32, and those that extend it for bf16 (`avx512`, `avx512-bf16`, `avx512-amx`), the fastest
/// first. vdpbf16ps does the work of two FMAs in the time of one on some CPUs (Zen 4), and of four on others (Golden
/// Cove): it is measured. The rates differ by a factor of two either way, so that a disturbance decides nothing.
std::vector<Isa> extensions_of(const Microkernels& fp32) {
  std::vector<std::pair<double, Isa>> by_rate{{-multiply_add_rate(fp32), {std::string(fp32.isa), &fp32, nullptr}}};
  for (const Microkernels* bf16 : {avx512_bf16_microkernels(), avx512_amx_microkernels()}) {
    if (bf16 == nullptr || !bf16->isa.starts_with(fp32.isa)) continue;
    by_rate.push_back({-multiply_add_rate(*bf16), {std::string(bf16->isa), &fp32, bf16}});
  }
  std::ranges::sort(by_rate, {}, &std::pair<double, Isa>::first);
  std::vector<Isa> list;
  for (auto& [rate, isa] : by_rate) list.push_back(std::move(isa));
  return list;
}

const std::vector<Isa>& runnable() {
  static const std::vector<Isa> kList = [] {
    std::vector<Isa> all;
    for (const Microkernels* fp32 : fp32_microkernels())
      std::ranges::move(extensions_of(*fp32), std::back_inserter(all));
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

Microkernels with_rows_of_avx512(Microkernels pairs) {
  pairs.rows = fp32_microkernels().front()->rows;
  return pairs;
}

const Microkernels& microkernels_for(DType dtype) {
  const Isa& choice = *forced();
  return dtype == DType::kBf16 && choice.bf16 != nullptr ? *choice.bf16 : *choice.fp32;
}

}  // namespace cpbench
