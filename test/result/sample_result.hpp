// A result with a point of every status, for tests of what is written from it.
#pragma once

#include "result/environment.hpp"
#include "result/record.hpp"
#include "result/tool.hpp"

namespace cpbench {

inline nlohmann::ordered_json sample_axes() {
  return {{"algo", "hybrid"},
          {"cp_size", 8},
          {"ulysses_degree", 2},
          {"window_size", 2},
          {"rank_order", "ulysses-inner"},
          {"shard", "zigzag"},
          {"seq_len", 1009},
          {"batch", 1},
          {"heads", 6},
          {"kv_heads", 2},
          {"head_dim", 72},
          {"head_dim_v", 72},
          {"sink", true},
          {"uneven_heads", false},
          {"dtype", "bf16"},
          {"mask", "window:100:0"},
          {"layout", "bshd"},
          {"pass", "fwd+bwd"},
          {"scale", 0.1178},
          {"overlap", "on"},
          {"prune", "on"},
          {"kv_parts", 1},
          {"accumulate", "fused"},
          {"docs", {500, 509}},
          {"threads", 1}};
}

inline Timing sample_timing() {
  return {.full = {.median_s = 0.012, .q1_s = 0.011, .q3_s = 0.013, .min_s = 0.010, .samples_s = {0.010, 0.012, 0.014}},
          .compute_only = {.median_s = 0.010, .q1_s = 0.010, .q3_s = 0.010, .min_s = 0.010, .samples_s = {0.010}},
          .comm_only = {.median_s = 0.004, .q1_s = 0.004, .q3_s = 0.004, .min_s = 0.004, .samples_s = {0.004}}};
}

inline DeviceState sample_device_state() {
  return {.sm_clock_mhz = 1700.5,
          .lowest_sm_clock_mhz = 1500,
          .memory_clock_mhz = 2600,
          .power_w = 420.25,
          .highest_power_w = 700,
          .throttled_by = {"power-cap", "thermal"}};
}

inline PointRecord sample_ok() {
  PointRecord point;
  point.id = "hybrid-1";
  point.axes = sample_axes();
  point.validation = ValidationReport{.reference = "fp64-full",
                                      .passed = true,
                                      .tensors = {{.tensor = "out",
                                                   .max_abs = 1e-3,
                                                   .rel_l2 = 2e-3,
                                                   .worst_block_rel = 3e-3,
                                                   .tolerance = 5e-3,
                                                   .passed = true}}};
  point.timing = sample_timing();
  point.throughput = Throughput{.flop_model = "model",
                                .flops = 1'000'000'000,
                                .tflops_per_rank = 0.0104,
                                .iterations_per_s = 83.3,
                                .tokens_per_s = 84083,
                                .fraction_of_compute_only = 0.833,
                                .peak_tflops = 0.1,
                                .fraction_of_peak = 0.104};
  point.comm =
      CommFigures{.bytes_sent_per_rank = 4096, .bus_bandwidth = 1.5, .exposed_s = 0.002, .overlap_efficiency = 0.5};
  point.memory = MemoryFigures{.planned_bytes = 1 << 20, .peak_bytes = std::nullopt};
  point.reserved_multiprocessors = 16;
  point.devices = {{.rank = 1, .state = sample_device_state()}};
  point.steps = {
      {.label = "attend 0", .kind = "attend", .stream = "compute", .pass = "fwd", .begin_s = 0, .end_s = 0.01}};
  return point;
}

inline PointRecord sample_not_ok(Status status, const std::string& reason) {
  PointRecord point;
  point.id = std::string(name_of(status)) + "-1";
  point.axes = sample_axes();
  point.status = status;
  point.reason = reason;
  return point;
}

/// Timed, and wrong: it even has the throughput that it must not show.
inline PointRecord sample_invalid() {
  PointRecord point = sample_ok();
  point.id = "invalid-1";
  point.status = Status::kInvalid;
  point.reason = "out: worst block 0.3 above 0.005";
  point.validation->passed = false;
  point.validation->tensors[0].passed = false;
  point.validation->tensors[0].note = "row 7 is NaN";
  return point;
}

inline ResultFile sample_result() {
  ResultFile file;
  file.header.tool = this_tool();
  file.header.command = {.argv = {"cpbench", "run"}, .started = utc_now()};
  file.header.environment = this_environment("Open MPI v4.1.4, package: Debian\nsecond line");
  file.header.ranks = {{.rank = 0, .host = "node1", .local_rank = 0, .device = "a CPU", .isa = "avx2", .cpus = "0-3,8"},
                       {.rank = 1, .host = "node2", .local_rank = 0, .device = "a GPU", .uuid = "GPU-1", .cpus = "4"}};
  file.points = {sample_ok(),
                 sample_invalid(),
                 sample_not_ok(Status::kSkipped, "heads 6 are not divisible by 4"),
                 sample_not_ok(Status::kFailed, "out of memory"),
                 sample_not_ok(Status::kTimeout, "rank 3 in kv hop 2"),
                 sample_not_ok(Status::kInterrupted, "ended by SIGTERM")};
  file.points[2].axes = {{"algo", "hybrid"}, {"cp_size", 8}, {"seq_len", 1009}};
  file.summary = summary_of(file.points, 3, 12.5);
  return file;
}

}  // namespace cpbench
