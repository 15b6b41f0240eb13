"""A hospital's de-identified FHIR data as training examples: notes with the diagnoses that were coded of them."""
