"""Speech recognition: nothing is trained here; the starter that is installed gets measured."""

MODEL = "whisper-tiny.en"
SLOT = "speech_recognition"
