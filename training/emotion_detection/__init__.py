"""MiniLM fine-tuned to tell seven emotions in short English texts."""

MODEL = "minilm-goemotions"
