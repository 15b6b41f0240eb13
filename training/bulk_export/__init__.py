"""A hospital's FHIR data as a folder of NDJSON: from a server's `$export`, or from files that are there already."""
