"""Measures the emotion detector on the test split of GoEmotions."""

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score

from atoll_inference.engines.tasks.text import EmotionInput
from training.emotion_detection import MODEL
from training.emotion_detection.dataset import LABELS, Rows, read, training
from training.engines import Engines
from training.evaluation import Evaluation, Measure

Answers = NDArray[np.int64]


def measure(engines: Engines) -> Evaluation:
    """Accuracy and macro F1, beside the commonest emotion and bags of words."""
    rows, test = training(), read("test")
    engine = engines.load("emotion_detection")
    results = engine.run_batch([EmotionInput(text) for text in test.texts])
    model = np.array([LABELS.index(result.label) for result in results])
    commonest = np.full(len(test.texts), rows.labels.sum(0).argmax())
    baselines = {
        "commonest emotion": commonest,
        "bag of words": bag_of_words(rows, test.texts, balanced=False),
        "bag of words, classes balanced": bag_of_words(rows, test.texts, balanced=True),
    }
    single, wanted = test.single, test.labels.argmax(1)

    def accuracy(found: Answers) -> float:
        return float((found[single] == wanted[single]).mean())

    def macro_f1(found: Answers) -> float:
        return float(f1_score(wanted[single], found[single], average="macro"))

    def among(found: Answers) -> float:
        return float(test.labels[np.arange(len(found)), found].mean())

    return Evaluation(
        slot="emotion_detection",
        model=MODEL,
        held_out="the test split of GoEmotions, comments written by people",
        measures=tuple(
            Measure(
                name=name,
                items=items,
                model=figure(model),
                baselines={key: figure(found) for key, found in baselines.items()},
            )
            for name, items, figure in (
                ("accuracy, rows with one label", int(single.sum()), accuracy),
                ("macro F1, rows with one label", int(single.sum()), macro_f1),
                ("answer is among the labels, all rows", len(test.texts), among),
            )
        ),
    )


def bag_of_words(rows: Rows, texts: list[str], *, balanced: bool) -> Answers:
    """Logistic regression on words and pairs of words; a row counts for each of its labels."""
    vectors = TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True)
    known = vectors.fit_transform(rows.texts)
    row, label = rows.labels.nonzero()
    regression = LogisticRegression(
        C=3.0, max_iter=300, class_weight="balanced" if balanced else None
    )
    regression.fit(known[row], label, sample_weight=rows.targets[row, label])
    return np.asarray(regression.predict(vectors.transform(texts)))
