"""What the heads of a reading model answer, and in which order: shared by training, which makes them, and serving.

finding_logits   [rows, length, 3]   outside, begins, goes on (BIO)
assertion_logits [rows, length, 6]   one per Assertion, in its order
salience_logits  [rows]              does the row tell anything of the illness
evidence_vectors [rows, 128]         dotted with a diagnosis's vector: natural-log odds up to a constant of the row
"""

from __future__ import annotations

from nlp_core.assertion import Assertion

FINDING_TAGS = ("outside", "begins", "goes_on")
ASSERTIONS = tuple(Assertion)
EVIDENCE_WIDTH = 128

FINDING, ASSERTION, SALIENCE, EVIDENCE = "finding_logits", "assertion_logits", "salience_logits", "evidence_vectors"
HEADS = (FINDING, ASSERTION, SALIENCE, EVIDENCE)
"""Names of the graph's outputs besides last_hidden_state."""
