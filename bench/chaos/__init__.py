"""Kills processes at random and checks that nothing was lost or doubled."""
