"""Identifiers taken out of a FHIR export: coded fields by an allow-list, notes by what the record knows and by patterns."""
