"""Media and conversations to tensors, token ids and spans; answers back to text and boxes. Imports no model."""
