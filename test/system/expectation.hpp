// What a run must give: attention by definition in fp64, and how far each row may be from it.
#pragma once

#include "schedule/case.hpp"
#include "system/results.hpp"
#include "validate/input.hpp"

namespace cpbench::test {

/// `tolerance` has the shape of `exact` but for dim, which is 1: a bound of a row's |x - exact|, the Euclidean norm
/// over the row's channels.
struct Expectation {
  Results exact;
  Results tolerance;
};

/// Visits every (query, key) pair that Problem::allows and knows nothing of tiles, ranges or ranks.
///
/// The tolerance follows rounding errors through the same sums. Each value of `out`, of a probability, of a score
/// gradient and of a result may be rounded to the dtype once (with `--accumulate merge`: once more per partial result),
/// and each sum and exponential is in fp32. Roundings are taken as independent, so their squares add, and a row's
/// tolerance is a small multiple of the root mean square of its error. This is tight: for normal inputs, of the
/// order of what one wrong pair among a few hundred changes.
Expectation expect(const Case& c, const Inputs& inputs);

}  // namespace cpbench::test
