"""An LED and a buzzer at the device itself, by the notes that the other processes leave in the outbox."""
