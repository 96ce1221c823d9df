"""Java's semantics of strings, numbers and regular expressions, in Python."""
