"""Invented patients drawn from the knowledge and written up as real charts are, with every finding's place known."""
