"""The 18 kinds of identifier that HIPAA's Safe Harbor names (45 CFR 164.514(b)(2)(i)), and a span of one in a text."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """One of the 18 kinds, in the order of the rule's letters A to R."""

    NAME = "name"
    PLACE = "place"
    """Any place smaller than a state: street, city, postal code, and the facilities that give one away."""
    DATE = "date"
    """Dates but for the year, and ages over 89."""
    PHONE = "phone"
    FAX = "fax"
    EMAIL = "email"
    SOCIAL_SECURITY = "social security number"
    """Any number of a state for a person: US social security number, Chinese 身份证."""
    MEDICAL_RECORD = "medical record number"
    HEALTH_PLAN = "health plan number"
    ACCOUNT = "account number"
    LICENCE = "certificate or licence number"
    VEHICLE = "vehicle identifier"
    DEVICE = "device identifier"
    URL = "web address"
    IP = "ip address"
    BIOMETRIC = "biometric identifier"
    PHOTO = "photograph"
    OTHER = "other unique number"


@dataclass(frozen=True, slots=True, order=True)
class Found:
    """An identifier in a text: characters `start` to `end` of it."""

    start: int
    end: int
    kind: Kind
    staff: bool = False
    """Of someone or something that treats many patients: its surrogate is the same in every chart."""


def joined(found: list[Found]) -> list[Found]:
    """Sorted, none over another: of two that overlap the longer stays and takes in the other's characters."""
    kept: list[Found] = []
    for one in sorted(found, key=lambda one: (one.start, -one.end)):
        if kept and one.start < kept[-1].end:
            last = kept[-1]
            main = one if one.end - one.start > last.end - last.start else last
            kept[-1] = Found(last.start, max(last.end, one.end), main.kind, main.staff)
        else:
            kept.append(one)
    return kept
