"""Databases as released versions left them.

`python -m tests.broker.store.golden 0.2.0` writes the one of this version.
"""
