#include "operand.hpp"

#include "fault_message.hpp"
#include "swizzle.hpp"

namespace cpbench::vgpu {
namespace {

constexpr std::uint64_t kFieldBits = 0x3fff;
constexpr std::uint64_t kReserved = ~(kFieldBits | kFieldBits << 16 | kFieldBits << 32 | 7ull << 49 | 3ull << 62);
constexpr int kSpans[] = {0, 128, 64, 32};

std::uint32_t field(std::uint64_t descriptor, int shift) {
  return static_cast<std::uint32_t>((descriptor >> shift & kFieldBits) << 4);
}

}  // namespace

Operand decode_descriptor(std::uint64_t descriptor, ptx::Major major, const char* name) {
  if ((descriptor & kReserved) != 0) {
    fail(FaultKind::kMisuse, "wgmma: descriptor {} = {:#x} has bits {:#x} set that must be zero", name, descriptor,
         descriptor & kReserved);
  }
  if ((descriptor >> 49 & 7) != 0)
    fail(FaultKind::kMisuse, "wgmma: descriptor {} = {:#x} has a base offset", name, descriptor);
  const Operand operand{field(descriptor, 0), field(descriptor, 16), field(descriptor, 32), kSpans[descriptor >> 62],
                        major};
  const auto span = static_cast<std::uint32_t>(operand.span);
  if (span != 0 && operand.start % (8 * span) >= span) {
    fail(FaultKind::kMisuse,
         "wgmma: operand {} begins at {:#x}, not within the first {} bytes of a swizzle pattern of {}, and "
         "its base offset is zero",
         name, operand.start, span, 8 * span);
  }
  return operand;
}

std::uint32_t Operand::piece(int row, int piece) const {
  const auto r = static_cast<std::uint32_t>(row), p = static_cast<std::uint32_t>(piece);
  const auto pitch = static_cast<std::uint32_t>(span == 0 ? 16 : span);
  std::uint32_t address = start + r % 8 * pitch;
  if (major == ptx::Major::kSummed) {
    address += r / 8 * stride + (span == 0 ? p * leading : p * 16);
  } else if (span == 0) {
    address += r / 8 * leading + p * stride;
  } else {
    const std::uint32_t pieces = pitch / 16;
    address += r / 8 * stride + p / pieces * leading + p % pieces * 16;
  }
  return swizzle(address, span);
}

}  // namespace cpbench::vgpu
