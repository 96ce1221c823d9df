"""Java's meaning of text, numbers and regular expressions, in Python."""
