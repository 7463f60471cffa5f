"""A cross-encoder that orders descriptions of software by how well they answer a short question."""

MODEL = "minilm-packages"
