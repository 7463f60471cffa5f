"""What each task takes and gives, free of any protocol and any runtime."""
