"""Hands charts over for reading: through Celery and Redis, or inside the calling process."""
