"""How many iterations of a measurement the time allows, by what the same took with shorter sequences."""

import dataclasses

ITERATIONS, LEAST_ITERATIONS = 20, 5  # of fewer a median says little


def warmup_of(iterations):
    return iterations // 4


@dataclasses.dataclass
class Pace:
    seconds: float  # that all of it took
    round_s: float  # of these, an iteration of every point
    iterations: int

    @classmethod
    def of(cls, points, iterations, seconds):
        variants = [variant for point in points for variant in point["timing"].values()]  # all are run in each iteration
        return cls(seconds, sum(variant["median_s"] for variant in variants), iterations)

    def seconds_for(self, iterations, growth):
        """With sequences that much longer, at most: attention grows with the square of the length, and nothing else faster than the length."""
        others_s = max(0, self.seconds - self.round_s * (self.iterations + warmup_of(self.iterations)))
        return growth * others_s + growth**2 * self.round_s * (iterations + warmup_of(iterations))

    def iterations_in(self, limit_s, growth):
        """None where the time does not allow the least."""
        possible = range(self.iterations, min(LEAST_ITERATIONS, self.iterations) - 1, -1)
        return next((count for count in possible if self.seconds_for(count, growth) <= limit_s), None)
