"""Tuning an encoder to tell texts apart: the kinds of tuning, what they may be given, and what comes out."""
