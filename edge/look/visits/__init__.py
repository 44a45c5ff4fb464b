"""Visits: who is in view, from arriving to leaving, over the boxes of many frames."""
