// Small programs written by hand, and a backend that copies, adds and keeps a log.
#pragma once

#include <algorithm>
#include <functional>
#include <memory>
#include <stdexcept>
#include <vector>

#include "run/in_process_job.hpp"

namespace cpbench {

/// Host memory; Copy and Add of whole fp32 buffers; everything else only runs `on_run`.
class FakeBackend : public Backend {
 public:
  std::unique_ptr<DeviceMemory> allocate(std::int64_t bytes) override { return std::make_unique<Memory>(bytes); }

  Computation prepare(const Op& op, const ProgramMemory& memory) override {
    return [this, &op, &memory](const Poll& poll) { run(op, memory, poll); };
  }
  void run(const Op& op, const ProgramMemory& memory, const Poll& poll) {
    log.push_back(&op);
    if (const auto* copy = std::get_if<Copy>(&op.action)) {
      std::ranges::copy(floats_of(memory, copy->from.buffer), floats_of(memory, copy->to.buffer).begin());
    } else if (const auto* add = std::get_if<Add>(&op.action)) {
      const auto to = floats_of(memory, add->to.buffer), from = floats_of(memory, add->from.buffer);
      std::ranges::transform(to, from, to.begin(), std::plus<>());
    }
    if (on_run) on_run(op, poll);
  }

  std::vector<const Op*> log;
  std::function<void(const Op&, const std::function<void()>& poll)> on_run;

 private:
  struct Memory : DeviceMemory {
    explicit Memory(std::int64_t bytes) : bytes_(static_cast<std::size_t>(bytes)) {}
    std::byte* data() override { return bytes_.data(); }
    std::vector<std::byte> bytes_;
  };
};

/// Writes the program of one rank. Buffers are K/V pairs of two rows in fp32.
class ProgramWriter {
 public:
  BufferId buffer() {
    program_.buffers.push_back({Role::kKv, DType::kFp32, 1, 8, 8, 2});
    return static_cast<BufferId>(program_.buffers.size()) - 1;
  }
  Region whole(BufferId id) const { return program_.whole(id); }

  OpId exchange(Stream stream, const std::vector<Transfer>& sends, const std::vector<Transfer>& receives,
                const std::vector<OpId>& after = {}) {
    const Slice send_slice = append(program_.transfers, sends), receive_slice = append(program_.transfers, receives);
    return add(Exchange{exchanges_++, send_slice, receive_slice}, stream, after);
  }
  OpId copy(BufferId to, BufferId from, const std::vector<OpId>& after = {}) {
    return add(Copy{whole(to), whole(from)}, Stream::kCompute, after);
  }
  OpId sum(BufferId to, BufferId from, const std::vector<OpId>& after = {}) {
    return add(Add{whole(to), whole(from)}, Stream::kCompute, after);
  }
  void begin_backward() { backward_ = true; }
  Program take() { return std::move(program_); }

 private:
  template <typename Pool>
  static Slice append(Pool& pool, const std::vector<typename Pool::value_type>& items) {
    const auto begin = static_cast<std::uint32_t>(pool.size());
    pool.insert(pool.end(), items.begin(), items.end());
    return {begin, static_cast<std::uint32_t>(items.size())};
  }
  OpId add(Action action, Stream stream, const std::vector<OpId>& after) {
    const auto id = static_cast<OpId>(program_.ops.size());
    program_.ops.push_back(
        {action, {"op", static_cast<std::int16_t>(id)}, stream, backward_, append(program_.dependencies, after)});
    return id;
  }

  Program program_;
  std::int32_t exchanges_ = 0;
  bool backward_ = false;
};

/// A schedule of hand-written programs for a problem whose K/V buffers are those of ProgramWriter.
inline Schedule schedule_of(std::vector<Program> programs) {
  Schedule schedule;
  schedule.of.problem = {.batch = 1, .heads = 1, .kv_heads = 1, .head_dim = 8, .head_dim_v = 8, .dtype = DType::kFp32};
  schedule.programs = std::move(programs);
  return schedule;
}

}  // namespace cpbench
