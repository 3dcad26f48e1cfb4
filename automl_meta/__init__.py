"""Learns to learn: advice for tabular machine learning from past experiments, and few-shot models."""
