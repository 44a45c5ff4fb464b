"""Networks, their losses, beam search, and reading weights back."""
