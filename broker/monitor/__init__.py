"""Metrics, health checks and a ping, by which others see whether the alert service works."""
