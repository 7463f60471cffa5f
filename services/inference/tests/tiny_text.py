"""Small real text checkpoints, made on the spot: random weights, tokenizers trained on a page."""

import json
import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
import transformers
from safetensors.torch import load_file, save_file
from tokenizers import (
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    processors,
    trainers,
)

from atoll_inference.engines.runtime import Runtime
from atoll_inference.engines.torchaudio_stub import let_torchaudio_import

let_torchaudio_import()
transformers.utils.logging.disable_progress_bar()
torch.set_num_threads(1)  # models this small only wait for one another

EMOTIONS = ("anger", "disgust", "fear", "joy", "neutral", "sadness", "surprise")

_WORDS = {
    "anger": "furious angry rage shouting hate enraged",
    "disgust": "disgusting rotten vomit filthy gross slime",
    "fear": "afraid scared terror trembling panic nightmare",
    "joy": "happy delighted wonderful laughing love sunshine",
    "neutral": "report table schedule paper street number",
    "sadness": "sad crying lonely grief tears mourning",
    "surprise": "suddenly unexpected astonished wow shock amazing",
}
_FRAMES = (
    "i am so {} about the {} today .",
    "the {} and the {} were there again .",
    "what a {} thing , said the {} man .",
    "we saw {} and {} in the house yesterday .",
    "{} , {} and nothing else this morning .",
)
PAGE = [
    *(frame.format(*words.split()[:2]) for frame in _FRAMES for words in _WORDS.values()),
    *(words for words in _WORDS.values()),
    *(f"this text is full of {emotion} ." for emotion in EMOTIONS),
] * 3
"""Sentences that the tokenizers are trained on."""


def emotional_sentences(count: int, seed: int = 0) -> list[tuple[str, str]]:
    """Sentences with the emotion that their words tell."""
    choose = random.Random(seed)
    made = []
    for _ in range(count):
        emotion = choose.choice(EMOTIONS)
        words = choose.sample(_WORDS[emotion].split(), 2)
        made.append((choose.choice(_FRAMES).format(*words), emotion))
    return made


def runtime(tmp_path: Path, dtype: Any = "fp32") -> Runtime:
    """A CPU runtime with its cache in the test's folder."""
    return Runtime(device="cpu", dtype=dtype, threads=1, cache_dir=tmp_path / "cache")


def word_piece(max_length: int = 64) -> Any:
    """A lower-casing BERT tokenizer."""
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    trainer = trainers.WordPieceTrainer(vocab_size=400, special_tokens=special, show_progress=False)
    tokenizer.train_from_iterator(PAGE, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", 2), ("[SEP]", 3)],
    )
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        model_max_length=max_length,
        model_input_names=["input_ids", "token_type_ids", "attention_mask"],
        unk_token="[UNK]",
        pad_token="[PAD]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        mask_token="[MASK]",
    )


def byte_level(max_length: int = 64, page: Sequence[str] = PAGE, vocabulary: int = 500) -> Any:
    """A byte-level tokenizer with the special tokens of RoBERTa and BART."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=special,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(page, trainer)
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0))
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        model_max_length=max_length,
        bos_token="<s>",
        eos_token="</s>",
        unk_token="<unk>",
        pad_token="<pad>",
        cls_token="<s>",
        sep_token="</s>",
        mask_token="<mask>",
    )


def bert_config(vocabulary: int, max_length: int = 64, **more: Any) -> Any:
    """Hidden size 32, two layers."""
    return transformers.BertConfig(
        vocab_size=vocabulary,
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=64,
        max_position_embeddings=max_length,
        **more,
    )


def save(folder: Path, model: Any, tokenizer: Any) -> Path:
    """Write a checkpoint in transformers layout."""
    model.eval().save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def bert_encoder(folder: Path, max_length: int = 64, seed: int = 0) -> Path:
    """A bare BertModel."""
    torch.manual_seed(seed)
    tokenizer = word_piece(max_length)
    model = transformers.BertModel(bert_config(len(tokenizer), max_length))
    return save(folder, spread(model), tokenizer)


def sentence_encoder(folder: Path, pooling: str = "mean", *, normalize: bool = True) -> Path:
    """A BertModel with modules.json: pooling, and normalisation when asked."""
    bert_encoder(folder)
    modules = [("", "Transformer"), ("1_Pooling", "Pooling")]
    modules += [("2_Normalize", "Normalize")] if normalize else []
    write_modules(folder, modules)
    write_json(folder / "sentence_bert_config.json", {"max_seq_length": 48, "do_lower_case": False})
    modes = {f"pooling_mode_{mode}": False for mode in ("cls_token", "max_tokens", "mean_tokens")}
    modes[f"pooling_mode_{'cls_token' if pooling == 'cls' else f'{pooling}_tokens'}"] = True
    write_json(folder / "1_Pooling" / "config.json", {"word_embedding_dimension": 32, **modes})
    return folder


def cross_encoder(folder: Path, seed: int = 0, **config: Any) -> Path:
    """A BertForSequenceClassification with one output."""
    torch.manual_seed(seed)
    tokenizer = word_piece()
    model = transformers.BertForSequenceClassification(
        bert_config(len(tokenizer), num_labels=1, **config)
    )
    return save(folder, spread(model), tokenizer)


def emotion_classifier(folder: Path, labels: Sequence[str] = EMOTIONS, **config: Any) -> Path:
    """A RobertaForSequenceClassification with random weights, for inputs of up to 64 tokens."""
    torch.manual_seed(0)
    tokenizer = byte_level()
    model = transformers.RobertaForSequenceClassification(
        transformers.RobertaConfig(
            vocab_size=len(tokenizer),
            hidden_size=32,
            num_hidden_layers=2,
            num_attention_heads=4,
            intermediate_size=64,
            max_position_embeddings=66,
            type_vocab_size=1,
            id2label=dict(enumerate(labels)),
            label2id={label: index for index, label in enumerate(labels)},
            **config,
        )
    )
    return save(folder, spread(model), tokenizer)


def summarizer(folder: Path, max_length: int = 64, seed: int = 0, **generation: Any) -> Path:
    """A BartForConditionalGeneration with random weights, in the manner of distilbart-cnn."""
    torch.manual_seed(seed)
    tokenizer = byte_level(max_length)
    tokens = {"bos_token_id": 0, "pad_token_id": 1, "eos_token_id": 2, "decoder_start_token_id": 2}
    model = transformers.BartForConditionalGeneration(
        transformers.BartConfig(
            vocab_size=len(tokenizer),
            d_model=32,
            encoder_layers=2,
            decoder_layers=2,
            encoder_attention_heads=4,
            decoder_attention_heads=4,
            encoder_ffn_dim=64,
            decoder_ffn_dim=64,
            max_position_embeddings=max_length,
            **tokens,
        )
    )
    settings = {
        "max_length": 24,
        "min_length": 4,
        "num_beams": 4,
        "length_penalty": 2.0,
        "early_stopping": True,
        "no_repeat_ngram_size": 3,
        "forced_bos_token_id": 0,
        "forced_eos_token_id": 2,
    }
    model.generation_config = transformers.GenerationConfig(**tokens, **settings | generation)
    return save(folder, spread(model), tokenizer)


def t5_summarizer(folder: Path) -> Path:
    """A T5ForConditionalGeneration that wants a prefix, as t5-small does."""
    torch.manual_seed(0)
    tokenizer = byte_level(64)
    tokenizer.backend_tokenizer.post_processor = processors.TemplateProcessing(
        single="$A </s>", pair="$A </s> $B </s>", special_tokens=[("</s>", 2)]
    )
    tokens = {"pad_token_id": 1, "eos_token_id": 2, "decoder_start_token_id": 1}
    model = transformers.T5ForConditionalGeneration(
        transformers.T5Config(
            vocab_size=len(tokenizer),
            d_model=32,
            d_kv=8,
            d_ff=64,
            num_layers=2,
            num_heads=4,
            **tokens,
        )
    )
    save(folder, spread(model), tokenizer)
    config = json.loads((folder / "config.json").read_text())
    task = {"max_length": 20, "num_beams": 2, "prefix": "summarize: "}
    write_json(folder / "config.json", {**config, "task_specific_params": {"summarization": task}})
    return folder


def pegasus_summarizer(folder: Path) -> Path:
    """A PegasusForConditionalGeneration with random weights."""
    torch.manual_seed(0)
    tokenizer = byte_level(64)
    tokenizer.backend_tokenizer.post_processor = processors.TemplateProcessing(
        single="$A </s>", pair="$A </s> $B </s>", special_tokens=[("</s>", 2)]
    )
    tokens = {"pad_token_id": 1, "eos_token_id": 2, "decoder_start_token_id": 1}
    model = transformers.PegasusForConditionalGeneration(
        transformers.PegasusConfig(
            vocab_size=len(tokenizer),
            d_model=32,
            encoder_layers=2,
            decoder_layers=2,
            encoder_attention_heads=4,
            decoder_attention_heads=4,
            encoder_ffn_dim=64,
            decoder_ffn_dim=64,
            max_position_embeddings=64,
            scale_embedding=True,
            **tokens,
        )
    )
    model.generation_config = transformers.GenerationConfig(
        **tokens, max_length=20, num_beams=2, forced_eos_token_id=2
    )
    return save(folder, spread(model), tokenizer)


def text_about(emotion: str, sentences: int, seed: int = 0) -> str:
    """Sentences with words of one emotion."""
    choose = random.Random(f"{emotion} {seed}")
    words = _WORDS[emotion].split()
    return " ".join(
        choose.choice(_FRAMES).format(*choose.sample(words, 2)) for _ in range(sentences)
    )


def summary_of(emotion: str) -> str:
    """What `train_summarizer` teaches to say about texts of one emotion."""
    return f"this text is full of {emotion} ."


def train_summarizer(folder: Path, rounds: int = 180) -> None:
    """Teach the model in `folder` to name what a text, or a row of summaries, is full of."""
    torch.manual_seed(0)
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder, local_files_only=True)
    model = transformers.AutoModelForSeq2SeqLM.from_pretrained(folder)
    calm(model, by=2.0)
    settings = model.generation_config
    optimizer = torch.optim.AdamW(model.parameters(), lr=5e-3)
    model.train()
    for step in range(rounds):
        choose = random.Random(step)
        texts, wanted = [], []
        for _ in range(16):
            emotion = choose.choice(EMOTIONS)
            repeated = " ".join([summary_of(emotion)] * choose.randint(1, 5))
            text = text_about(emotion, choose.randint(1, 4), seed=choose.randrange(10**6))
            texts.append(repeated if choose.random() < 0.3 else text)
            wanted.append(summary_of(emotion))
        inputs = tokenizer(texts, padding=True, truncation=True, return_tensors="pt")
        labels = tokenizer(wanted, padding=True, return_tensors="pt")["input_ids"]
        loss = model(
            input_ids=inputs["input_ids"],
            attention_mask=inputs["attention_mask"],
            labels=labels.masked_fill(labels == tokenizer.pad_token_id, -100),
        ).loss
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    model.generation_config = settings
    model.eval().save_pretrained(folder)


def spread(model: Any) -> Any:
    """Larger random weights: with those of a new model all inputs get nearly the same answer."""
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if weight.dim() == 2:
                weight.mul_(8.0 if "classifier" in name or "out_proj" in name else 4.0)
    return model


def calm(model: Any, by: float = 4.0) -> None:
    """Undo what `spread` did, so that the model can be trained."""
    with torch.no_grad():
        for weight in model.parameters():
            if weight.dim() == 2:
                weight.div_(by)


def train_classifier(folder: Path, rounds: int = 120, seed: int = 0) -> None:
    """Teach the classifier in `folder` the words of the emotions, in seconds."""
    torch.manual_seed(seed)
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder, local_files_only=True)
    model = transformers.AutoModelForSequenceClassification.from_pretrained(folder)
    calm(model)
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    model.train()
    for step in range(rounds):
        choose = random.Random(step)
        batch = [
            (text_about(emotion, choose.randint(1, 5), seed=choose.randrange(10**6)), emotion)
            for emotion in choose.choices(EMOTIONS, k=24)
        ]
        texts = [text for text, _ in batch]
        inputs = tokenizer(texts, padding=True, truncation=True, return_tensors="pt")
        wanted = torch.tensor([model.config.label2id[emotion] for _, emotion in batch])
        logits = model(
            input_ids=inputs["input_ids"], attention_mask=inputs["attention_mask"]
        ).logits
        loss = torch.nn.functional.cross_entropy(logits, wanted)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    model.eval().save_pretrained(folder)


def edit_tensors(folder: Path, edit: Callable[[dict[str, torch.Tensor]], Any]) -> None:
    """Change the tensors in the folder's model.safetensors."""
    path = folder / "model.safetensors"
    tensors = load_file(path)
    edit(tensors)
    save_file(tensors, path, metadata={"format": "pt"})


def damaged(folder: Path, damage: str, name: str) -> Path:
    """The folder with one tensor `removed`, `renamed` or `reshaped`."""

    def edit(tensors: dict[str, torch.Tensor]) -> None:
        tensor = tensors.pop(name)
        if damage == "renamed":
            tensors[f"{name}_old"] = tensor
        elif damage == "reshaped":
            tensors[name] = torch.cat([tensor, tensor])

    edit_tensors(folder, edit)
    return folder


def write_modules(folder: Path, modules: Sequence[tuple[str, str]]) -> None:
    """A modules.json of (path, kind)."""
    write_json(
        folder / "modules.json",
        [
            {"idx": i, "name": str(i), "path": path, "type": f"sentence_transformers.models.{kind}"}
            for i, (path, kind) in enumerate(modules)
        ],
    )


def write_json(path: Path, content: Any) -> None:
    """Write JSON, with the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content), "utf-8")
