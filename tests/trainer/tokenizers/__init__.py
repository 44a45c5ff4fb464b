"""Tests of trainer.tokenizers."""
