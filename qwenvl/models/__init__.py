"""The lowest ring: both models and what they share, tensors in and tensors out, with no picture, tokenizer or file."""
