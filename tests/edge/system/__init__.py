"""Tests of system updates."""
