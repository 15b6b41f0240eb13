"""The second reader of de-identification: the base encoder with its own low-rank changes, told what the head sees of a word."""
