"""Tests of the benchmarks' counting; what they time is not tested."""
