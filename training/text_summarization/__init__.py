"""A small BART: MiniLM reads, and a decoder made of its layers writes."""

MODEL = "bart-minilm-small"
