"""The operators' page: is it well, what does it answer, what to do when it is not."""
