"""The process with the network; it never imports a picture."""
