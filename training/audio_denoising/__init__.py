"""Speech without the noise around it: a small SepFormer."""

SLOT = "audio_denoising"
MODEL = "sepformer-8k-small"
