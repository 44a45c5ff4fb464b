"""What both processes of the device run on: supervision, isolation, logs."""
