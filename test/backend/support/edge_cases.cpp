#include "backend/support/edge_cases.hpp"

namespace cpbench::test {

std::vector<AttentionCase> edge_cases() {
  return {
      {.name = "one_pair", .q_rows = 1, .k_rows = 1, .tiles = {full_tile(0, 1, 0, 1)}},
      {.name = "below_the_diagonal", .q_rows = 150, .k_rows = 150, .tiles = {{0, 150, 0, 150, -149, -1}}},
      {.name = "diagonal", .q_rows = 200, .k_rows = 200, .tiles = {{0, 200, 0, 200, 0, 0}}},
      {.name = "short_documents",
       .q_rows = 140,
       .k_rows = 140,
       .tiles = {causal_tile(0, 64), causal_tile(64, 1), causal_tile(65, 63), causal_tile(128, 12)}},
      {.name = "rows_that_see_nothing", .q_rows = 130, .k_rows = 90, .tiles = {full_tile(40, 50, 10, 60)}},
      {.name = "whole_row_tiles_that_see_nothing", .q_rows = 96, .k_rows = 192, .tiles = {full_tile(48, 48, 0, 192)}},
      {.name = "keys_begin_within_a_block",
       .q_rows = 70,
       .k_rows = 300,
       .tiles = {full_tile(0, 70, 37, 60), full_tile(20, 50, 230, 70)}},
      {.name = "more_rows_of_keys_in_memory",
       .q_rows = 70,
       .k_rows = 75,
       .tiles = {full_tile(0, 70, 0, 75)},
       .spare_k_rows = 300},
      {.name = "more_rows_of_gradients_in_memory",
       .q_rows = 70,
       .k_rows = 75,
       .tiles = {full_tile(0, 70, 0, 75)},
       .spare_dk_rows = 300},
      {.name = "no_tiles", .q_rows = 10, .k_rows = 10},
      {.name = "no_tiles_but_sink", .q_rows = 10, .k_rows = 10, .sink = true},
      {.name = "no_queries", .q_rows = 0, .k_rows = 10, .threads = 2},
      {.name = "no_keys", .q_rows = 10, .k_rows = 0, .threads = 2},
      {.name = "more_calls_than_tiles", .q_rows = 64, .k_rows = 64, .tiles = {causal_tile(0, 64)}, .calls = 3},
      {.name = "head_map_with_offsets",
       .batch = 2,
       .q_rows = 50,
       .k_rows = 60,
       .heads = 5,
       .kv_heads = 3,
       .map = {1, 3, 6, 1},
       .group = 4,
       .sink = true,
       .tiles = {full_tile(0, 50, 0, 60)}},
      {.name = "values_shorter", .q_rows = 90, .k_rows = 90, .dim = 96, .dim_v = 40, .tiles = {causal_tile(0, 90)}},
      {.name = "values_longer", .q_rows = 90, .k_rows = 90, .dim = 8, .dim_v = 256, .tiles = {causal_tile(0, 90)}},
  };
}

}  // namespace cpbench::test
