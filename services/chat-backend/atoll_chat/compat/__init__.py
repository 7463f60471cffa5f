"""The routes that OpenAI clients speak."""
