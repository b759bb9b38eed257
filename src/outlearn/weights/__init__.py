"""Shipped checkpoints: safetensors with a JSON header, and a model card beside each."""

from outlearn.weights.checkpoint import Header, read_checkpoint, shipped, write_checkpoint

__all__ = ["Header", "read_checkpoint", "shipped", "write_checkpoint"]
