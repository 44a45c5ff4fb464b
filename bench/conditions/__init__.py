"""Films of everything that hides a camera's view: when each is seen, and how often calm film is taken for one."""
