"""Teaching what charts of each diagnosis read like (nlp_core.case_matcher), on cases that the project wrote (training/cases)."""
