"""The schema of the database, release by release."""
