"""Teaching which findings clauses mean (nlp_core.concept_linker), on judged clauses."""
