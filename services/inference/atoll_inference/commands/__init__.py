"""Commands of `atoll-inference` that are more than a few lines."""
