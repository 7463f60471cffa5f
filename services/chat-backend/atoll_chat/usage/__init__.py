"""What each user, key and model used."""
