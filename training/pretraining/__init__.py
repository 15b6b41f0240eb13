"""Continued masked-language training of an encoder on texts of a site."""
