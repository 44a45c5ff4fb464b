"""Measures the alert service's throughput, latency and memory."""
