"""Where captions, alerts and what is known of the devices are kept."""
