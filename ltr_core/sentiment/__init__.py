"""A small language task: rated sentences of film reviews, and an LSTM that learns their sign."""

from ltr_core.sentiment.data import Examples, Reviews, Split, read_reviews, split, tokenise
from ltr_core.sentiment.lstm import (
    SentimentLSTM,
    SentimentTraining,
    sentiment_accuracy,
    train_sentiment,
)
from ltr_core.sentiment.toy import toy_reviews
from ltr_core.sentiment.truncation import SentimentTruncation, truncate_sentiment

__all__ = [
    "Examples",
    "Reviews",
    "SentimentLSTM",
    "SentimentTraining",
    "SentimentTruncation",
    "Split",
    "read_reviews",
    "sentiment_accuracy",
    "split",
    "tokenise",
    "toy_reviews",
    "train_sentiment",
    "truncate_sentiment",
]
