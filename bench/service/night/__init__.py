"""Replays one night of an alert service, hour by hour, and shows every text that each person got."""
