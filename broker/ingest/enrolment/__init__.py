"""Which devices may speak: the site's certificate authority, and how a device gets a certificate of it."""
