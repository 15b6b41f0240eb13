"""Reads a patient's chart and reasons over it; knows no HTTP, no queue, no environment variables."""
