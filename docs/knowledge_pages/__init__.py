"""A page per diagnosis for people to read, in English and Chinese: `python -m docs.knowledge_pages`."""
