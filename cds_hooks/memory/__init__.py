"""What becomes of suggestions: what was shown, what users said of it, what is hidden therefore; kept through any fault."""
