"""Which bundle the camera is watched with: tried before it is used, changed while looking, or the last good one."""
