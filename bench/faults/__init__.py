"""Kills the processes of a device and its server, with network, disk and clock failing in between."""
