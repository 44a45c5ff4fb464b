"""What the console does without being asked: it watches the database for live pages, and keeps search up to date."""
