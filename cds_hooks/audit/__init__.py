"""The audit trail: a record of each request, on disk before its answer leaves, chained, kept, exported and verified."""
