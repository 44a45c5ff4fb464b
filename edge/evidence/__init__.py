"""Sealed evidence: crops of the moments of alarms that the owner's private key alone opens."""
