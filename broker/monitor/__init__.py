"""How one sees from outside whether the alert service is well: figures, checks, and a sign of life."""
