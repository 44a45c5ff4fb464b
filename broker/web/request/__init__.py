"""What every request of the console needs: who asks, from where, with which state."""
