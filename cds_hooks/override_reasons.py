"""Why a clinician may dismiss a card: HL7's own reasons, worded in both languages."""

from __future__ import annotations

from functools import cache

from cds_hooks.card import OverrideReason
from nlp_core.assessment import Language, Words

SYSTEM = "http://terminology.hl7.org/CodeSystem/non-adherence-reason-codes"
REASONS: dict[str, Words] = {
    "cds-not-applicable": Words(en="Does not apply to this patient", zh="不适用于该患者"),
    "action-completed": Words(en="Already considered or done", zh="已考虑或已处理"),
    "recipient-disagrees-evidence": Words(en="I disagree with the evidence", zh="不认同所列依据"),
    "need-more-info": Words(en="More information is needed first", zh="需要更多信息"),
    "limited-time": Words(en="No time now", zh="目前没有时间"),
    "wrong-time-workflow": Words(en="Wrong moment in my work", zh="时机不合适"),
    "inappropriate-recipient": Words(en="Not for me to decide", zh="不应由我决定"),
    "recipient-does-not-trust": Words(en="I do not trust this suggestion", zh="不信任该建议"),
    "patient-contraindication": Words(en="Something in this patient speaks against it", zh="该患者存在不宜情形"),
}


@cache
def override_reasons(language: Language) -> tuple[OverrideReason, ...]:
    """The reasons to offer, each with its display."""
    return tuple(
        OverrideReason(code=code, system=SYSTEM, display=words.said_in(language)) for code, words in REASONS.items()
    )
