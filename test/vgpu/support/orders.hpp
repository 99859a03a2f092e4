// Runs a test in every order that the virtual GPU knows.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "vgpu/fault.hpp"
#include "vgpu/order.hpp"

namespace cpbench::vgpu {

/// An order, for as long as this lives.
class WithOrder {
 public:
  explicit WithOrder(OrderSettings settings) : before_(order_settings()) { set_order(settings); }
  WithOrder(const WithOrder&) = delete;
  WithOrder& operator=(const WithOrder&) = delete;
  ~WithOrder() { set_order(before_); }

 private:
  OrderSettings before_;
};

/// Calls `body` for the eager, the late, and `seeds` random orders.
template <typename Body>
void in_every_order(Body&& body, int seeds = 8) {
  const auto with = [&](OrderSettings settings, const std::string& name) {
    SCOPED_TRACE(name);
    const WithOrder order(settings);
    body();
  };
  with({Order::kEager, 0}, "eager order");
  with({Order::kLate, 0}, "late order");
  for (int seed = 1; seed <= seeds; ++seed) {
    with({Order::kRandom, static_cast<std::uint64_t>(seed)}, "random order " + std::to_string(seed));
  }
}

/// Which faults may show a mistake: a missing barrier is a race or an early read of what is not written yet, as it
/// comes.
struct ExpectedFault {
  FaultKind kind;
  std::string_view part;  ///< of the message
};
using ExpectedFaults = std::vector<ExpectedFault>;

/// That `body` ends with one of these faults.
template <typename Body>
void expect_fault(const ExpectedFaults& expected, Body&& body) {
  try {
    body();
    ADD_FAILURE() << "no fault, expected " << name_of(expected.front().kind);
  } catch (const Fault& fault) {
    const std::string_view message = fault.what();
    const bool found = std::any_of(expected.begin(), expected.end(), [&](const ExpectedFault& one) {
      return one.kind == fault.kind() && message.find(one.part) != std::string_view::npos;
    });
    EXPECT_TRUE(found) << message;
  }
}

/// The planted fault is seen in every order, and its unplanted twin passes in every order: body(bool planted).
template <typename Body>
void expect_planted_fault(const ExpectedFaults& expected, Body&& body) {
  in_every_order([&] {
    expect_fault(expected, [&] { body(true); });
    EXPECT_NO_THROW(body(false));
  });
}

}  // namespace cpbench::vgpu
