"""Conversations to token ids and back: messages, chat formats, tokenizers, boxes in an answer."""
