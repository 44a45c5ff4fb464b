"""The classifier of dangers: trained on what the device itself sees, and chosen by places that it has not seen."""
