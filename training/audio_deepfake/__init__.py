"""Whether a recording is a voice or a synthesiser: a small WavLM with a head."""

SLOT = "audio_deepfake"
MODEL = "wavlm-8k-small"
