"""What is kept of feedback and of shown cards, row by row: the words of the tables, before any database.

Input: feedback items, cards, an occasion's marks. Output: rows of JSON values, so that a row can wait in a file
(outbox) as well as be inserted (feedback_store). No patient, user or encounter in clear, no quote, and what a client may
write freely (comments, codes that are not ours) only sealed; the finding ids that spoke for a diagnosis are kept, they are
words of the knowledge and not of the chart.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from cds_hooks.build_cards import EXTENSION
from cds_hooks.card import Card
from cds_hooks.memory.feedback import FeedbackItem, OverrideCode
from cds_hooks.memory.patient_marks import OccasionMarks
from cds_hooks.memory.suggestion_memory import finding_key
from cds_hooks.override_reasons import REASONS, SYSTEM
from nlp_core.assessment import MOST_FOR

SHOWN_CARD, SUGGESTED, FEEDBACK, LISTED = "shown_card", "suggested_diagnosis", "feedback", "listed_problem"
OTHER_REASON = "other_reason"
OTHER = "other"
"""Stands where a client gave a word that is not one of ours: a free word may say anything."""
_NONCE_BYTES = 12


class CommentKeys:
    """What one key of the site does for reports: seals their free words and makes their digests."""

    def __init__(self, key: bytes) -> None:
        """key: 32 bytes."""
        self._cipher = AESGCM(key)
        self._digest_key = hmac.digest(key, b"dxspan feedback digest", "sha256")

    def digest(self, said: str) -> str:
        return hmac.digest(self._digest_key, _utf8(said), "sha256").hex()

    def sealed(self, comment: str, bound_to: str) -> str:
        nonce = os.urandom(_NONCE_BYTES)
        return base64.b64encode(nonce + self._cipher.encrypt(nonce, _utf8(comment), bound_to.encode())).decode()

    def opened(self, tenant: str, digest: str, comment: bytes) -> str:
        """The comment of a report, or the coding of its other reason, in clear. Raises InvalidTag under another key, tenant or digest."""
        nonce, sealed = comment[:_NONCE_BYTES], comment[_NONCE_BYTES:]
        return self._cipher.decrypt(nonce, sealed, f"{tenant} {digest}".encode()).decode()


@dataclass(frozen=True, slots=True)
class Row:
    """One row of one table; times as ISO 8601 in UTC, bytes as base64."""

    table: str
    values: dict[str, Any]


def reported_rows(
    tenant: str, service_id: str, item: FeedbackItem, received: datetime, keys: CommentKeys | None
) -> list[Row]:
    """One report, and its reason where that is not one of ours.

    The digest is of all that the client said, not of when it arrived: the same report is one row.
    """
    reason = item.override_reason
    coding = reason.reason if reason else None
    comment = reason.user_comment if reason else ""
    digest = _digest(item, keys)
    code, system = _known(coding)
    report = {
        "tenant": tenant,
        "digest": digest,
        "card": str(item.card_uuid),
        "service": service_id,
        "outcome": item.outcome,
        "outcome_timestamp": _moment(item.outcome_timestamp),
        "received": _moment(received),
        "accepted_suggestions": [_suggestion(suggestion.id) for suggestion in item.accepted_suggestions],
        "reason_system": system,
        "reason_code": code,
        "comment": keys.sealed(comment, f"{tenant} {digest}") if comment and keys else None,
        "comment_given": bool(comment),
    }
    rows = [Row(FEEDBACK, report)]
    if coding and keys and OTHER in (code, system):
        said = f"{coding.system}|{coding.code}|{coding.display}"
        known = {"tenant": tenant, "digest": digest, "received": _moment(received)}
        rows.append(Row(OTHER_REASON, {**known, "coding": keys.sealed(said, f"{tenant} {digest}")}))
    return rows


def _known(coding: OverrideCode | None) -> tuple[str, str]:
    """(code, system) as far as they are words of ours."""
    if coding is None:
        return "", ""
    code = coding.code if coding.code in REASONS or not coding.code else OTHER
    system = coding.system if coding.system in ("", SYSTEM) else OTHER
    return code, system


def shown_rows(tenant: str, service_id: str, marks: OccasionMarks, cards: Sequence[Card], shown: datetime) -> list[Row]:
    """What `cards` showed to whom: a row for each card, and one for each diagnosis on it."""
    rows = []
    for card in cards:
        assessment = (card.extension or {}).get(EXTENSION, {})
        diagnoses = assessment.get("diagnoses", ())
        suggestions = [str(suggestion.uuid) for suggestion in card.suggestions or ()]
        known = {"tenant": tenant, "card": str(card.uuid), "shown": _moment(shown)}
        content = {
            "modelVersion": assessment.get("modelVersion", ""),
            "evidenceHash": assessment.get("evidenceHash", ""),
            "suggestions": suggestions,
            "diagnoses": [
                {"id": d["id"], "code": d["code"], "findings": [e["finding"] for e in d["for"]]} for d in diagnoses
            ],
        }
        rows.append(Row(SHOWN_CARD, {**known, "service": service_id, "content": content}))
        for place, diagnosis in enumerate(diagnoses):
            suggestion = suggestions[place] if suggestions else ""  # one for each diagnosis, or none at all
            rows.append(Row(SUGGESTED, {**known, **_suggested(diagnosis, suggestion, marks)}))
    return rows


def listed_rows(tenant: str, marks: OccasionMarks, diagnoses: Sequence[str], seen: datetime) -> list[Row]:
    """Accepted diagnoses that were seen on the patient's problem list."""
    known = {"tenant": tenant, "patient": marks.patient, "seen": _moment(seen)}
    return [Row(LISTED, {**known, "diagnosis": diagnosis}) for diagnosis in diagnoses]


def _digest(item: FeedbackItem, keys: CommentKeys | None) -> str:
    """Keyed, so that nobody who reads the table can guess a comment and try; without a key the comment is not kept, and what
    it says is not part of the digest either."""
    if keys:
        return keys.digest(item.model_dump_json())
    said = item.model_dump_json(exclude={"override_reason": {"user_comment"}})
    given = bool(item.override_reason and item.override_reason.user_comment)
    return hashlib.sha256(_utf8(f"{said} {given}")).hexdigest()


def _suggested(diagnosis: dict[str, Any], suggestion: str, marks: OccasionMarks) -> dict[str, Any]:
    speaking_for = diagnosis["for"]
    return {
        "diagnosis": diagnosis["id"],
        "patient": marks.patient,
        "user": marks.user,
        "encounter": marks.encounter,
        "suggestion": suggestion,
        "evidence": diagnosis["evidenceHash"],
        "findings": sorted({finding_key(e["finding"], present=e["present"]) for e in speaking_for if e["finding"]}),
        "floor": speaking_for[-1]["share"] if len(speaking_for) >= MOST_FOR else 0.0,
    }


def _utf8(text: str) -> bytes:
    return text.encode("utf-8", "replace")


def _suggestion(identifier: str) -> str:
    """As we wrote it, however the client spells a uuid; what is none is no suggestion of ours."""
    try:
        return str(UUID(identifier))
    except ValueError:
        return OTHER


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat()
