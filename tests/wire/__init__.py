"""What leaves a device, packet by packet; run by `make test-wire`."""
