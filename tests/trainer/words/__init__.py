"""Tests of trainer.words."""
