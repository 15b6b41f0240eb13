"""Fits the identifier head: invented notes with marked identifiers, each written anew many times."""
