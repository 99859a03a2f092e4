// What the virtual GPU throws where code under test does what real hardware would not forgive.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

namespace cpbench::vgpu {

enum class FaultKind : std::uint8_t {
  kRace,              ///< two accesses by one block to the same bytes that nothing orders: a missing barrier or wait
  kBlockRace,         ///< two blocks of one launch touch the same bytes, and one of them writes
  kMissingEvent,      ///< two operations of different streams touch the same bytes, and no event orders them
  kUninitialised,     ///< memory is read that was never written
  kOutOfBounds,       ///< an access outside of every allocation, of the block's shared memory, or to the host's memory
  kDeadlock,          ///< no thread can go on; the message has the state of every barrier
  kMissedCollective,  ///< threads that must act together do not: one has exited, or is at another instruction
  kProxy,             ///< ordinary writes reach wgmma or TMA without fence.proxy.async
  kRegister,          ///< registers of a wgmma are touched before the wait, or without wgmma.fence
  kMisuse,            ///< an argument that the instruction or the call does not allow
};
std::string_view name_of(FaultKind kind);  ///< `race`, `block-race`, ...

class Fault : public std::runtime_error {
 public:
  Fault(FaultKind kind, const std::string& message) : std::runtime_error(message), kind_(kind) {}
  FaultKind kind() const { return kind_; }

 private:
  FaultKind kind_;
};

}  // namespace cpbench::vgpu
