"""Small checkpoints with random weights, for watching how serving behaves and how fast it is.

They answer nonsense and are made in temporary folders only.
"""

import sys
from pathlib import Path

TESTS = Path(__file__).parents[2] / "services" / "inference" / "tests"
if str(TESTS) not in sys.path:  # the builders that the tests use
    sys.path.append(str(TESTS))

STARTERS = ("chat", "text_embedding", "speech_recognition")


def fill(models: Path, installed: Path) -> None:
    """A models folder: starters where there are some, small random checkpoints for the rest."""
    import tiny_picture
    import tiny_text

    for slot in STARTERS:
        for folder in sorted((installed / slot).iterdir()):
            (models / slot).mkdir(parents=True, exist_ok=True)
            (models / slot / folder.name).symlink_to(folder.resolve())
    tiny_text.emotion_classifier(models / "emotion_detection" / "tiny-emotion")
    tiny_text.cross_encoder(models / "reranker" / "tiny-reranker")
    tiny_text.summarizer(models / "text_summarization" / "tiny-summaries")
    tiny_picture.tiny_swin2sr(models / "video_enhancement" / "tiny-enlarger")


def classifier_like(encoder: Path, target: Path) -> None:
    """An emotion classifier of the encoder's size, with its tokenizer and a random head."""
    import torch
    import transformers

    from atoll_inference.engines.torchaudio_stub import let_torchaudio_import

    let_torchaudio_import()
    torch.manual_seed(0)
    labels = ["anger", "disgust", "fear", "joy", "neutral", "sadness", "surprise"]
    config = transformers.AutoConfig.from_pretrained(
        encoder, num_labels=len(labels), id2label=dict(enumerate(labels)), local_files_only=True
    )
    model = transformers.AutoModelForSequenceClassification.from_config(config)
    model.save_pretrained(target)
    transformers.AutoTokenizer.from_pretrained(encoder, local_files_only=True).save_pretrained(
        target
    )
