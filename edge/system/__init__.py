"""System updates of wordcam's own image: two systems on a card, one of which RAUC writes while the other one runs."""
