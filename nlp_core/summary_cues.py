"""What words say which part of a summary a sentence belongs to: how it goes, what is taken, what is still to come.

Input : a sentence and its section
Output: one heading, or None where only a finding could make it worth a line
Rules of words in English and Chinese. Which sentences are chosen is summary's business.
"""

from __future__ import annotations

import re

from nlp_core.assessment import SummaryHeading
from nlp_core.sections import Section

NEVER_QUOTED = frozenset({Section.FAMILY, Section.ALLERGIES})
"""Sections of other people and of what must not be taken."""

_DOSE = re.compile(
    r"\d\s?(?:mg|mcg|µg|ug|g|iu|units?|ml|puffs?|tablets?|毫克|微克|克|毫升|单位|片|粒|喷)(?![A-Za-z/])", re.IGNORECASE
)
_TAKEN = re.compile(
    r"\b(?:takes?|taking|started? on|continues?d?|prescribed|commenced|od|bd|bid|tds|tid|qid|prn|daily|nightly|once a day"
    r"|twice a day|po|iv|inhaler)\b|口服|服用|每日|每天|每晚|静滴|静脉滴注|静推|吸入|皮下注射|给予|继续用",
    re.IGNORECASE,
)
_ON_A_DRUG = re.compile(
    r"\b(?:takes|is taking|is on|has been taking|continues on|started on)\b|长期服用|正在服用|规律服用", re.IGNORECASE
)
_NOT_TAKEN = re.compile(
    r"\b(?:stopped|discontinued?|ceased|held|no longer|allerg\w+|never took|no (?:regular )?medications?)\b"
    r"|停用|停药|停服|已停|过敏|未服|未用|未曾用|自行停",
    re.IGNORECASE,
)
_PENDING = re.compile(
    r"\b(?:pending|await(?:ed|ing)?|to be (?:done|arranged|reviewed|repeated)|follow.?up|will (?:repeat|review|recheck|arrange|refer)"
    r"|outstanding|not (?:yet )?(?:back|available|resulted)|repeat .{0,40}\b(?:in|at) \d|referr(?:ed|al) to|scheduled|refer to)\b"
    r"|待回报|待查|待排|未回报|结果未出|尚未回报|待结果|复查|随访|预约|择期|拟行|待行|转诊",
    re.IGNORECASE,
)
_ONLY_IF = re.compile(r"\b(?:if|should (?:he|she|they|symptoms)|unless|in case)\b|如果|如有|若|一旦", re.IGNORECASE)
_COURSE = re.compile(
    r"\b(?:improv\w+|worsen\w+|worse|better|progress\w*|resolv\w+|recover\w*|deteriorat\w+|stable|unchanged|persist\w*"
    r"|relaps\w+|recurr\w+|admitted|discharged|responded|increas(?:ed|ing)|decreas(?:ed|ing)|settled|began|started"
    r"|since|(?:hours?|days?|weeks?|months?|years?) (?:ago|history)|for (?:the (?:past|last) )?\w+ (?:hours?|days?|weeks?|months?|years?))\b"
    r"|好转|加重|缓解|恶化|稳定|进展|反复|复发|消退|恢复|入院|出院|治疗后|术后|较前|减轻|[0-9一二两三四五六七八九十半数]+(?:余|多|个)?(?:分钟|小时|天|日|周|月|年)(?:前|来|余)",
    re.IGNORECASE,
)


def heading_of(text: str, section: Section) -> SummaryHeading | None:
    """The part of a summary that the words themselves speak for."""
    if section in NEVER_QUOTED:
        return None
    if _is_medication(text, section):
        return "medication"
    if _PENDING.search(text) and not _ONLY_IF.search(text):
        return "pending"
    if section not in (Section.PAST, Section.SOCIAL, Section.PLAN) and _COURSE.search(text):
        return "course"
    return None


def _is_medication(text: str, section: Section) -> bool:
    if _NOT_TAKEN.search(text) or _ONLY_IF.search(text):
        return False
    return (
        section is Section.MEDICATIONS
        or bool(_DOSE.search(text) and _TAKEN.search(text))
        or bool(_ON_A_DRUG.search(text))
    )
