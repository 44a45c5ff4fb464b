"""Flashing a card: files stand in for disks, and a made-up tree for sysfs."""
