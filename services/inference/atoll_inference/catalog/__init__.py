"""What lies in the models folder, what it is, and how to fetch and verify it."""
